"""A photo goes from Ada's terminal to Ben's over a connection that is cut; then every byte on the server is looked at.

Run it with run.sh, which builds what it needs.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sys
import tempfile
import time
from pathlib import Path

from harness.proxy import Proxy
from harness.server import Server

PASSWORD = "two left feet on a wet roof"
PATIENCE = 60
"""Seconds that a command keeps trying while the server cannot be reached."""
PIECE_DELAY = 0.02
"""Seconds that each 16 KiB waits on Ada's way to the server: a slow line."""
CUTS = 3
BEGAN = time.monotonic()


def tell(text: str) -> None:
    """Says what happens."""
    print(f"{time.monotonic() - BEGAN:5.1f} s  {text}", flush=True)


class Terminal:
    """Somebody with `parlor` and a network of their own."""

    def __init__(self, name: str, folder: Path, server: Server) -> None:
        self.name = name
        self.folder = folder / name
        self.proxy = Proxy(lambda: server.address)

    async def start(self, *arguments: str) -> asyncio.subprocess.Process:
        """Starts one command."""
        options = ["--json", "--wait", str(PATIENCE), "--profile", str(self.folder)]
        return await asyncio.create_subprocess_exec(
            os.environ["PARLOR_CLI_BIN"],
            *options,
            "--server",
            f"http://{self.proxy.address}",
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def parlor(self, *arguments: str, given: str = "") -> list[dict]:
        """Runs one command to its end; the objects it printed."""
        return await finished(await self.start(*arguments), arguments[0], given)


async def finished(process: asyncio.subprocess.Process, name: str, given: str = "") -> list[dict]:
    """What a command printed."""
    output, errors = await process.communicate(given.encode())
    assert process.returncode == 0, f"parlor {name} exited with {process.returncode}: {errors.decode()}"
    return [json.loads(line) for line in output.decode().splitlines()]


async def photo(*arguments: str) -> tuple[int, str]:
    """Makes the photo, or looks for what it tells."""
    process = await asyncio.create_subprocess_exec(
        os.environ["PARLOR_PHOTO_BIN"], *arguments, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode().strip()


class Story:
    """The server, the two, and the photo."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server = Server(folder / "data")
        self.ada = Terminal("ada", folder, self.server)
        self.ben = Terminal("ben", folder, self.server)
        self.picture = folder / "camera" / "IMG_0001.jpg"

    async def begin(self) -> None:
        """Both register; Ada takes a photo."""
        await self.server.start()
        for person in (self.ada, self.ben):
            await person.proxy.start()
            await person.parlor("register", person.name, "--password-stdin", given=PASSWORD)
        self.picture.parent.mkdir()
        code, said = await photo("make", str(self.picture))
        assert code == 0, said
        # A search that finds nothing here would find nothing anywhere.
        code, _ = await photo("search", str(self.picture.parent))
        assert code != 0, "the photo does not tell where it was taken"
        tell(f"Ada and Ben have registered; Ada's phone has taken a photo of 12 megapixels: {said}")

    async def send(self) -> None:
        """Ada sends it, and her line is cut again and again."""
        self.ada.proxy.delay = PIECE_DELAY
        sending = await self.ada.start("send", "--to", "@ben", "--file", str(self.picture), "Guess where!")
        answer = asyncio.create_task(finished(sending, "send"))
        for _ in range(CUTS):
            # waits: some of the photo has gone over the line by then
            await asyncio.sleep(1.5)
            assert not answer.done(), "the photo was there before the line was cut"
            self.ada.proxy.refusing = True
            await self.ada.proxy.cut()
            # waits: a while without a network
            await asyncio.sleep(0.5)
            self.ada.proxy.refusing = False
        tell(f"she sends it over a slow line, which is cut {CUTS} times on the way")
        self.ada.proxy.delay = 0.0
        await asyncio.wait_for(answer, PATIENCE)
        tell("the message has been sent all the same, by the same command")

    async def receive(self) -> None:
        """Ben sees the thumbnail, and then wants all of it."""
        entries = await self.ben.parlor("history", "--to", "@ada", "--all")
        shown = [entry for entry in entries if entry["kind"] == "image"]
        assert len(shown) == 1, f"Ben has {len(shown)} pictures: {entries}"
        media = shown[0]["media"]
        small = await self.download(media, "small")
        assert small.stat().st_size < 64 * 1024, "a thumbnail is small"
        tell(f"Ben sees it at once: a thumbnail of {small.stat().st_size} bytes")
        whole = await self.download(media, "original")
        digest = hashlib.sha256(whole.read_bytes()).hexdigest()
        assert digest == media["sha256"], "what Ben has is not what was announced"
        assert whole.stat().st_size == media["size"]
        code, said = await photo("search", str(whole.parent))
        assert code == 0, f"what Ben got tells where it was taken: {said}"
        tell(f"and fetches the whole picture: {whole.stat().st_size} bytes, as announced; where it was taken is in none of them")

    async def download(self, media: dict, form: str) -> Path:
        """One form of it, in Ben's folder of downloads."""
        folder = self.folder / "downloads"
        folder.mkdir(exist_ok=True)
        path = folder / f"{form}.jpg"
        await self.ben.parlor("download", media["id"], "--variant", form, "--output", str(path))
        return path

    async def search(self) -> str:
        """The server is stopped, and its folder is looked through."""
        assert await self.server.stop() == 0
        code, said = await photo("search", str(self.server.data))
        assert code == 0, said
        return said


async def play(folder: Path) -> int:
    """The whole story; 0 if it ends well."""
    story = Story(folder)
    try:
        for chapter in (story.begin, story.send, story.receive):
            await chapter()
        searched = await story.search()
    except (AssertionError, TimeoutError, KeyError) as failure:
        print(f"VERDICT: it went wrong: {failure or 'something did not happen in time'}")
        return 1
    finally:
        await story.server.kill()
    print(f"VERDICT: the photo arrived whole, and no coordinate is in any stored byte: {searched}.")
    return 0


with tempfile.TemporaryDirectory(prefix="parlor-photo-") as name:
    sys.exit(asyncio.run(play(Path(name))))
