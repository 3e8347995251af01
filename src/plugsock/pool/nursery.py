"""Starts workers by forking a process that has everything imported: the gateway's end of `worker.nursery`."""

import asyncio
import contextlib
import functools
import os
import socket
from collections.abc import Sequence
from typing import NamedTuple

from plugsock.frozen import executable
from plugsock.ops.log import get_logger
from plugsock.pool.forker import Forker
from plugsock.pool.handle import Handle
from plugsock.pool.output import Output
from plugsock.pool.program import END_S, KILL, Ended, Lifeline, Program
from plugsock.rpc.start import CONTROL

log = get_logger()


class Nursery:
    """A `processes.Starter` that takes milliseconds, once its process is there.

    That process is started by `open`, and anew by the first `start` after it has died. Workers live on without it;
    then how they end is no longer known, and that they end only where the system has pidfds (Linux 5.3).

    Args:
        ended: Called once for each process, after `start` has returned its pid.
        output: Where what they print goes.
        command: What starts plugsock.
    """

    def __init__(self, ended: Ended, output: Output, command: Sequence[str] | None = None) -> None:
        self._ended = ended
        self._output = output
        self._command = executable.command() if command is None else command
        self._lifeline = Lifeline()
        self._bearing = asyncio.Lock()
        self._process: _Process | None = None
        self._open: set[Program] = set()
        self._workers: dict[int, Handle] = {}
        self._is_childless = asyncio.Event()

    async def open(self) -> None:
        """Start the nursery's process; it is ready some 0.3 s later, and `start` waits for that."""
        await self._living()

    async def start(self, address: str, key: str) -> int:
        """Fork a worker; see `processes.Starter`."""
        process = await self._living()
        try:
            return await process.forker.fork(address, key)
        except TimeoutError:
            process.program.send(KILL)
            raise

    def kill(self, pid: int, number: int = KILL) -> None:
        """Send a signal; see `processes.Starter`."""
        if pid in self._workers:
            self._workers[pid].send(number)

    async def close(self) -> None:
        """Kill what still runs and end the nursery; see `processes.Starter`."""
        await self._kill_all()
        if self._process is not None:
            self._process.forker.close()
        await asyncio.gather(*(program.end() for program in self._open))
        self._lifeline.close()

    async def _kill_all(self) -> None:
        for worker in self._workers.values():
            worker.send(KILL)
        if self._workers:
            self._is_childless.clear()
            with contextlib.suppress(TimeoutError):  # one that the kernel can't end: it hangs in a driver
                await asyncio.wait_for(self._is_childless.wait(), END_S)
        for worker in self._workers.values():
            worker.close()
        self._workers.clear()

    async def _living(self) -> "_Process":
        """The nursery's process, a new one if there is none."""
        async with self._bearing:
            if self._process is None or self._process.forker.is_lost:
                has_died = self._process is not None
                self._process = await self._bear()
                if has_died:
                    log.warning("the nursery of workers has died, another one is started")
            return self._process

    async def _bear(self) -> "_Process":
        ours, theirs = socket.socketpair()
        with theirs:
            forker = Forker(self._born, self._died, self._lost)
            await asyncio.get_running_loop().create_unix_connection(lambda: forker, sock=ours)
            control = theirs.fileno()
            try:
                program = await Program.start(
                    [*self._command, "worker", "--nursery"],
                    self._lifeline,
                    self._output,
                    {CONTROL: str(control)},
                    inherited=[control],
                )
            except BaseException:
                forker.close()
                raise
        self._open.add(program)
        program.closed.add_done_callback(lambda _: self._open.discard(program))
        return _Process(program, forker)

    def _born(self, pid: int) -> None:
        self._workers[pid] = Handle(pid)

    def _died(self, pid: int, status: int | None) -> None:
        worker = self._workers.pop(pid, None)
        if worker is None:
            return
        worker.close()
        asyncio.get_running_loop().call_soon(self._ended, pid, status)  # `start` may have to return it first
        if not self._workers:
            self._is_childless.set()

    def _lost(self) -> None:
        """Watch the workers of a nursery that has died."""
        for pid, worker in self._workers.items():
            worker.watch(functools.partial(self._orphan_died, pid))

    def _orphan_died(self, pid: int) -> None:
        self._died(pid, _status(pid))


class _Process(NamedTuple):
    program: Program
    forker: Forker


def _status(orphan: int) -> int | None:
    """How an orphan has ended: known if it has become this process's child, as it does where this is process 1."""
    try:
        pid, status = os.waitpid(orphan, os.WNOHANG)
    except ChildProcessError:
        return None
    return os.waitstatus_to_exitcode(status) if pid else None
