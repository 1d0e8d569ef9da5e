"""What holds just now and is not kept: who types, how those are there whom one watches, and what was refused."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from parlor.chat.v1 import stream_pb2
from parlor.presence.v1 import presence_pb2


@dataclass
class Live:
    """Of all streams of a client: it is shown until something newer comes or its time is over."""

    presences: dict[str, presence_pb2.Presence] = field(default_factory=dict)
    # Answers to SetPreferences, by request.
    preferences: dict[int, stream_pb2.PreferencesResult] = field(default_factory=dict)
    refused: list[stream_pb2.Refused] = field(default_factory=list)
    # Whose presence to tell; told anew on each stream, with which it goes.
    watched: list[str] = field(default_factory=list)
    # Whether the app is in front.
    foreground: bool = True
    # Activity and the time it is shown until, by conversation and user.
    _typing: dict[tuple[str, str], tuple[stream_pb2.Activity, float]] = field(default_factory=dict)

    def types(self, typing: stream_pb2.Typing, now: float) -> None:
        """Somebody types, or has stopped."""
        until = now + typing.expires_after.ToTimedelta().total_seconds()
        self._typing[typing.conversation_id, typing.user_id] = (typing.activity, until)

    def said(self, conversation_id: str, user_id: str) -> None:
        """A message of theirs came: they do not type it any more."""
        self._typing.pop((conversation_id, user_id), None)

    def activity(self, conversation_id: str, user_id: str, now: float) -> stream_pb2.Activity:
        """What somebody does in a conversation."""
        nothing = (stream_pb2.ACTIVITY_UNSPECIFIED, 0.0)
        activity, until = self._typing.get((conversation_id, user_id), nothing)
        return activity if now < until else stream_pb2.ACTIVITY_UNSPECIFIED

    def watch(self, user_ids: Iterable[str]) -> stream_pb2.ClientFrame:
        """Watches these and nobody else."""
        self.watched = list(user_ids)
        self.presences = {user: seen for user, seen in self.presences.items() if user in self.watched}
        return stream_pb2.ClientFrame(watch=stream_pb2.Watch(user_ids=self.watched))

    def wishes(self) -> list[stream_pb2.ClientFrame]:
        """What a new stream must be told."""
        return [stream_pb2.ClientFrame(watch=stream_pb2.Watch(user_ids=self.watched))] if self.watched else []
