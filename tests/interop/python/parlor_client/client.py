"""A person's client: an account, a store, and a stream that comes back by itself."""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from parlor.auth.v1 import auth_service_pb2
from parlor.chat.v1 import content_pb2, preferences_pb2, stream_pb2

from .api import Api, Refusal, new_op
from .rules import Record, Rules
from .store import Pending, Store
from .stream import Stream

BACKOFF = 0.2
"""Seconds: the first reconnect comes within this, each further one within twice as much."""
BACKOFF_CAP = 2.0
"""Seconds: the longest a reconnect waits."""
WAIT = 30.0
"""Seconds to wait for something that must happen."""


class Client:
    """One installation of one person. `address` may change from one connection to the next."""

    def __init__(self, name: str, folder: Path, address: Callable[[], str]) -> None:
        self.name = name
        self.folder = folder
        self.address = address
        self.store = Store(folder)
        self.record = Record()
        self.stream: Stream | None = None
        self.connections = 0
        # Why this client stays away.
        self.ended: Refusal | stream_pb2.Goodbye | None = None
        self._requests = 0
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        if not self.store.text("device_id"):
            with self.store:
                self.store.remember(device_id=str(uuid.uuid4()))

    # ---- account

    @property
    def user_id(self) -> str:
        """The user."""
        return self.store.text("user_id")

    @property
    def token(self) -> str:
        """The access token."""
        return self.store.text("access_token")

    def device(self) -> auth_service_pb2.Device:
        """This installation."""
        return auth_service_pb2.Device(device_id=self.store.text("device_id"), name=f"{self.name}, Python")

    async def register(self, api: Api, password: str, op: str | None = None) -> None:
        """Creates the account and logs in."""
        request = auth_service_pb2.RegisterRequest(
            op=op or new_op(), username=self.name, password=password, device=self.device()
        )
        self._keep((await api.call(api.auth.Register, request)).credentials)

    async def login(self, api: Api, password: str) -> None:
        """Opens a session."""
        request = auth_service_pb2.LoginRequest(username=self.name, password=password, device=self.device())
        self._keep((await api.call(api.auth.Login, request)).credentials)

    async def refresh(self, api: Api) -> None:
        """Trades the refresh token for a new pair; token and op are saved before the call, for a lost answer."""
        if not self.store.text("refresh_op"):
            with self.store:
                self.store.remember(refresh_op=new_op())
        request = auth_service_pb2.RefreshRequest(
            refresh_token=self.store.text("refresh_token"), op=self.store.text("refresh_op")
        )
        self._keep((await api.call(api.auth.Refresh, request)).credentials)

    def _keep(self, credentials: auth_service_pb2.Credentials) -> None:
        with self.store:
            self.store.remember(
                user_id=credentials.user_id,
                access_token=credentials.access_token,
                refresh_token=credentials.refresh_token,
                refresh_op="",
            )

    # ---- sending

    def send(self, conversation_id: str, body: str) -> str:
        """Puts a text into the outbox and returns its op. It goes out as soon as there is a stream."""
        return self.submit(conversation_id, content_pb2.Content(text=content_pb2.Text(body=body)))

    def submit(self, conversation_id: str, content: content_pb2.Content) -> str:
        """Rule 2: op and base_seq are saved with the content, before anything is sent."""
        op = new_op()
        with self.store:
            head = self.store.held(conversation_id).head
            self.store.put(Pending(op, conversation_id, head, content))
        if self.stream is not None:
            self.stream.wake()
        return op

    def show_up_to(self, conversation_id: str, seq: int) -> None:
        """Everything up to `seq` was shown: saved, and told to the server now or with the next stream."""
        with self.store:
            self.store.show_up_to(conversation_id, seq)
        if self.stream is not None:
            self.stream.wake()

    def say(self, frame: stream_pb2.ClientFrame) -> None:
        """Sends what matters only now: without a stream it is forgotten."""
        if self.stream is not None:
            self.stream.rules.say(frame)
            self.stream.wake()

    def set_typing(self, conversation_id: str, activity: stream_pb2.Activity) -> None:
        """What the user does in a conversation."""
        typing = stream_pb2.SetTyping(conversation_id=conversation_id, activity=activity)
        self.say(stream_pb2.ClientFrame(set_typing=typing))

    def activity(self, conversation_id: str, user_id: str) -> stream_pb2.Activity:
        """What another does in a conversation."""
        return self.record.live.activity(conversation_id, user_id, time.monotonic())

    def set_active(self, foreground: bool) -> None:
        """The app comes to the front or goes behind."""
        self.record.live.foreground = foreground
        self.say(stream_pb2.ClientFrame(set_active=stream_pb2.SetActive(foreground=foreground)))

    def watch(self, *user_ids: str) -> None:
        """Whose presence to tell, on this stream and those to come."""
        self.say(self.record.live.watch(user_ids))

    async def prefer(
        self, conversation_id: str, changes: preferences_pb2.PreferenceChanges
    ) -> stream_pb2.PreferencesResult:
        """Changes preferences on the stream; the answer."""
        self._requests += 1
        request, live = self._requests, self.record.live
        preferences = stream_pb2.SetPreferences(request_id=request, conversation_id=conversation_id, changes=changes)
        self.say(stream_pb2.ClientFrame(set_preferences=preferences))
        await self.until("an answer to SetPreferences", lambda: request in live.preferences)
        return live.preferences[request]

    # ---- the stream

    def start(self) -> None:
        """Connects and stays connected."""
        self.ended = None
        self._task = asyncio.create_task(self._stay_connected())

    async def stop(self) -> None:
        """Disconnects without a word."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def close(self) -> None:
        """Disconnects and closes the store."""
        await self.stop()
        self.store.close()

    def network_changed(self) -> None:
        """Rule 6: asks the server for a sign of life."""
        if self.stream is not None:
            self.stream.ping()

    async def until(self, what: str, condition: Callable[[], bool], seconds: float = WAIT) -> None:
        """Waits until something holds; fails with its name if it does not come to hold in time."""
        try:
            async with asyncio.timeout(seconds):
                while not condition():
                    if self._task is not None and self._task.done():
                        self._task.result()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"{self.name}: not within {seconds:.0f} s: {what}") from None

    async def online(self) -> None:
        """Waits until the sync is done and everything heard of is held."""
        await self.until("in sync", lambda: self._is_synced() and not self.store.incomplete())

    def _is_synced(self) -> bool:
        return self.stream is not None and self.stream.rules.synced

    async def _stay_connected(self) -> None:
        """Rule 6: any end is followed by a new stream, unless the server says not to."""
        streams: list[Stream] = []
        failures = 0
        try:
            while True:
                streams.append(Stream(self.address(), self.token, Rules(self.store, self.record), self._tell))
                await streams[-1].opened.wait()
                if streams[-1].rules.welcome is not None:
                    failures = 0
                    self.connections += 1
                    self.stream = streams[-1]
                    self._tell()
                    while len(streams) > 1:
                        await streams.pop(0).close()
                await streams[-1].draining.wait()
                if drain := streams[-1].rules.drain:
                    # waits: the server names the time
                    await asyncio.sleep(drain.reconnect_after.ToTimedelta().total_seconds())
                    continue
                gone = streams.pop()
                self.stream = streams[-1] if streams else None
                failures += 1
                if await self._stays_away(await gone.end, gone.rules.goodbye):
                    return
                # waits: full jitter, so that a restarted server is not met by everybody at once
                await asyncio.sleep(pause(gone.rules.goodbye, failures))
        finally:
            self.stream = None
            for stream in streams:
                await stream.close()
            self._tell()

    async def _stays_away(self, failure: Refusal | None, goodbye: stream_pb2.Goodbye | None) -> bool:
        """Whether this end was the last. A token that expired is refreshed."""
        if failure is not None and failure.reason == "TOKEN_EXPIRED":
            failure = await self._try_refresh()
        if goodbye is not None:
            self.ended = None if goodbye.reconnect else goodbye
        elif failure is not None and not failure.is_transient():
            self.ended = failure
        return self.ended is not None

    async def _try_refresh(self) -> Refusal | None:
        api = Api(self.address())
        try:
            await self.refresh(api)
        except Refusal as failure:
            return failure
        finally:
            await api.close()
        return None

    def _tell(self) -> None:
        """Something may have changed: lets whoever waits look again."""
        self._changed.set()
        self._changed = asyncio.Event()


def pause(goodbye: stream_pb2.Goodbye | None, failures: int) -> float:
    """Seconds before the next attempt."""
    least = goodbye.after.ToTimedelta().total_seconds() if goodbye is not None else 0.0
    return least + random.uniform(0, min(BACKOFF_CAP, BACKOFF * 2**failures))
