"""Keeps the catalogue current: looks at the folders when they change, announces what a look found, commits, retires.

It knows nothing of calls, and of the gateway only `Sink.staged`: every kind of worker has one.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final

from plugsock.loader.swap import Group, Loader, Look
from plugsock.loader.watch import watch
from plugsock.model import Problem
from plugsock.ops.log import get_logger
from plugsock.ops.tasks import Tasks
from plugsock.rpc import frames
from plugsock.rpc.link import Sink
from plugsock.worker.table import Table
from plugsock.worker.threads import in_thread

STOP_S: Final = 2.0
"""On `stop`, a look that is on its way has so long to end."""

AFTER_FAILURE_S: Final = 1.0
"""When a look itself fails, not what it looked at, the next one is so much later."""

log = get_logger()


class Keeper:
    """One loader, and what is announced of it.

    Looks, commits and retirements never overlap, as the loader wants it: a look runs in a thread, and what arrives
    meanwhile waits for its end.

    Args:
        loader: From files to plugs; the keeper's own from now on.
        sink: Is told what was staged.
        table: Gets what is committed, loses what is retired.
        poll: Look by the clock, where the file system has no events.
    """

    def __init__(self, loader: Loader, sink: Sink, table: Table, *, poll: bool) -> None:
        self._loader = loader
        self._sink = sink
        self._table = table
        self._poll = poll
        self._tasks = Tasks("plugs")
        self._wake = asyncio.Event()
        self._changed: set[str] = set()
        self._asked = 0
        self._looking: asyncio.Future[Look] | None = None
        self._staged: Look | None = None
        self._decided = asyncio.Event()
        self._retired: list[int] = []
        self._problems: tuple[Problem, ...] | None = None

    async def start(self) -> None:
        """Look for the first time and announce what is there; from then on look whenever something changes."""
        again_in_s = await self._look()
        self._tasks.spawn("watch", self._watch())
        self._tasks.spawn("look", self._keep_looking(again_in_s))

    def look(self) -> None:
        """Look now, also at what failed before; what comes of it is announced even if nothing has changed."""
        self._asked += 1
        self._wake.set()

    def commit(self, stage: int, groups: Sequence[str]) -> None:
        """The gateway has decided what of a look is served from now on; a late decision is ignored."""
        look = self._staged
        if look is None or look.stage != stage:
            return
        self._staged = None
        self._loader.commit(stage, groups)
        chosen = [group for group in look.groups if group.id in groups]
        plugs = [plug for group in chosen for plug in group.plugs.values()]
        self._table.commit(stage, plugs, [event for group in chosen for event in group.gone])
        self._decided.set()

    def retire(self, stage: int) -> None:
        """No call runs any more on what a stage replaced."""
        self._table.retire(stage)
        self._retired.append(stage)
        # Not at once: whoever says so may be answering the last call, and holds its plug until that has returned. What
        # is held while the loader collects is not freed before the next swap.
        asyncio.get_running_loop().call_soon(self._retire)

    async def stop(self) -> None:
        """Stop looking, and unload all plugs."""
        await self._tasks.stop()
        if self._looking is not None and self._is_looking:
            await asyncio.wait({self._looking}, timeout=STOP_S)
        if self._is_looking:
            log.warning("an import does not end: the plugs are not unloaded")
        else:
            await in_thread("plugsock-close", self._loader.close)

    @property
    def _is_looking(self) -> bool:
        return self._looking is not None and not self._looking.done()

    async def _watch(self) -> None:
        folders = [folder.path for folder in self._loader.folders]
        async for paths in watch(folders, poll=self._poll, warn=log.warning):
            self._changed |= paths
            self._wake.set()

    async def _keep_looking(self, again_in_s: float | None) -> None:
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), again_in_s)
            try:
                again_in_s = await self._look()
            except Exception:
                log.exception("looking at the plugs failed")
                again_in_s = AFTER_FAILURE_S

    async def _look(self) -> float | None:
        """Look, announce what is new and wait for the decision; says when to look again whatever happens."""
        asked, changed = self._asked > 0, frozenset(self._changed)
        self._wake.clear()
        self._looking = in_thread("plugsock-look", partial(self._loader.look, changed=changed, force=asked))
        look = await asyncio.shield(self._looking)
        self._changed -= changed
        self._asked -= asked
        if self._asked:
            self._wake.set()
        self._retire()
        if asked or look.groups or look.problems != self._problems:
            self._problems = look.problems
            await self._announce(look, asked=asked)
        return look.again_in_s

    async def _announce(self, look: Look, *, asked: bool) -> None:
        self._decided.clear()
        self._staged = look
        groups = [_announced(group) for group in look.groups]
        self._sink.staged(frames.Staged(look.stage, groups, list(look.problems), asked))
        await self._decided.wait()

    def _retire(self) -> None:
        while self._retired and not self._is_looking:  # else the end of the look is awaited, and retires
            self._loader.retire(self._retired.pop(0))


def _announced(group: Group) -> frames.Group:
    return frames.Group(group.id, group.announcements, list(group.gone), list(group.problems), list(group.traces))


def on_loop(loop: asyncio.AbstractEventLoop) -> Callable[[Coroutine[Any, Any, Any]], None]:
    """What a `Loader` runs an `async def on_load` with, in a thread, so that it shares the loop of the async plugs."""

    async def contained(coro: Coroutine[Any, Any, Any]) -> BaseException | None:
        try:
            await coro
        except BaseException as error:  # SystemExit, above all, which a task lets out of the loop
            return error
        return None

    def run(coro: Coroutine[Any, Any, Any]) -> None:
        error = asyncio.run_coroutine_threadsafe(contained(coro), loop).result()
        if error is not None:
            raise error

    return run
