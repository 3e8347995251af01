"""A real server in a process of its own, over a folder of plugs of its own."""

import asyncio
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import psutil

from support import executable
from support.executable import LIMIT_S, environment


class Server:
    """A plugsock that runs: what it printed, and where it listens."""

    def __init__(self, process: asyncio.subprocess.Process, folder: Path | None) -> None:
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
    def pid(self) -> int:
        """The process that serves, which may be a child of the one that was started."""
        return executable.server_of(self.process.pid).pid

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def save(self, name: str, source: str) -> None:
        """Save a plug file as an editor does: write beside it, then rename."""
        assert self.folder is not None
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

    async def answers(self) -> None:
        """Wait until it listens and has loaded its plugs."""
        self.url = (await self.says(r"listens on (\S+)"))[1]
        await self.says(r"^\d+ events?:")

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


@asynccontextmanager
async def launched(
    command: list[str], folder: Path | None, *, env: dict[str, str], cwd: Path | None
) -> AsyncIterator[Server]:
    """Start a server by a command and go on at once; it is ended at the end of the block, whatever happened."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=cwd,
        env=env,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    server = Server(process, folder)
    try:
        yield server
    finally:
        if process.returncode is None:
            with suppress(psutil.NoSuchProcess):  # it has just ended by itself
                executable.server_of(process.pid).kill()
        await server.end()
        process._transport.close()


@asynccontextmanager
async def starting(folder: Path, *flags: str, **files: str) -> AsyncIterator[Server]:
    """Start a server on a free port over these plugs and go on at once; it is ended at the end of the block."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, source in files.items():
        (folder / f"{name}.py").write_text(source, encoding="utf-8")
    command = [*executable.command(), "--plugs", str(folder), "--port", "0", *flags]
    async with launched(command, folder, env=environment(), cwd=folder.parent) as server:
        yield server


@asynccontextmanager
async def running(folder: Path, *flags: str, **files: str) -> AsyncIterator[Server]:
    """Start a server and wait until it answers."""
    async with starting(folder, *flags, **files) as server:
        await server.answers()
        yield server
