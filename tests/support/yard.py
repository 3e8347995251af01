"""Worker processes that a test starts, what they say and how they end."""

import asyncio
import os
import select
from contextlib import asynccontextmanager
from pathlib import Path

from plugsock.pool.nursery import Nursery
from plugsock.pool.output import Output
from plugsock.pool.pipe import Pipe
from plugsock.pool.spawn import Spawner
from support.stand_in import COMMAND

KINDS = {"nursery": Nursery, "spawner": Spawner}

LIMIT_S = 30.0
"""Only bounds a test that has failed already."""


class Yard:
    """A starter with what belongs to it."""

    def __init__(self, kind, command, stdout, stderr):
        self.ends = {}
        self._told = asyncio.Condition()
        self._telling = set()
        self.output = Output(stdout, stderr)
        self.starter = KINDS[kind](self._ended, self.output, command)
        self.lines = None
        self._is_closed = False

    def _ended(self, pid, status):
        assert pid not in self.ends
        self.ends[pid] = status
        task = asyncio.get_running_loop().create_task(self._tell())
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _tell(self):
        async with self._told:
            self._told.notify_all()

    async def close(self):
        """End everything; what was printed can still be read."""
        if not self._is_closed:
            self._is_closed = True
            await self.starter.close()
            self.output.close()

    async def start(self, does, key="worker"):
        return await self.starter.start(does, key)

    async def started(self, does, key="worker"):
        """Start a worker and wait until it says so."""
        pid = await self.start(does, key)
        assert await self.line() == f"{key} {pid}"
        return pid

    async def end(self, pid):
        """Wait until it has been told that a process has ended; how."""
        async with asyncio.timeout(LIMIT_S), self._told:
            await self._told.wait_for(lambda: pid in self.ends)
        return self.ends[pid]

    async def line(self):
        """The next line of stdout and stderr together."""
        async with asyncio.timeout(LIMIT_S):
            return (await self.lines.readline()).decode().removesuffix("\n")


@asynccontextmanager
async def yard(kind, command=COMMAND):
    """Start workers with one of the starters; all of it is closed in the end."""
    lines = asyncio.StreamReader()
    pipe = Pipe(lines.feed_data, lines.feed_eof)
    with os.fdopen(pipe.other_end, "w") as stream:
        made = Yard(kind, command, stream, stream)
        made.lines = lines
        try:
            yield made
        finally:
            await made.close()
            pipe.close()


def children(of=None):
    """The pids of a process's children, by default of this one's, zombies too."""
    of = os.getpid() if of is None else of
    return {int(pid) for pid in Path(f"/proc/{of}/task/{of}/children").read_text().split()}


def parent(pid):
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def is_zombie(pid):
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


def descriptors():
    """What this process has open."""
    numbers = [int(entry.name) for entry in Path("/proc/self/fd").iterdir()]
    return [number for number in numbers if place(number)]


def place(number):
    """What a descriptor leads to; empty if it is not open."""
    path = Path(f"/proc/self/fd/{number}")
    return str(path.readlink()) if path.is_symlink() else ""


def has_ended(pid, within_s):
    """Wait for the end of a process, which may be nobody's child."""
    try:
        watched = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([watched], [], [], within_s)[0])
    finally:
        os.close(watched)
