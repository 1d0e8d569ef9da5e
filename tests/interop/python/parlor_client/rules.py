"""The seven rules as a state machine for one stream: frames in, frames out. Its only I/O is the store.

`take` is given what the server sent; `outgoing` says what to send now. One `Rules` lives as long as one stream; what
outlives the stream is in the store.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from parlor.chat.v1 import chat_service_pb2, log_pb2, stream_pb2
from parlor.errors.v1 import errors_pb2

from .api import reason_name
from .live import Live
from .store import Store

PROTOCOL = 1
CLIENT_NAME = "parlor-interop-python"
RETRY_AFTER = 1.0
"""Seconds before trying again where the server names none."""

RETRYABLE = {"UNAVAILABLE", "OVERLOADED", "RATE_LIMITED", "STORAGE_FULL", "INTERNAL", "TOO_MANY_IN_FLIGHT"}


@dataclass
class Lane:
    """This stream's appends to one conversation."""

    number: int = 0
    in_flight: set[str] = field(default_factory=set)
    # After a rejection nothing is sent until all that was in flight has been answered: the server rejects it too, and
    # two copies of one op under way could not be told apart.
    draining: bool = False
    not_before: float = 0.0


@dataclass
class Record:
    """What became of things, over all streams of a client."""

    answers: dict[str, stream_pb2.AppendResult] = field(default_factory=dict)
    goodbyes: list[stream_pb2.Goodbye] = field(default_factory=list)
    live: Live = field(default_factory=Live)


class Rules:
    """What a client does with each frame."""

    def __init__(self, store: Store, record: Record) -> None:
        self.store = store
        self.record = record
        self.welcome: stream_pb2.Welcome | None = None
        self.synced = False
        self.drain: stream_pb2.Drain | None = None
        self.goodbye: stream_pb2.Goodbye | None = None
        self.pongs: set[int] = set()
        self._lanes: dict[str, Lane] = {}
        self._fetching: dict[int, str] = {}
        self._fetch_not_before = 0.0
        self._requests = 0
        self._unacked = 0
        self._received: dict[str, int] = {}
        # Read marks this stream was told of.
        self._read: dict[str, int] = {}
        self._said: list[stream_pb2.ClientFrame] = []

    def say(self, frame: stream_pb2.ClientFrame) -> None:
        """Sends a frame on this stream, if it lives that long."""
        self._said.append(frame)

    def hello(self) -> stream_pb2.ClientFrame:
        """The first frame."""
        cursor = self.store.fact("cursor")
        background = not self.record.live.foreground
        hello = stream_pb2.Hello(protocol=PROTOCOL, cursor=cursor, client=CLIENT_NAME, background=background)
        return stream_pb2.ClientFrame(hello=hello)

    # ---- in

    def take(self, message: chat_service_pb2.ConnectResponse, now: float) -> None:
        """Takes one message of the server in, and saves what it changes as one transaction (rule 3)."""
        with self.store:
            for frame in message.frames:
                self._frame(frame, now)
        self._unacked = message.batch

    def _frame(self, frame: stream_pb2.ServerFrame, now: float) -> None:
        match frame.WhichOneof("kind"):
            case "welcome":
                self._welcome(frame.welcome)
            case "sync_conversation":
                self.store.show(frame.sync_conversation.conversation)
            case "sync_done":
                self.store.remember(cursor=frame.sync_done.cursor)
                self.synced = True
            case "event":
                self._entry(frame.event.entry)
            case "head":
                self.store.hear(frame.head.conversation_id, frame.head.head)
            case "checkpoint":
                self.store.remember(cursor=frame.checkpoint.cursor)
            case "append_result":
                self._append_result(frame.append_result, now)
            case "fetch_result":
                self._fetch_result(frame.fetch_result, now)
            case "pong":
                self.pongs.add(frame.pong.nonce)
            case "drain":
                self.drain = frame.drain
            case "goodbye":
                self.goodbye = frame.goodbye
                self.record.goodbyes.append(frame.goodbye)
            case "receipts":
                self.store.receipts(frame.receipts)
            case "sync_person":
                self.store.know_person(frame.sync_person.person)
            case "sync_privacy":
                self.store.remember(privacy=frame.sync_privacy.privacy.SerializeToString())
            case "typing":
                self.record.live.types(frame.typing, now)
            case "presence_changed":
                presence = frame.presence_changed.presence
                self.record.live.presences[presence.user_id] = presence
            case "preferences_result":
                self.record.live.preferences[frame.preferences_result.request_id] = frame.preferences_result
            case "refused":
                self.record.live.refused.append(frame.refused)
            case "mark_refused":
                raise AssertionError(f"a mark was refused: {frame.mark_refused}")
            case _:
                pass  # rule 7: a kind added later

    def _welcome(self, welcome: stream_pb2.Welcome) -> None:
        if self.store.text("generation") != welcome.generation:
            self.store.forget()
            self.store.remember(generation=welcome.generation)
        self.welcome = welcome
        self._said = self.record.live.wishes()

    def _entry(self, entry: log_pb2.Entry) -> None:
        """Rule 1: have + 1 is applied, up to have is dropped, above leaves a gap to fetch."""
        held = self.store.held(entry.conversation_id)
        if entry.seq == held.have + 1:
            self._apply(entry, held.low or entry.seq)
        elif entry.seq > held.have:
            self.store.hear(entry.conversation_id, entry.seq)

    def _apply(self, entry: log_pb2.Entry, low: int) -> None:
        self.store.apply(entry, low)
        self._received[entry.conversation_id] = entry.seq
        self.record.live.said(entry.conversation_id, entry.sender_id)

    def _append_result(self, result: stream_pb2.AppendResult, now: float) -> None:
        lane = self._lane(result.conversation_id)
        lane.in_flight.discard(result.op)
        self.record.answers[result.op] = result
        if result.WhichOneof("outcome") == "appended":
            self.store.drop(result.op)
            self.store.hear(result.conversation_id, result.appended.seq)
        else:
            reason = reason_name(result.problem.reason)
            if reason != "OUT_OF_ORDER":
                lane.number, lane.draining = result.lane, True
                self._rejected(result, reason, lane, now)
        lane.draining = lane.draining and bool(lane.in_flight)

    def _rejected(self, result: stream_pb2.AppendResult, reason: str, lane: Lane, now: float) -> None:
        """Keeps the append for another time, or gives it up."""
        if reason == "OP_TOO_OLD":
            held = self.store.held(result.conversation_id)
            if held.have == held.head:
                self.store.rebase(result.op, held.have)
            else:
                lane.not_before = now + RETRY_AFTER
        elif reason in RETRYABLE:
            lane.not_before = now + pause(result.problem)
        else:
            self.store.drop(result.op)

    def _fetch_result(self, result: stream_pb2.FetchResult, now: float) -> None:
        conversation_id = self._fetching.pop(result.request_id)
        if result.WhichOneof("outcome") == "problem":
            reason = reason_name(result.problem.reason)
            if reason == "CONVERSATION_NOT_FOUND":
                self.store.settle(conversation_id)
            elif reason in RETRYABLE:
                self._fetch_not_before = now + pause(result.problem)
            else:
                raise AssertionError(f"a fetch was refused: {reason}: {result.problem.message}")
            return
        for index, entry in enumerate(result.page.entries):
            held = self.store.held(conversation_id)
            if entry.seq == held.have + 1:
                self._apply(entry, held.low or entry.seq)
            elif entry.seq > held.have:
                # Only the first entry of a page may skip: what lies before it is not for this reader.
                assert index == 0, f"G3: a hole in a page, {entry.seq} after {held.have}"
                self._apply(entry, entry.seq)
        if not result.page.entries and not result.page.next_seq:
            self.store.settle(conversation_id)
        self.store.hear(conversation_id, result.page.head)

    # ---- out

    def outgoing(self, now: float) -> list[stream_pb2.ClientFrame]:
        """What to send now, in order. What it returns counts as sent."""
        if self.welcome is None:
            return []
        frames = [stream_pb2.ClientFrame(append=append) for append in self._appends(self.welcome.limits, now)]
        frames += [stream_pb2.ClientFrame(fetch=fetch) for fetch in self._fetches(self.welcome.limits, now)]
        for conversation_id, seq in self._received.items():
            received = stream_pb2.Received(conversation_id=conversation_id, seq=seq)
            frames.append(stream_pb2.ClientFrame(received=received))
        for conversation_id, seq in self.store.shown_marks():
            if seq > self._read.get(conversation_id, 0):
                self._read[conversation_id] = seq
                frames.append(stream_pb2.ClientFrame(read=stream_pb2.Read(conversation_id=conversation_id, seq=seq)))
        frames += self._said
        self._said = []
        if self._unacked:
            frames.append(stream_pb2.ClientFrame(ack=stream_pb2.Ack(batch=self._unacked)))
        self._received, self._unacked = {}, 0
        return frames

    def _appends(self, limits: stream_pb2.Limits, now: float) -> Iterable[log_pb2.Append]:
        """Rule 2: the outbox in its order, as far as the window and the lanes allow."""
        room = limits.max_appends_in_flight - sum(len(lane.in_flight) for lane in self._lanes.values())
        for pending in self.store.outbox():
            lane = self._lane(pending.conversation_id)
            if pending.op in lane.in_flight or lane.draining or now < lane.not_before:
                continue
            if room == 0:
                return
            room -= 1
            lane.in_flight.add(pending.op)
            yield log_pb2.Append(
                conversation_id=pending.conversation_id,
                op=pending.op,
                base_seq=pending.base_seq,
                lane=lane.number,
                content=pending.content,
            )

    def _fetches(self, limits: stream_pb2.Limits, now: float) -> Iterable[stream_pb2.Fetch]:
        if now < self._fetch_not_before:
            return
        under_way = self._fetching.values()
        for conversation_id in [known for known in self.store.incomplete() if known not in under_way]:
            if len(self._fetching) == limits.max_fetches_in_flight:
                return
            self._requests += 1
            self._fetching[self._requests] = conversation_id
            from_seq = self.store.held(conversation_id).have + 1
            yield stream_pb2.Fetch(request_id=self._requests, conversation_id=conversation_id, from_seq=from_seq)

    def _lane(self, conversation_id: str) -> Lane:
        return self._lanes.setdefault(conversation_id, Lane())


def pause(problem: errors_pb2.Problem) -> float:
    """Seconds to wait before the same thing again."""
    asked = problem.retry_after.ToTimedelta().total_seconds()
    return asked if problem.HasField("retry_after") else RETRY_AFTER
