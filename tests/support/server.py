"""A real server in a process of its own, over a folder of plugs of its own."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

LIMIT_S = 30.0
"""Generous, for a machine that does other things too: it only bounds a test that has failed already."""


class Server:
    """A plugsock that runs: what it printed, and where it listens."""

    def __init__(self, process: asyncio.subprocess.Process, folder: Path) -> None:
        self.process = process
        self.folder = folder
        self.url = ""
        self.out: list[str] = []
        self.err: list[str] = []
        self._grown = asyncio.Condition()
        self._readers = [
            asyncio.get_running_loop().create_task(self._read(stream, lines))
            for stream, lines in ((process.stdout, self.out), (process.stderr, self.err))
            if stream is not None
        ]

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def save(self, name: str, source: str) -> None:
        """Save a plug file as an editor does: write beside it, then rename."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f".{path.name}.new")
        new.write_text(source, encoding="utf-8")
        new.replace(path)

    async def says(self, pattern: str, *, since: int = 0) -> re.Match[str]:
        """Wait for a line of stdout or stderr that matches; `since` skips that many lines of each."""
        async with asyncio.timeout(LIMIT_S), self._grown:
            while True:
                for lines in (self.out, self.err):
                    for line in lines[since:]:
                        if match := re.search(pattern, line):
                            return match
                if all(reader.done() for reader in self._readers):
                    raise AssertionError(f"never said {pattern!r}: {self.out} {self.err}")
                await self._grown.wait()

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    async def end(self) -> int:
        """Wait until it has ended; its exit status."""
        async with asyncio.timeout(LIMIT_S):
            status = await self.process.wait()
            await asyncio.gather(*self._readers)
        return status

    async def _read(self, stream: asyncio.StreamReader, lines: list[str]) -> None:
        while line := await stream.readline():
            async with self._grown:
                lines.append(line.decode(errors="replace").rstrip("\n"))
                self._grown.notify_all()
        await asyncio.sleep(0)
        async with self._grown:
            self._grown.notify_all()


def environment() -> dict[str, str]:
    """Ours, without what would set something about the server."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PLUGSOCK_")}


@asynccontextmanager
async def starting(folder: Path, *flags: str, **files: str) -> AsyncIterator[Server]:
    """Start a server on a free port and go on at once; it is ended at the end of the block, whatever happened."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, source in files.items():
        (folder / f"{name}.py").write_text(source, encoding="utf-8")
    command = [sys.executable, "-m", "plugsock", "--plugs", str(folder), "--port", "0", *flags]
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder.parent,
        env=environment(),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    server = Server(process, folder)
    try:
        yield server
    finally:
        if process.returncode is None:
            process.kill()
        await server.end()
        process._transport.close()


@asynccontextmanager
async def running(folder: Path, *flags: str, **files: str) -> AsyncIterator[Server]:
    """Start a server and wait until it answers."""
    async with starting(folder, *flags, **files) as server:
        server.url = (await server.says(r"listens on (\S+)"))[1]
        await server.says(r"^\d+ events?:")
        yield server
