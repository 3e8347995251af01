"""The read end of a pipe on the event loop.

Not `loop.connect_read_pipe`: uvloop's closes the file descriptor twice, and in between somebody else may have got the
number. Nor `subprocess.PIPE`: uvloop makes a pair of sockets of it, and a program can't open /dev/stdout then.
"""

import asyncio
import os
from collections.abc import Callable
from typing import Final

CHUNK: Final = 65_536
"""Bytes that are read in one turn of the loop: what a pipe holds on Linux, so that nothing else waits for long."""


class Pipe:
    """Reads a pipe until nobody has its other end any more; not on Windows, whose loop can't wait for one.

    Args:
        fed: Told of what was read.
        ended: Told that there will be no more.
    """

    def __init__(self, fed: Callable[[bytes], None], ended: Callable[[], None]) -> None:
        """Make the pipe and begin to read, inside a running loop."""
        self._fed = fed
        self._ended = ended
        self._loop = asyncio.get_running_loop()
        self._end, self.other_end = os.pipe()
        os.set_blocking(self._end, False)
        self._loop.add_reader(self._end, self._read)
        self._is_open = True

    def close(self) -> None:
        """Read no more."""
        if self._is_open:
            self._is_open = False
            self._loop.remove_reader(self._end)
            os.close(self._end)
            self._ended()

    def _read(self) -> None:
        try:
            data = os.read(self._end, CHUNK)
        except BlockingIOError:
            return
        if data:
            self._fed(data)
        else:
            self.close()
