"""Payloads that travel beside a connection: each a file that one process writes and the other one reads, once.

What is long then holds up nothing that is said on the connection after it: writing a file copies it to memory, which
takes 0.2 ms a MiB, where a socket takes a few hundred KiB whenever the other end has read what came before.
"""

import contextlib
import itertools
import os
import stat
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from plugsock.ops.log import get_logger

log = get_logger()

_BINARY: Final[int] = getattr(os, "O_BINARY", 0)  # Windows: no line ends are changed
_NO_LINK: Final[int] = getattr(os, "O_NOFOLLOW", 0)
_NO_WAIT: Final[int] = getattr(os, "O_NONBLOCK", 0)  # a pipe is opened at once, too, and is refused

_WRITE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY | _NO_LINK
_READ: Final = os.O_RDONLY | _BINARY | _NO_LINK | _NO_WAIT


class Parcels:
    """The parcels that one process sends to another one: 1, 2, 3 ...

    Args:
        directory: Where they lie; nobody but this user can open it.
        prefix: Begins the name of each.
        counts: Keep account of what is `waiting`.
    """

    def __init__(self, directory: Path, prefix: str, *, counts: bool = False) -> None:
        self._counts = counts
        self._directory = directory
        self._prefix = prefix
        self._path = str(directory / prefix)
        self._number = 0
        self._untaken: deque[tuple[int, int]] = deque()
        self._waiting = 0
        self._has_failed = False

    def put(self, payload: bytes) -> int:
        """Write a parcel; its number, or 0 if there is no room for it, which the log says once."""
        self._number = number = self._number + 1
        try:
            self._write(number, payload)
        except OSError as error:
            if not self._has_failed:
                self._has_failed = True
                log.warning("long payloads have no room beside the connection", path=self._path, error=str(error))
            return 0
        if self._counts:
            self._untaken.append((number, len(payload)))
            self._waiting += len(payload)
        return number

    def take(self, number: int, size: int) -> bytes:
        """Read a parcel of the other process, and take it away.

        Raises:
            OSError: It is not there, or can't be read.
            ValueError: It is no file, or not of this size.
        """
        file = os.open(self._name(number), _READ)
        try:
            found = os.fstat(file)
            if not stat.S_ISREG(found.st_mode):
                raise ValueError(f"parcel {number} is no file")
            if found.st_size != size:
                raise ValueError(f"parcel {number} has {found.st_size} bytes, not {size}")
            payload = os.read(file, size)
        finally:
            os.close(file)
        if len(payload) != size:
            raise ValueError(f"parcel {number} has become shorter than {size} bytes")
        self._remove(number)
        return payload

    def waiting(self) -> int:
        """Bytes that were put and that the other process has not taken; it takes them in order.

        One that has been taken may lie there still, see `_remove`: it has if the next one has.
        """
        while self._untaken and any(not os.path.lexists(self._name(number)) for number, _ in self._first_two()):
            self._waiting -= self._untaken.popleft()[1]
        return self._waiting

    def clear(self) -> None:
        """Take away all of them, when one of the two processes has gone."""
        for path in self._directory.glob(f"{self._prefix}.*"):
            with contextlib.suppress(OSError):  # the whole directory goes when the server ends
                path.unlink()

    def _first_two(self) -> Iterator[tuple[int, int]]:
        return itertools.islice(self._untaken, 2)

    def _write(self, number: int, payload: bytes) -> None:
        file = os.open(self._name(number), _WRITE, 0o600)
        try:
            with memoryview(payload) as rest:
                written = 0
                while written < len(rest):
                    written += os.write(file, rest[written:])
        except OSError:
            os.close(file)  # first: what is open can't be removed on Windows
            self._remove(number)
            raise
        os.close(file)

    def _name(self, number: int) -> str:
        return f"{self._path}.{number}"

    def _remove(self, number: int) -> None:
        with contextlib.suppress(OSError):  # Windows keeps what somebody looks at, a virus scanner; `clear` tries again
            Path(self._name(number)).unlink()


def of_worker(directory: Path, number: int) -> tuple[Parcels, Parcels]:
    """The parcels that a worker is sent, and those that it sends."""
    return Parcels(directory, f"{number}.down", counts=True), Parcels(directory, f"{number}.up")
