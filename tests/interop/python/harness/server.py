"""parlor-server as a process of its own: started on a free port, killed, started again."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

START_TIMEOUT = 30.0
"""Seconds to the line that names the address."""
LISTENING = "listening on "
LAST_LINES = 20


class Server:
    """One data folder and the process that serves it. The address changes with each start."""

    def __init__(self, data: Path) -> None:
        self.program = os.environ["PARLOR_SERVER_BIN"]
        self.data = data
        self.log = data.with_suffix(".log")
        self.mails = data.with_suffix(".mails")
        self.address = ""
        self.process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Starts the process and waits for its address."""
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                self.program,
                "--listen",
                "127.0.0.1:0",
                "--data",
                str(self.data),
                *(f"--set={setting}" for setting in self._settings()),
                env=environment(),
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        assert self.process.stdout is not None
        try:
            line = (await asyncio.wait_for(self.process.stdout.readline(), START_TIMEOUT)).decode()
        except TimeoutError:
            raise AssertionError(f"no address in {START_TIMEOUT:.0f} s; the log ends:\n{self.last_words()}") from None
        assert LISTENING in line, f"the first line is {line!r}; the log ends:\n{self.last_words()}"
        self.address = line.split(LISTENING, 1)[1].strip().removeprefix("http://")
        self._drain = asyncio.create_task(self.process.stdout.read())

    async def kill(self) -> None:
        """SIGKILL: the process gets no chance to say or save anything."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """SIGTERM, and how the process ended."""
        return await self._end(signal.SIGTERM)

    async def _end(self, how: signal.Signals) -> int:
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(how)
        return await self.process.wait()

    async def backup(self, target: Path) -> None:
        """Copies the store into `target` while the server runs."""
        await self._command("backup", str(target), "--data", str(self.data))

    async def restore(self, source: Path) -> None:
        """Makes this data folder from a backup."""
        await self._command("restore", str(source), "--data", str(self.data))

    def _settings(self) -> list[str]:
        """Mail goes into a folder; nobody waits for those who were there before a start to come back."""
        mail = {"transport": "folder", "from": "parlor@example.org", "folder": str(self.mails)}
        return ["presence.settle=0s", *(f"auth.mail.{key}={value}" for key, value in mail.items())]

    def last_words(self) -> str:
        """The end of what the processes logged."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-LAST_LINES:])

    async def _command(self, *arguments: str) -> None:
        process = await asyncio.create_subprocess_exec(
            self.program,
            *arguments,
            env=environment(),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        assert process.returncode == 0, f"{arguments[0]} exited with {process.returncode}: {output.decode()}"


def environment() -> dict[str, str]:
    """What the server finds around it: nothing that would configure it."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PARLOR_")}
