"""The processes of a built executable, and their end."""

import time

import psutil
import pytest

from support import executable

GONE_S = 2.0
"""So long all that belongs to a server may be there when a part of it was killed."""


class Family:
    """All processes of a server that was started from one file.

    Attributes:
        launcher: The one that has unpacked the file.
        server: Its only child.
        nursery: The server's only child.
        workers: The nursery's children.
    """

    def __init__(self, server):
        self.launcher = psutil.Process(server.process.pid)
        self.server = psutil.Process(server.pid)
        [self.nursery] = self.server.children()
        self.workers = self.nursery.children()

    def all(self):
        return [self.launcher, self.server, self.nursery, *self.workers]

    def is_gone(self):
        """Wait until all have ended, for `GONE_S`."""
        return are_gone(self.all())


def are_gone(processes):
    """Wait until these have ended, for `GONE_S`; those whose parents haven't looked yet have ended too."""
    return _wait_until(lambda: not any(map(_lives, processes)), GONE_S)


def _lives(process):
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def is_emptied(folder):
    """Wait until nothing is unpacked in a folder any more, for `GONE_S`."""
    return _wait_until(lambda: not executable.unpacked(folder), GONE_S)


def is_swept(folder):
    """Wait until a server that runs has taken a folder away."""
    return _wait_until(lambda: not folder.exists(), executable.LIMIT_S)


def _wait_until(is_so, within_s):
    """Look until something is so; whoever ends here may be nobody's child any more, so nothing tells."""
    by = time.monotonic() + within_s
    while not is_so():
        if time.monotonic() > by:
            return False
        time.sleep(0.02)
    return True


def needs_one_file(exe):
    if (exe.parent / "_internal").is_dir():
        pytest.skip("only what is one file has a launcher and a folder that it is unpacked into")
