"""A TCP proxy that misbehaves on demand: cuts connections, swallows what they carry, refuses new ones, is slow."""

from __future__ import annotations

import asyncio
import enum
import socket
import struct
from collections.abc import Callable

CHUNK = 16 * 1024
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Way(enum.Flag):
    """Directions."""

    TO_SERVER = enum.auto()
    TO_CLIENT = enum.auto()


class Link:
    """One connection of a client, and the one to the server that belongs to it."""

    def __init__(self, task: asyncio.Task[None]) -> None:
        self.task = task
        self.swallows = Way(0)


class Proxy:
    """Listens on a port of its own and connects each client to `upstream()`."""

    def __init__(self, upstream: Callable[[], str]) -> None:
        self.upstream = upstream
        self.delay = 0.0
        """Seconds each piece waits on its way, in both directions."""
        self.refusing = False
        """New connections are closed at once: no network. The same where `upstream` names none."""
        self._links: set[Link] = set()

    async def start(self) -> None:
        """Begins to listen."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.address = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        """Cuts everything and stops listening."""
        self._server.close()
        await self.cut()

    async def cut(self) -> None:
        """Resets every connection there is. New ones work."""
        tasks = [link.task for link in self._links]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def swallow(self, ways: Way) -> None:
        """What the connections there are carry in these directions is lost from here on. New ones work."""
        for link in self._links:
            link.swallows = ways

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        link = Link(task)
        self._links.add(link)
        try:
            if self.upstream() and not self.refusing:
                await self._connect(link, reader, writer)
        except (OSError, asyncio.CancelledError):
            pass  # either side went away, or we cut
        finally:
            self._links.discard(link)
            reset(writer)

    async def _connect(self, link: Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = self.upstream().rsplit(":", 1)
        answers, requests = await asyncio.open_connection(host, int(port))
        ways = [
            asyncio.create_task(self._carry(link, Way.TO_SERVER, reader, requests)),
            asyncio.create_task(self._carry(link, Way.TO_CLIENT, answers, writer)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            reset(requests)

    async def _carry(self, link: Link, way: Way, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while piece := await source.read(CHUNK):
            if self.delay:
                # waits: the delay is what this proxy is for
                await asyncio.sleep(self.delay)
            if way not in link.swallows:
                target.write(piece)
                await target.drain()


def reset(writer: asyncio.StreamWriter) -> None:
    """Closes with a reset, as a network does that loses its state: what is buffered is gone."""
    connection = writer.get_extra_info("socket")
    if connection is not None and connection.fileno() >= 0:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    writer.transport.abort()
