"""Starts workers as new processes, where forking is impossible (Windows) or unsafe (macOS)."""

import asyncio
import functools
from collections.abc import Sequence

from plugsock.frozen import executable
from plugsock.pool.output import Output
from plugsock.pool.program import KILL, Ended, Lifeline, Program
from plugsock.rpc.start import KEY, LIFELINE


class Spawner:
    """A `processes.Starter` that takes as long as Python does to start and to import: about 0.3 s.

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
        self._running: dict[int, Program] = {}
        self._open: set[Program] = set()

    async def open(self) -> None:
        """Nothing can be prepared."""

    async def start(self, address: str, key: str) -> int:
        """Start a worker; see `processes.Starter`."""
        command = [*self._command, "worker", "--join", address]
        variables = {KEY: key, LIFELINE: "stdin"}
        program = await Program.start(command, self._lifeline, self._output, variables)
        self._running[program.pid] = program
        self._open.add(program)
        program.closed.add_done_callback(lambda _: self._open.discard(program))
        program.ended.add_done_callback(functools.partial(self._gone, program.pid))
        return program.pid

    def kill(self, pid: int, number: int = KILL) -> None:
        """Send a signal; see `processes.Starter`."""
        if pid in self._running:
            self._running[pid].send(number)

    async def close(self) -> None:
        """Kill what still runs; see `processes.Starter`."""
        for program in self._running.values():
            program.send(KILL)
        await asyncio.gather(*(program.end() for program in self._open))
        self._lifeline.close()

    def _gone(self, pid: int, status: "asyncio.Future[int]") -> None:
        del self._running[pid]
        self._ended(pid, status.result())
