"""The four: Ada and Ben at terminals, Cleo with the Python client, Dora with gRPC-Web in Node.

Each is behind a network of their own, and each can do the same three things: say something, wait until they hold what
was said, and show their history.
"""

from __future__ import annotations

import asyncio
import json
import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from parlor.auth.v1 import profile_service_pb2
from parlor.chat.v1 import chat_service_pb2, content_pb2

from harness.proxy import Proxy
from parlor_client.api import Api, new_op
from parlor_client.client import Client

PASSWORD = "two left feet on a wet roof"
PATIENCE = 30
"""Seconds that a command keeps trying while the server is away."""
NODE_CLIENT = Path(__file__).parents[2] / "tests/interop/node/src/terminal.ts"


@dataclass(frozen=True)
class Line:
    """One entry of a history, as all four can tell it."""

    seq: int
    op: str
    sender_id: str
    kind: str
    text: str


class Person(ABC):
    """Somebody with a client, and a network of their own."""

    def __init__(self, name: str, folder: Path, server: Callable[[], str]) -> None:
        self.name = name
        self.folder = folder / name
        self.proxy = Proxy(server)
        self.user_id = ""

    @abstractmethod
    async def register(self) -> None:
        """Makes the account and goes online."""

    @abstractmethod
    async def say(self, conversation: str, *texts: str) -> None:
        """Says something. Returns when it is stored, or put into the outbox."""

    @abstractmethod
    async def settle(self, conversation: str, count: int) -> None:
        """Waits until `count` entries are there, and nothing is left to send."""

    @abstractmethod
    async def history(self, conversation: str) -> list[Line]:
        """All entries this person holds."""

    @abstractmethod
    async def leave(self) -> None:
        """Closes the client."""

    async def lose_network(self) -> None:
        """Cuts every connection and lets none come back."""
        self.proxy.refusing = True
        await self.proxy.cut()

    def regain_network(self) -> None:
        """Connections work again."""
        self.proxy.refusing = False


class AtTerminal(Person):
    """Uses `parlor`: one command that follows, others that send."""

    def __init__(self, name: str, folder: Path, server: Callable[[], str]) -> None:
        super().__init__(name, folder, server)
        self.seen: list[dict] = []
        # What to call a direct conversation at a terminal: the other's name.
        self.called: dict[str, str] = {}

    async def register(self) -> None:
        await self.parlor("register", self.name, "--password-stdin", given=PASSWORD)
        self.user_id = json.loads(await self.parlor("whoami"))["user_id"]
        self.tail = await asyncio.create_subprocess_exec(
            *self._command("tail", "--history", "100"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        self.following = asyncio.create_task(self._follow())

    async def say(self, conversation: str, *texts: str) -> None:
        to = self.called.get(conversation, conversation)
        await self.parlor("send", "--to", to, "-", given="\n".join(texts))

    async def begin_direct(self, other: AtTerminal, text: str) -> str:
        """Begins a direct conversation with its first message; its id."""
        sent = json.loads(await self.parlor("send", "--to", f"@{other.name}", text))
        conversation = sent["conversation_id"]
        self.called[conversation], other.called[conversation] = f"@{other.name}", f"@{self.name}"
        return conversation

    async def settle(self, conversation: str, count: int) -> None:
        async with asyncio.timeout(PATIENCE):
            while len(self._printed(conversation)) < count:
                # waits: for another process to print a line
                await asyncio.sleep(0.05)

    async def history(self, conversation: str) -> list[Line]:
        """What `parlor history` shows; what `tail` printed while it happened must be the same."""
        to = self.called.get(conversation, conversation)
        shown = (await self.parlor("history", "--to", to, "--all")).splitlines()
        lines = [line(json.loads(each)) for each in shown]
        live = self._printed(conversation)
        assert live == lines, f"{self.name}'s tail printed {len(live)} entries, the history has {len(lines)}"
        return lines

    async def leave(self) -> None:
        if self.tail.returncode is None:
            self.tail.terminate()
        await self.tail.wait()
        await self.following

    async def parlor(self, *arguments: str, given: str = "") -> str:
        """Runs one command."""
        process = await asyncio.create_subprocess_exec(
            *self._command(*arguments),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = await process.communicate(given.encode())
        assert process.returncode == 0, f"parlor {arguments[0]} exited with {process.returncode}: {errors.decode()}"
        return output.decode()

    def _command(self, *arguments: str) -> list[str]:
        options = ["--json", "--wait", str(PATIENCE), "--profile", str(self.folder)]
        return [os.environ["PARLOR_CLI_BIN"], *options, "--server", f"http://{self.proxy.address}", *arguments]

    async def _follow(self) -> None:
        assert self.tail.stdout is not None
        async for printed in self.tail.stdout:
            self.seen.append(json.loads(printed))

    def _printed(self, conversation: str) -> list[Line]:
        return [line(each) for each in self.seen if each["conversation_id"] == conversation]


class WithPython(Person):
    """Uses stubs made by grpcio from proto/."""

    async def register(self) -> None:
        self.client = Client(self.name, self.folder, lambda: self.proxy.address)
        api = Api(self.proxy.address)
        await self.client.register(api, PASSWORD)
        await api.close()
        self.user_id = self.client.user_id
        self.client.start()
        await self.client.online()

    async def say(self, conversation: str, *texts: str) -> None:
        for text in texts:
            self.client.send(conversation, text)

    async def settle(self, conversation: str, count: int) -> None:
        store = self.client.store
        await self.client.until(
            f"{count} entries, outbox empty",
            lambda: store.held(conversation).have >= count and not any(store.outbox()),
        )

    async def history(self, conversation: str) -> list[Line]:
        return [
            Line(entry.seq, entry.op, entry.sender_id, entry.content.WhichOneof("kind") or "", entry.content.text.body)
            for entry in self.client.store.log(conversation)
        ]

    async def leave(self) -> None:
        await self.client.close()

    async def sees(self, conversation: str, seq: int) -> None:
        """Waits until the log has grown to `seq`."""
        await self.client.until(f"the log up to {seq}", lambda: self.client.store.held(conversation).have >= seq)

    async def make_group(self, name: str, *usernames: str) -> str:
        """Makes a group with others, found by name; its id."""
        api, token = Api(self.proxy.address), self.client.token
        members = []
        for username in usernames:
            whom = profile_service_pb2.GetProfileRequest(username=username)
            members.append((await api.call(api.profiles.GetProfile, whom, token)).profile.user_id)
        request = chat_service_pb2.CreateConversationRequest(
            op=new_op(), kind=content_pb2.CONVERSATION_KIND_GROUP, name=name, member_ids=members
        )
        made = await api.call(api.chat.CreateConversation, request, token)
        await api.close()
        return made.conversation.id


class InBrowser(Person):
    """Uses gRPC-Web, Subscribe and Push, in a process of its own."""

    async def register(self) -> None:
        self.process = await asyncio.create_subprocess_exec(
            os.environ["PARLOR_TSX"],
            str(NODE_CLIENT),
            self.name,
            str(self.folder),
            f"http://{self.proxy.address}",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        self.user_id = (await self._ask(do="register", password=PASSWORD))["user_id"]

    async def say(self, conversation: str, *texts: str) -> None:
        for text in texts:
            await self._ask(do="send", to=conversation, text=text)

    async def settle(self, conversation: str, count: int) -> None:
        await self._ask(do="settle", to=conversation, count=str(count))

    async def history(self, conversation: str) -> list[Line]:
        return [line(entry) for entry in (await self._ask(do="log", to=conversation))["entries"]]

    async def leave(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        await self.process.wait()

    async def begin_direct(self, user_id: str) -> str:
        """Begins a direct conversation; its id."""
        return (await self._ask(do="direct", **{"with": user_id}))["conversation_id"]

    async def _ask(self, **command: str) -> dict:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(command).encode() + b"\n")
        answer = await self.process.stdout.readline()
        assert answer, f"{self.name}'s client ended while asked to {command['do']}"
        return json.loads(answer)


def line(entry: dict) -> Line:
    """An entry as the terminal client and the Node client print it."""
    return Line(entry["seq"], entry["op"], entry["sender_id"], entry["kind"], entry.get("text", ""))
