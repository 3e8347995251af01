"""A server in a terminal: its keyboard reaches every process of the foreground, as Ctrl-C does."""

import asyncio
import fcntl
import os
import pty
import re
import termios
from pathlib import Path

from support import executable
from support.server import LIMIT_S, environment


class Terminal:
    """A terminal with a server in its foreground.

    Attributes:
        process: The server.
        shown: All that has been printed, by whichever process.
    """

    def __init__(self, process: asyncio.subprocess.Process, keyboard: int) -> None:
        self.process = process
        self.shown = ""
        self._keyboard = keyboard
        self._grown = asyncio.Condition()
        self._reader = asyncio.get_running_loop().create_task(self._read())

    @classmethod
    async def start(cls, folder: Path, *flags: str) -> "Terminal":
        """Open a terminal and start a server on a free port in it."""
        keyboard, screen = pty.openpty()
        process = await asyncio.create_subprocess_exec(
            *(*executable.command(), "--plugs", str(folder), "--port", "0", *flags),
            cwd=folder.parent,
            env=environment() | {"TERM": "dumb"},
            stdin=screen,
            stdout=screen,
            stderr=screen,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # it is the terminal of this session from now on
        )
        os.close(screen)
        return cls(process, keyboard)

    def type(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self._keyboard, keys)

    def match(self, pattern: str) -> str:
        """What is shown and looks like this."""
        found = re.search(pattern, self.shown)
        assert found, self.shown
        return found[0]

    async def shows(self, text: str) -> None:
        """Wait until something is shown."""
        async with asyncio.timeout(LIMIT_S), self._grown:
            await self._grown.wait_for(lambda: text in self.shown or self._reader.done())
        assert text in self.shown, self.shown

    async def ended(self) -> None:
        """Wait until every process has let go of the terminal."""
        await asyncio.wait_for(self._reader, LIMIT_S)

    async def close(self) -> None:
        """End what is left."""
        if self.process.returncode is None:
            self.process.kill()
            await self.process.wait()
        await self.ended()
        os.close(self._keyboard)

    async def _read(self) -> None:
        while data := await asyncio.to_thread(self._read_some):
            async with self._grown:
                self.shown += data.decode(errors="replace")
                self._grown.notify_all()
        async with self._grown:
            self._grown.notify_all()

    def _read_some(self) -> bytes:
        try:
            return os.read(self._keyboard, 65_536)
        except OSError:  # on Linux: nobody has it open any more
            return b""
