"""All workers of a server, and everything around them: the processes, the door that they come in by, what commands ask.

Starter ─ starts a process ─▶ Door ─ it registers ─▶ Supervisor ─ it is brought up ─▶ Pool ─ it gets calls
"""

import asyncio
import sys
from itertools import count
from typing import Final

from plugsock.errors import PlugsockError
from plugsock.ops.datadir import DataDirectory
from plugsock.ops.log import get_logger
from plugsock.ops.output import counted
from plugsock.ops.shared import Shared
from plugsock.pool import sizes
from plugsock.pool.cores import cores
from plugsock.pool.door import Door
from plugsock.pool.installer import Installer
from plugsock.pool.link import ProcessLink
from plugsock.pool.member import Member
from plugsock.pool.output import Output
from plugsock.pool.processes import starter
from plugsock.pool.supervisor import Supervisor
from plugsock.rpc import batches
from plugsock.rpc.admin import WorkerRow
from plugsock.rpc.join import Register, Turned, Welcome
from plugsock.rpc.link import PoolSink
from plugsock.rpc.page import SIZE
from plugsock.settings import MIB, Settings

log = get_logger()

RELOAD_S: Final = 60.0
"""All workers have been replaced by then, or something is wrong with the new ones."""

MANNED_S: Final = 10.0
"""A server that has a worker waits no longer than this for the others that it must have."""

SPARE: Final = 512 * MIB
"""Of memory that a worker may ask for beyond twice what it may hold: the stacks of its threads are in it, and what was
asked for and never used. Whoever wants more gets a MemoryError; below that, a worker that holds too much is replaced."""


class Workforce:
    """The workers of a server.

    Args:
        sink: The gateway.
        settings: What was set.
        data: Where their socket and pages are.
        version: Of plugsock.
    """

    def __init__(self, sink: PoolSink, settings: Settings, data: DataDirectory, version: str) -> None:
        self._settings = settings
        self._data = data
        self._threads = sizes.threads(cores())
        self._output = Output(sys.stdout, sys.stderr)
        self._door = Door(version, self._decide, limit=batches.limit(settings.max_answer))
        self._supervisor = Supervisor(
            sink,
            sizes.parse(settings.workers, cores()),
            self._start_process,
            self._kill_process,
            timeout_s=settings.timeout_s,
            max_calls=settings.max_calls,
            max_memory=settings.max_memory,
        )
        self._starter = starter(self._supervisor.process_ended, self._output)
        self._scratch = data.scratch()
        self._numbers = count(1)
        self.link = self._supervisor.pool
        self._installer = Installer(settings, self._output)
        if settings.install:
            self.link.swaps.watcher = self._installer.saw

    async def start(self) -> None:
        """Start the workers that there must be.

        Raises:
            PlugsockError: Their socket can't be opened.
        """
        await self._door.open(self._data.listen_workers(), self._data.workers)
        await self._starter.open()
        self._supervisor.start()
        self._installer.start()

    async def manned(self) -> None:
        """Wait until all of them are ready, once the plugs are served: after a while it goes without some."""
        try:
            async with asyncio.timeout(MANNED_S):
                await self._supervisor.manned.wait()
        except TimeoutError:
            log.warning("not all workers have become ready; it goes on with those that have")

    def introduce(self) -> str:
        """A line for whoever starts the server."""
        return counted(len(self.link.members), "worker")

    async def stop(self) -> None:
        """End all workers, and let nobody in any more."""
        await self._installer.stop()
        await self._supervisor.stop()
        self._door.close()
        await self._starter.close()
        self._output.close()

    # What commands ask.

    def rows(self) -> list[WorkerRow]:
        """What is known of each worker."""
        members = sorted(self.link.members, key=lambda member: member.number)
        total = max(1, self._supervisor.served)
        return [self._row(member, total) for member in members]

    async def reload(self) -> int:
        """Replace all workers, and say how many.

        Raises:
            PlugsockError: It was not done within a minute.
        """
        try:
            async with asyncio.timeout(RELOAD_S):
                return await self._supervisor.reload("somebody has asked for it")
        except TimeoutError:
            raise PlugsockError(
                f"the workers have not all been replaced within {RELOAD_S:g} s; the server's log says why"
            ) from None

    def join(self) -> tuple[str, str]:
        """Where a worker connects that was started by hand, and its key, where one is needed."""
        return self._door.address, self._data.workers.key

    def _row(self, member: Member, total: int) -> WorkerRow:
        return WorkerRow(
            number=member.number,
            set=member.crew,
            pid=member.pid,
            state=member.state.value,
            share=member.served / total,
            calls=len(member.open),
            places=sizes.ASYNC_PLACES,
            threads=member.threads,
            lost_threads=member.lost_threads,
            revision=member.revision,
            lag_s=member.health.lag_s,
            memory=member.vitals.memory() or 0,
            restarts=self._supervisor.restarts(member.crew),
            served=member.served,
        )

    # How a worker comes in.

    async def _start_process(self, key: str) -> int:
        return await self._starter.start(self._door.address, key)

    def _kill_process(self, pid: int, number: int) -> None:
        self._starter.kill(pid, number)

    def _decide(self, said: Register, link: ProcessLink) -> Welcome | Turned:
        """Let in whoever was started here, or by hand."""
        if not self._supervisor.expects(said.key):
            return Turned("Its key is not that of a worker that was asked for, or the server ends.")
        try:
            shared = self._page()
        except (OSError, ValueError, PlugsockError) as error:
            return Turned(f"There is no room for its page: {error}.")
        number = next(self._numbers)
        member = self._supervisor.enlist(said.key, said.pid, number, shared, threads=self._threads)
        member.link = link
        link.attach(member, self._scratch, number)
        self.link.enter(member)  # what is said to it now is written in the next turn, behind the answer
        return self._welcome(number, shared)

    def _page(self) -> Shared:
        try:
            return Shared.create(self._scratch, SIZE)
        except FileNotFoundError:  # systemd-tmpfiles or logind has cleaned up
            self._data.restore_scratch()
            return Shared.create(self._scratch, SIZE)

    def _welcome(self, number: int, shared: Shared) -> Welcome:
        settings = self._settings
        return Welcome(
            number=number,
            page=str(shared.path),
            plugs=str(settings.plugs),
            trust=settings.trust,
            dev=settings.dev,
            poll=settings.poll,
            max_answer=settings.max_answer,
            threads=self._threads,
            log_format=settings.log_format,
            memory=2 * settings.max_memory + SPARE if settings.max_memory else 0,
            fault=settings.fault,
        )
