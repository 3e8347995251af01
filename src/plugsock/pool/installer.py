"""Installs what plugs say they need, where somebody has allowed that (`--install`): before they are served.

    a plug can't be staged ─ it lacks something ─▶ `plugsock pip sync`, a process of its own
                                                        │
    it is staged anew ◀─ all workers are replaced ◀─ site-packages has changed

What was served before is served meanwhile. What is tried once for a state of a plug's files is not tried again before
they change: a package that can't be had stays so.
"""

import asyncio
import signal
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from plugsock.frozen import executable
from plugsock.ops.log import get_logger
from plugsock.ops.tasks import Tasks
from plugsock.pool.output import Output
from plugsock.pool.program import Lifeline, Program
from plugsock.rpc.frames import Group, Staged
from plugsock.rpc.start import LIFELINE
from plugsock.settings import Settings

log = get_logger()

LIMIT_S: Final = 600.0
"""Downloads may take minutes; what takes longer hangs."""

END_S: Final = 5.0
"""Asked to end, it has so long to clear away what it has begun."""

MOST_TRIED: Final = 1000
"""States of plugs that are remembered; the oldest are forgotten and may be tried once more."""


class Installer:
    """Runs one `plugsock pip sync` at a time.

    Args:
        settings: Which folder, and whether to trust it.
        output: Where what it prints goes.
    """

    def __init__(self, settings: Settings, output: Output) -> None:
        self._settings = settings
        self._output = output
        self._tried: dict[str, None] = {}
        self._needs: set[str] = set()
        self._is_needed = asyncio.Event()
        self._tasks = Tasks("installer")

    def start(self) -> None:
        """Install from now on what `saw` has been told of."""
        self._tasks.spawn("install", self._keep_installing())

    def saw(self, staged: Staged) -> None:
        """The folder was looked at; what of it lacks something that was not tried yet is reason enough."""
        new = {group.id: needs for group in staged.groups if (needs := lacking(group)) and group.id not in self._tried}
        if new:
            self._tried.update(dict.fromkeys(new))
            while len(self._tried) > MOST_TRIED:
                del self._tried[next(iter(self._tried))]
            self._needs.update(*new.values())
            self._is_needed.set()

    async def stop(self) -> None:
        """End what runs; nothing has changed then."""
        await self._tasks.stop()

    async def _keep_installing(self) -> None:
        while True:
            await self._is_needed.wait()
            self._is_needed.clear()
            needs, self._needs = self._needs, set()
            try:
                await self._install(needs)
            except OSError as wrong:
                log.error("pip can't be started", reason=str(wrong))  # noqa: TRY400 - it says it all

    async def _install(self, needs: Iterable[str]) -> None:
        loop = asyncio.get_running_loop()
        log.info("plugs need packages that are not there: pip installs them", needs=", ".join(sorted(needs)))
        began = loop.time()
        lifeline = Lifeline()
        try:
            program = await Program.start(self._command(), lifeline, self._output, {LIFELINE: "stdin"})
            try:
                await asyncio.wait({program.ended}, timeout=LIMIT_S)
            finally:
                if not program.ended.done():
                    program.send(signal.SIGTERM)
                await program.end(END_S)
        finally:
            lifeline.close()
        _report(program, round(loop.time() - began, 1))

    def _command(self) -> list[str]:
        settings = self._settings
        place = ["--plugs", str(settings.plugs), "--data", str(settings.data)]
        return [*executable.command(), "pip", "sync", *place, *(["--trust"] if settings.trust else [])]


def lacking(group: Group) -> set[str]:
    """What it lacks."""
    return {need for problem in group.problems for need in problem.needs}


def _report(program: Program, took_s: float) -> None:
    status = None
    with suppress(asyncio.InvalidStateError):  # the kernel could not end it
        status = program.ended.result()
    if status == 0:
        log.info("pip has installed what plugs need", took_s=took_s)
    else:
        log.error(
            "pip has failed, as it says above; it is tried again when a plug that lacks something changes",
            status=status,
            took_s=took_s,
        )
