"""One bidirectional stream: carries frames between the server and a `Rules`, and tells when it ended and why."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator

import grpc
from parlor.chat.v1 import chat_service_pb2, stream_pb2

from .api import Api, Refusal, bearer, refusal
from .rules import Rules

PONG_TIMEOUT = 10.0
"""Seconds after a Ping without a Pong: the stream is dead (rule 6)."""
TICK = 0.1
"""Seconds between looks at what is due: acks, paused lanes, pings. Acks must come every 250 ms."""
MAX_MESSAGE = 60 * 1024
"""Bytes of frames in one message; the server takes 64 KiB."""


class Ended(Exception):
    """Ends the parts of a stream; `failure` is None where the server ended it well."""

    def __init__(self, failure: Refusal | None) -> None:
        super().__init__(str(failure))
        self.failure = failure


class Stream:
    """A stream on a connection of its own."""

    def __init__(self, address: str, token: str, rules: Rules, changed: Callable[[], None]) -> None:
        self.rules = rules
        # Each is set when what it says has happened, and in any case when the stream has ended.
        self.opened = asyncio.Event()
        self.draining = asyncio.Event()
        self._api = Api(address)
        self._call = self._api.chat.Connect(metadata=bearer(token))
        self._changed = changed
        self._due = asyncio.Event()
        self._nonce = 0
        self._pinged_at: float | None = None
        self._sent_at = time.monotonic()
        self.end = asyncio.create_task(self._run())

    def wake(self) -> None:
        """There may be something to send."""
        self._due.set()

    def ping(self) -> None:
        """Asks whether the server is there."""
        if self._pinged_at is None:
            self._nonce += 1
            self._pinged_at = time.monotonic()
            self.wake()

    async def close(self) -> None:
        """Lets the stream go without a word, as a phone does that loses power."""
        self.end.cancel()
        await asyncio.gather(self.end, return_exceptions=True)

    async def _run(self) -> Refusal | None:
        """Runs to the end of the stream. Returns how it failed, None if the server ended it well."""
        parts = [asyncio.create_task(part) for part in (self._receive(), self._send(), self._watch())]
        try:
            done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_EXCEPTION)
            for part in done:
                part.result()
            raise AssertionError("the receiving part ends with an exception")
        except Ended as ended:
            return ended.failure
        finally:
            for part in parts:
                part.cancel()
            await asyncio.gather(*parts, return_exceptions=True)
            await self._api.close()
            self.opened.set()
            self.draining.set()
            self._changed()

    async def _receive(self) -> None:
        try:
            while (message := await self._call.read()) is not grpc.aio.EOF:
                self._take(message)
        except grpc.aio.AioRpcError as error:
            raise Ended(refusal(error)) from None
        raise Ended(None)

    def _take(self, message: chat_service_pb2.ConnectResponse) -> None:
        self.rules.take(message, time.monotonic())
        if self.rules.welcome is not None:
            self.opened.set()
        if self.rules.drain is not None:
            self.draining.set()
        if self._nonce in self.rules.pongs:
            self._pinged_at = None
        self._changed()
        self.wake()

    async def _send(self) -> None:
        pinged = 0
        frames = [self.rules.hello()]
        while await self._write(frames):
            # Not `wait_for`: up to Python 3.11 it can lose a cancellation that comes together with what it waits for.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TICK):
                    await self._due.wait()
            self._due.clear()
            frames = self.rules.outgoing(time.monotonic())
            if self._nonce > pinged:
                pinged = self._nonce
                frames.append(stream_pb2.ClientFrame(ping=stream_pb2.Ping(nonce=pinged)))

    async def _write(self, frames: list[stream_pb2.ClientFrame]) -> bool:
        """Whether the call still takes messages; how it ended is what `_receive` finds out."""
        try:
            for message in messages(frames):
                await self._call.write(message)
                self._sent_at = time.monotonic()
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            return False
        return True

    async def _watch(self) -> None:
        """Ends the stream when the server is gone: no Pong in time."""
        while self._pinged_at is None or time.monotonic() < self._pinged_at + PONG_TIMEOUT:
            # waits: the ping interval and the pong deadline are spans of time by definition
            await asyncio.sleep(TICK)
            welcome = self.rules.welcome
            if welcome and time.monotonic() > self._sent_at + welcome.ping_interval.ToTimedelta().total_seconds():
                self.ping()
        raise Ended(Refusal("UNAVAILABLE", grpc.StatusCode.UNAVAILABLE, "no Pong in time", b""))


def messages(frames: list[stream_pb2.ClientFrame]) -> Iterator[chat_service_pb2.ConnectRequest]:
    """Packs frames into as few messages as the server's limit allows."""
    request, size = chat_service_pb2.ConnectRequest(), 0
    for frame in frames:
        if size and size + frame.ByteSize() > MAX_MESSAGE:
            yield request
            request, size = chat_service_pb2.ConnectRequest(), 0
        request.frames.append(frame)
        size += frame.ByteSize()
    if size:
        yield request
