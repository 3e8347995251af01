"""Keeps the catalogue current: says when the folders may have changed, looks when it is told to, commits, retires.

    changed ──▶ (somebody decides that it is time) ──▶ look ──▶ staged ──▶ commit ──▶ retire

It knows nothing of calls, and of the gateway only `Sink.changed` and `Sink.staged`: every kind of worker has one.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final

import msgspec
from msgspec import Struct

from plugsock.loader.source import Source
from plugsock.loader.swap import Group, Loader, Look
from plugsock.loader.watch import watch
from plugsock.model import Announcement, Problem
from plugsock.ops.log import get_logger
from plugsock.ops.tasks import Tasks
from plugsock.rpc import batches, frames
from plugsock.rpc.link import Sink
from plugsock.rpc.page import STAGING, Page, staging
from plugsock.worker.outdated import Outdated
from plugsock.worker.table import Table
from plugsock.worker.threads import in_thread

STOP_S: Final = 2.0
"""On `stop`, a look that is on its way has so long to end."""

AFTER_FAILURE_S: Final = 1.0
"""When a look itself fails, not what it looked at, the next one is so much later."""

ANEW_S: Final = 0.05
"""What nobody has decided on is staged anew so much later: whoever has to decide may be waiting for something."""

NO_STAGE: Final = 0
"""Names a look that has failed; loaders count from 1."""

GIVEN_UP_S: Final = 0.1
"""Whoever waits for an `async def on_load` finds out so soon that it has taken too long."""

log = get_logger()


def warn(reason: str) -> None:
    """Tell people of what only a new process can take over, where nobody else can start one."""
    log.warning("something has changed that only a restart takes over", reason=reason)


class _Order(Struct):
    find: Callable[[], Look]
    is_forced: bool


class Keeper:
    """One loader, and what is announced of it.

    Looks, commits and retirements never overlap, as the loader wants it: a look runs in a thread, and what arrives
    meanwhile waits for its end.

    Args:
        loader: From files to plugs; the keeper's own from now on.
        sink: Is told when it is time to look, and what was staged.
        table: Gets what is committed, loses what is retired.
        poll: Look by the clock, where the file system has no events.
        outdated: Is told what has changed that only a new process can take over.
    """

    def __init__(
        self, loader: Loader, sink: Sink, table: Table, *, poll: bool, outdated: Callable[[str], None] = warn
    ) -> None:
        self._loader = loader
        self._sink = sink
        self._table = table
        self._poll = poll
        self._folders = [folder.path for folder in loader.folders]
        self._outdated = Outdated(self._folders, outdated)
        self._tasks = Tasks("plugs")
        self._orders: asyncio.Queue[_Order] = asyncio.Queue()
        self._looking: asyncio.Future[Look] | None = None
        self._staged: Look | None = None
        self._decision: asyncio.Future[bool] | None = None
        self._again: asyncio.TimerHandle | None = None
        self._retired: list[int] = []
        self._problems: tuple[Problem, ...] = ()

    def start(self) -> None:
        """Begin to watch, and say that everything may have changed; look from now on when told to."""
        self._tasks.spawn("watch", self._watch())
        self._tasks.spawn("look", self._keep_looking())

    def look(self, paths: Sequence[str] = (), *, force: bool = False, refused: Sequence[str] = ()) -> None:
        """Look, after all looks that were ordered before and the decisions on them; see `rpc.link.Link`."""
        find = partial(self._loader.look, changed=paths, force=force, refused=refused)
        self._orders.put_nowait(_Order(find, force))

    def restore(self, files: Sequence[frames.File]) -> None:
        """Take these files for what the folders hold, in the same order as looks; see `rpc.link.Link`."""
        find = partial(self._loader.look, contents=[_source(file) for file in files], is_served=True)
        self._orders.put_nowait(_Order(find, is_forced=False))

    def adopt(
        self, files: Sequence[frames.File], gone: Sequence[str], *, force: bool = False, refused: Sequence[str] = ()
    ) -> None:
        """Stage what another worker has staged, in the same order as looks; see `rpc.link.Link`."""
        sources = [_source(file) for file in files]
        find = partial(self._loader.adopt, sources, gone, force=force, refused=refused)
        self._orders.put_nowait(_Order(find, force))

    def commit(self, stage: int, groups: Sequence[str], held: Sequence[str] | None = None) -> None:
        """It is decided what of a look is served from now on; a late decision is ignored. See `rpc.link.Link`."""
        look = self._staged
        if look is None or look.stage != stage:
            return
        self._staged = None
        try:
            if stage != NO_STAGE:
                self._loader.commit(stage, groups, held)
            chosen = [group for group in look.groups if group.id in groups]
            plugs = [plug for group in chosen for plug in group.plugs.values()]
            self._table.commit(stage, plugs, [event for group in chosen for event in group.gone])
        finally:  # whatever goes wrong, looks go on
            staged = {group.id for group in look.groups if not group.problems}
            if self._decision is not None and not self._decision.done():
                self._decision.set_result(held is None or staged <= {*groups, *held})

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
        self._outdated.stop()
        self._say_changed_in(None)
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
        async for paths in watch(self._folders, poll=self._poll, warn=log.warning):
            rest = self._outdated.without(paths)
            if rest or not paths:
                self._sink.changed(sorted(rest))

    def _say_changed_in(self, seconds: float | None) -> None:
        """Whatever the watcher says; None for not at all."""
        if self._again is not None:
            self._again.cancel()
            self._again = None
        if seconds is not None:
            self._again = asyncio.get_running_loop().call_later(seconds, self._sink.changed, ())

    async def _keep_looking(self) -> None:
        while True:
            order = await self._orders.get()
            self._say_changed_in(None)
            self._staged = None
            try:
                look = await self._look(order)
                self._say_changed_in(look.again_in_s)
                is_all_decided = await self._announce(look, asked=order.is_forced)
            except Exception:  # of whoever is told
                log.exception("announcing the plugs failed")
                self._say_changed_in(AFTER_FAILURE_S)
            else:
                if not is_all_decided:
                    self._say_changed_in(ANEW_S)

    async def _look(self, order: _Order) -> Look:
        try:
            self._looking = in_thread("plugsock-look", order.find)
            look = await asyncio.shield(self._looking)
        except Exception:
            log.exception("looking at the plugs failed")
            look = Look(stage=NO_STAGE, groups=(), problems=self._problems, again_in_s=AFTER_FAILURE_S)
        self._problems = look.problems
        self._retire()
        return look

    async def _announce(self, look: Look, *, asked: bool) -> bool:
        """Say what was found, and wait until all of it is decided on; False if some of it is to be staged anew."""
        self._decision = asyncio.get_running_loop().create_future()
        self._staged = look
        groups = [_announced(group) for group in look.groups]
        self._sink.staged(frames.Staged(look.stage, groups, list(look.problems), asked))
        return await self._decision

    def _retire(self) -> None:
        while self._retired and not self._is_looking:  # else the end of the look is awaited, and retires
            self._loader.retire(self._retired.pop(0))


def _announced(group: Group) -> frames.Group:
    flaws = [flaw for announced in group.announcements if (flaw := _flaw(announced)) is not None]
    return frames.Group(
        id=group.id,
        events=[] if flaws else group.announcements,
        gone=list(group.gone),
        problems=[*group.problems, *flaws],
        traces=list(group.traces),
        modules=sorted(group.modules),
        files=[_file(source) for source in group.sources],
    )


def _flaw(announced: Announcement) -> Problem | None:
    """What of an announcement could not be read at the other end of a link: an author's values are of any class."""
    try:
        batches.decode_announcement(batches.encode([announced]))
    except (msgspec.MsgspecError, TypeError) as error:
        file, _, line = announced.place.rpartition(":")
        return Problem(file, int(line or 0), f"what is declared of it can't be announced: {error}", (announced.event,))
    return None


def _file(s: Source) -> frames.File:
    return frames.File(s.module, s.path, s.file, s.data, s.is_package, s.is_helper, s.origin, s.is_implicit)


def _source(f: frames.File) -> Source:
    return Source(f.module, f.path, f.file, f.data, f.is_package, f.is_helper, f.origin, f.is_implicit)


def report(problem: Problem) -> None:
    """Log what an `on_unload` raised: the plug that it belongs to is gone, so no list shows it."""
    log.error(problem.message, place=f"{problem.file}:{problem.line}")


def on_loop(loop: asyncio.AbstractEventLoop) -> Callable[[Coroutine[Any, Any, Any]], None]:
    """What a `Loader` runs an `async def on_load` with, in a thread, so that it shares the loop of the async plugs."""

    async def contained(coro: Coroutine[Any, Any, Any]) -> BaseException | None:
        try:
            await coro
        except BaseException as error:  # SystemExit, above all, which a task lets out of the loop
            return error
        return None

    def run(coro: Coroutine[Any, Any, Any]) -> None:
        running = asyncio.run_coroutine_threadsafe(contained(coro), loop)
        try:
            while not running.done():
                with suppress(TimeoutError):
                    running.exception(GIVEN_UP_S)
        except BaseException:  # nobody waits for this thread any more: it was interrupted, which is felt between waits
            running.cancel()
            raise
        error = running.result()
        if error is not None:
            raise error

    return run


def marks_staging(page: Page) -> Callable[[str | None], None]:
    """What a `Loader` calls with each group that it tries, so that it is known which of them has ended the process."""

    def mark(group: str | None) -> None:
        page[STAGING] = 0 if group is None else staging(group)

    return mark
