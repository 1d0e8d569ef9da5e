"""Four people talk, one loses the network, the server is killed; afterwards all four hold the same.

Run it with run.sh, which builds and installs what it needs.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from itertools import zip_longest
from pathlib import Path

from harness.server import Server
from people import AtTerminal, InBrowser, Line, Person, WithPython

BEGAN = time.monotonic()


def tell(text: str) -> None:
    """Says what happens."""
    print(f"{time.monotonic() - BEGAN:5.1f} s  {text}", flush=True)


class Story:
    """The server, the four, and how many entries each conversation must hold."""

    def __init__(self, folder: Path) -> None:
        self.server = Server(folder / "data")
        self.ada = AtTerminal("ada", folder, self.address)
        self.ben = AtTerminal("ben", folder, self.address)
        self.cleo = WithPython("cleo", folder, self.address)
        self.dora = InBrowser("dora", folder, self.address)
        self.counts: dict[str, int] = {}

    def address(self) -> str:
        """Where the server is now."""
        return self.server.address

    @property
    def four(self) -> list[Person]:
        """All of them."""
        return [self.ada, self.ben, self.cleo, self.dora]

    async def begin(self) -> None:
        """Starts the server; the four register and begin their conversations."""
        await self.server.start()
        tell(f"parlor-server listens on {self.server.address}")
        for person in self.four:
            await person.proxy.start()
            await person.register()
        tell("Ada and Ben sit at terminals, Cleo has a Python client, Dora uses gRPC-Web; all have registered")
        self.group = await self.cleo.make_group("Tea", "ada", "ben", "dora")
        self.direct = await self.dora.begin_direct(self.cleo.user_id)
        self.counts = {self.group: 1, self.direct: 1}
        # At a terminal it begins with the first message.
        self.whispers = await self.ada.begin_direct(self.ben, "Psst, Ben!")
        self.counts[self.whispers] = 2
        tell("Cleo makes the group Tea for all four; Dora talks to Cleo alone, and Ada to Ben")

    async def say(self, person: Person, conversation: str, *texts: str) -> None:
        """Somebody says something."""
        self.counts[conversation] += len(texts)
        await person.say(conversation, *texts)

    async def all_settle(self) -> None:
        """Waits until everybody holds everything."""
        for conversation, members in self.members().items():
            for person in members:
                await person.settle(conversation, self.counts[conversation])

    def members(self) -> dict[str, list[Person]]:
        """Who is in which conversation."""
        return {self.group: self.four, self.direct: [self.cleo, self.dora], self.whispers: [self.ada, self.ben]}

    async def talk(self) -> None:
        """Everybody says something, everywhere."""
        for person in self.four:
            await self.say(person, self.group, f"{person.name.title()} here, hello!")
        await self.say(self.cleo, self.direct, "Is it you, Dora?")
        await self.say(self.dora, self.direct, "It is me. 茶?")
        await self.say(self.ben, self.whispers, "Not so loud, Ada.")
        await self.all_settle()
        tell("they talk, in the group and each to one other")

    async def lose_network(self) -> None:
        """Cleo is cut off; both sides go on talking."""
        await self.cleo.lose_network()
        tell("Cleo loses the network")
        await self.say(self.cleo, self.group, *(f"Can you hear me? {number}" for number in range(1, 6)))
        await self.say(self.cleo, self.direct, "Dora, are you there?")
        for person in (self.ada, self.ben, self.dora):
            await self.say(person, self.group, f"{person.name.title()} says: where is Cleo?")
        await self.say(self.dora, self.direct, "Cleo?")
        tell("she writes 6 messages that wait in her outbox, while the others wonder where she is")
        self.cleo.regain_network()
        await self.all_settle()
        tell("the network is back: her messages have arrived, and she has what she missed")

    async def kill_server(self) -> None:
        """The server is killed while all four send."""
        sending = []
        for person in self.four:
            texts = [f"{person.name.title()} counts: {number}" for number in range(1, 16)]
            sending.append(asyncio.create_task(self.say(person, self.group, *texts)))
        sending.append(asyncio.create_task(self.say(self.ben, self.whispers, "Why is everybody counting?")))
        await self.cleo.sees(self.group, self.counts[self.group] + 10)
        await self.server.kill()
        tell("SIGKILL hits the server while all four are sending")
        await self.server.start()
        tell(f"it is started again, and listens on {self.server.address}")
        await asyncio.gather(*sending)
        await self.all_settle()
        tell("everybody has reconnected by themselves, and all messages have arrived")

    async def compare(self) -> None:
        """Lays the histories side by side."""
        for conversation, members in self.members().items():
            histories = [await person.history(conversation) for person in members]
            names = [person.name.title() for person in members]
            for name, history in zip(names, histories, strict=True):
                check(name, history, histories[0])
            count = self.counts[conversation]
            assert len(histories[0]) == count, f"{len(histories[0])} entries are stored, {count} were sent"
            tell(f"{', '.join(names)} hold the same {count} entries in the same order, each once")

    async def end(self) -> None:
        """Everybody goes home."""
        for person in self.four:
            await person.leave()
            await person.proxy.stop()
        await self.server.kill()


def check(name: str, history: list[Line], first: list[Line]) -> None:
    """A history has no hole and nothing twice, and is the same as the first."""
    seqs = [line.seq for line in history]
    assert seqs == list(range(1, len(history) + 1)), f"{name} has a hole: {seqs}"
    assert len({line.op for line in history}) == len(history), f"{name} has a message twice"
    for mine, theirs in zip_longest(history, first):
        assert mine == theirs, f"{name} holds {mine} where another holds {theirs}"


async def play(folder: Path) -> int:
    """The whole story; 0 if it ends well."""
    story = Story(folder)
    try:
        for chapter in (story.begin, story.talk, story.lose_network, story.kill_server, story.compare):
            await chapter()
    except (AssertionError, TimeoutError) as failure:
        print(f"VERDICT: it went wrong: {failure or 'something did not happen in time'}")
        return 1
    finally:
        await story.end()
    total = sum(story.counts.values())
    print(f"VERDICT: all four hold the same {total} entries in the same order, each once.")
    return 0


with tempfile.TemporaryDirectory(prefix="parlor-story-") as name:
    sys.exit(asyncio.run(play(Path(name))))
