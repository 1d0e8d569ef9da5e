"""The people, the server and the network of the scenario, and the checks that hold after every step."""

from __future__ import annotations

import contextlib
import hashlib
import uuid
from collections.abc import AsyncIterator, Callable
from itertools import zip_longest
from pathlib import Path

import grpc
from parlor.auth.v1 import auth_service_pb2
from parlor.chat.v1 import chat_service_pb2, log_pb2, stream_pb2

from harness.proxy import Proxy
from harness.server import Server
from parlor_client.api import Api, bearer
from parlor_client.client import Client
from parlor_client.rules import PROTOCOL

PASSWORD = "two left feet on a wet roof"


class Person:
    """Somebody with a client, and a network of their own."""

    def __init__(self, name: str, folder: Path, server: Callable[[], str]) -> None:
        self.proxy = Proxy(server)
        self.folder = folder / name
        self.client = Client(name, self.folder, self.address)
        # Every op sent, by conversation, in the order of sending.
        self.sent: dict[str, list[str]] = {}

    def address(self) -> str:
        """Where this person reaches the server."""
        return self.proxy.address

    def say(self, conversation_id: str, *bodies: str) -> list[str]:
        """Puts texts into the outbox; their ops."""
        ops = [self.client.send(conversation_id, body) for body in bodies]
        self.sent.setdefault(conversation_id, []).extend(ops)
        return ops

    async def holds(self, conversation_id: str, ops: list[str]) -> None:
        """Waits until every op is in this person's log, and nothing is left to send."""
        wanted = set(ops)
        store = self.client.store

        def settled() -> bool:
            return not any(store.outbox()) and wanted <= {entry.op for entry in store.log(conversation_id)}

        await self.client.until(f"{len(ops)} messages in the log, outbox empty", settled)

    async def reaches(self, conversation_id: str, seq: int) -> None:
        """Waits until this person holds the log up to `seq`."""
        store = self.client.store
        await self.client.until(f"the log up to {seq}", lambda: store.held(conversation_id).have >= seq)

    def seq_of(self, conversation_id: str, op: str) -> int:
        """The seq of an entry this person holds."""
        return next(entry.seq for entry in self.client.store.log(conversation_id) if entry.op == op)

    async def lose_network(self) -> None:
        """Cuts every connection and lets none come back."""
        self.proxy.refusing = True
        await self.proxy.cut()

    def regain_network(self) -> None:
        """Connections work again."""
        self.proxy.refusing = False


class World:
    """Everything there is."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server = Server(folder / "data")
        self.ada, self.bob, self.eve = (Person(name, folder, self.address) for name in ("ada", "bob", "eve"))
        self.direct = self.group = ""

    def address(self) -> str:
        """Where the server is now."""
        return self.server.address

    async def begin(self) -> None:
        """Starts the server and the networks."""
        await self.server.start()
        self.api = Api(self.server.address)
        for person in (self.ada, self.bob, self.eve):
            await person.proxy.start()

    async def end(self) -> None:
        """Stops everything."""
        for person in (self.ada, self.bob, self.eve):
            await person.client.close()
            await person.proxy.stop()
        await self.api.close()
        await self.server.kill()

    async def moved(self) -> None:
        """The server has another address now."""
        await self.api.close()
        self.api = Api(self.server.address)

    async def start_again(self) -> None:
        """A new process on the same data, at another address."""
        await self.server.start()
        await self.moved()

    @contextlib.asynccontextmanager
    async def second_device(self, person: Person) -> AsyncIterator[Client]:
        """Another device of somebody, online, until it logs out."""
        device = Client(person.client.name, self.folder / f"second of {person.client.name}", person.address)
        await device.login(self.api, PASSWORD)
        device.start()
        await device.online()
        try:
            yield device
        finally:
            await self.api.call(self.api.auth.Logout, auth_service_pb2.LogoutRequest(), device.token)
            # A stream that is lost counts as there for a while: this one has to be ended.
            await device.until("Goodbye", lambda: device.ended is not None)
            await device.close()

    async def row(self, client: Client, conversation_id: str) -> log_pb2.Conversation:
        """The row of the chat list, by a unary call."""
        request = chat_service_pb2.GetConversationRequest(conversation_id=conversation_id)
        return (await self.api.call(self.api.chat.GetConversation, request, client.token)).conversation

    async def server_log(self, reader: Person, conversation_id: str) -> list[log_pb2.Entry]:
        """The whole log, by unary calls."""
        entries: list[log_pb2.Entry] = []
        from_seq = 1
        while from_seq:
            request = chat_service_pb2.FetchRequest(conversation_id=conversation_id, from_seq=from_seq)
            page = (await self.api.call(self.api.chat.Fetch, request, reader.client.token)).page
            entries += page.entries
            from_seq = page.next_seq
        return entries

    async def verify(self, conversation_id: str) -> None:
        """G2 to G5: both hold the server's log, without a hole, each op once and in its sender's order."""
        truth = await self.server_log(self.ada, conversation_id)
        seqs = [entry.seq for entry in truth]
        assert seqs == list(range(1, len(truth) + 1)), f"G3: the log has a hole: {seqs}"
        ops = [entry.op for entry in truth]
        twice = {op for op in ops if ops.count(op) > 1}
        assert not twice, f"G2: stored more than once: {twice}"
        for person in (self.ada, self.bob):
            name = person.client.name
            await person.client.online()
            await person.reaches(conversation_id, len(truth))
            mine = person.client.store.log(conversation_id)
            for held, stored in zip_longest(mine, truth):
                assert held == stored, f"G5: {name} holds\n{held}where the server has\n{stored}"
            sent = person.sent.get(conversation_id, [])
            stored = [op for op in ops if op in set(sent)]
            assert stored == sent, f"G4: what {name} sent is stored in another order:\n{sent}\n{stored}"
        numbers = [entry.message_number for entry in truth]
        texts = [entry.content.HasField("text") for entry in truth]
        assert numbers == [sum(texts[: index + 1]) for index in range(len(texts))], "message_number counts texts"

    async def stream_append(self, token: str, append: log_pb2.Append) -> stream_pb2.AppendResult:
        """Sends one append on a stream opened for it, and returns the answer."""
        call = self.api.chat.Connect(metadata=bearer(token), timeout=10.0)
        hello = stream_pb2.Hello(protocol=PROTOCOL, client="parlor-interop-python")
        for frame in (stream_pb2.ClientFrame(hello=hello), stream_pb2.ClientFrame(append=append)):
            await call.write(chat_service_pb2.ConnectRequest(frames=[frame]))
        try:
            while (message := await call.read()) is not grpc.aio.EOF:
                for frame in message.frames:
                    if frame.append_result.op == append.op:
                        return frame.append_result
        finally:
            call.cancel()
        raise AssertionError("the stream ended without an answer")


def derived_id(name: str, *ids: str) -> str:
    """The id of a conversation, as CreateConversationRequest describes it."""
    digest = hashlib.sha256(name.encode() + b"".join(uuid.UUID(each).bytes for each in ids)).digest()[:16]
    number = int.from_bytes(digest, "big")
    number = number & ~(0xF << 76) | 8 << 76
    number = number & ~(0x3 << 62) | 2 << 62
    return str(uuid.UUID(int=number))


def direct_id(one: str, other: str) -> str:
    """The id of the direct conversation of two people."""
    return derived_id("parlor.direct.v1", *sorted((one, other)))


def group_id(creator: str, op: str) -> str:
    """The id of a group."""
    return derived_id("parlor.group.v1", creator, op)
