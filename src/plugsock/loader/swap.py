"""The transaction: look, stage, commit or discard, retire.

    loader = Loader([Folder(Path("plugs"))])
    look = loader.look()                                        # in a thread: it blocks
    catalog = loader.commit(look.stage, [g.id for g in look.groups if not g.problems])
    ...                                                         # calls on the old plugs end
    loader.retire(look.stage)

`look` may be called in any thread and `commit`, `discard`, `retire` in any other, but no two of them at once.
Nothing that is served changes before `commit`, and nothing that was served goes away before `retire`.
"""

import asyncio
import linecache
import math
import os
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from types import ModuleType
from typing import Final

import msgspec
from msgspec import Struct

from plugsock.loader.attempts import Attempts
from plugsock.loader.catalog import Catalog, Plug
from plugsock.loader.disk import Contents, Disk
from plugsock.loader.finder import Finder, uninstall
from plugsock.loader.grouping import Move
from plugsock.loader.isolate import Generation, Record
from plugsock.loader.reaper import Reaper
from plugsock.loader.source import Folder, Source
from plugsock.loader.stager import Memory, Staged, Stager, Trying
from plugsock.loader.staging import RunAsync, unload
from plugsock.model import Announcement, Problem

IMPORT_LIMIT_S: Final = 10.0
"""Importing a group may take so long, and so may its `on_load`s: long enough for any library, short enough to notice."""
UNLOAD_LIMIT_S: Final = 2.0
"""`close` waits so long for the last `on_unload`s."""


class Group(Struct, frozen=True):
    """Modules that move together, staged or failed."""

    id: str
    """Hash over its files' names and contents."""
    modules: frozenset[str]
    """All of it, those that are deleted by it included."""
    sources: tuple[Source, ...]
    """What it was staged from, in the order of the modules' names."""
    plugs: dict[str, Plug]
    """What it serves once it is committed, by event; if an event now comes from an embedded plug, that one."""
    gone: tuple[str, ...] = ()
    """Events that nobody serves any more once it is committed."""
    problems: tuple[Problem, ...] = ()
    """Why it can't be committed; empty if it can."""
    traces: tuple[str, ...] = ()
    """For each problem the traceback of the authors' own frames, for the log; empty if there is none."""

    @property
    def announcements(self) -> list[Announcement]:
        """What the gateway is told."""
        return [plug.announcement for plug in self.plugs.values()]


class Look(Struct, frozen=True):
    """What one look at the folders found."""

    stage: int
    """Names this look in `commit`, `discard` and `retire`."""
    groups: tuple[Group, ...]
    """What has changed since the last look: staged groups and those that failed. What had failed before and is still
    the same is not tried again and not repeated here."""
    problems: tuple[Problem, ...]
    """All that is wrong with the folders now, old and new."""
    again_in_s: float | None
    """Look again after so many seconds even if nothing is reported: a file is being written, or may be deleted."""


class Loader:
    """From folders of Python files to a catalogue of events, swapped while it is used.

    Args:
        folders: Where the plugs are; an event of an `embedded` folder gives way to the same event of another.
        run_async: Runs an `async def on_load` or `on_unload` where async plugs run; called in a thread. By default
            each gets an event loop of its own.
        import_limit_s: Seconds that loading a group may take.
        report: Is told what goes wrong in an `on_unload`, in a thread.
        trying: Is told, in the thread of `look`, the id of each group right before its modules are executed, and None
            when that and its `on_load`s have ended, well or not: what ends the process meanwhile is that group.
        wall_ns: The clock that file times are compared with.
    """

    def __init__(
        self,
        folders: Sequence[Folder],
        *,
        run_async: RunAsync | None = None,
        import_limit_s: float = IMPORT_LIMIT_S,
        report: Callable[[Problem], None] = lambda _problem: None,
        trying: Trying = lambda _group: None,
        wall_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._folders = tuple(folders)
        self._disk = Disk(folders, self._events, wall_ns)
        self._run_async = run_async or asyncio.run
        self._import_limit_s = import_limit_s
        self._report = report
        self._trying = trying
        self._reaper = Reaper()
        self._public: dict[str, ModuleType] = {}
        self._generation = Generation(frozenset(folder.package for folder in folders), {}, {}, self._public)
        self._generation.is_current = True
        self._catalog = Catalog()
        self._stage = 0
        self._staged: dict[str, Staged] = {}
        self._attempts = Attempts()
        self._memory = Memory()
        self._move = self._memory.move(self._generation, self._catalog, Contents())
        self._problems: tuple[Problem, ...] = ()
        self._replaced: dict[int, list[Record]] = {}
        self._finder = Finder(self._generation.roots, lambda: self._generation)
        sys.meta_path.insert(0, self._finder)

    @property
    def folders(self) -> tuple[Folder, ...]:
        """Where the plugs are."""
        return self._folders

    @property
    def catalog(self) -> Catalog:
        """What is committed."""
        return self._catalog

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All that was wrong with the folders at the last look."""
        return self._problems

    def look(
        self,
        now: float | None = None,
        *,
        changed: Collection[str | os.PathLike[str]] = (),
        force: bool = False,
        refused: Collection[str] = (),
        contents: Sequence[Source] | None = None,
        is_served: bool = False,
    ) -> Look:
        """Look at the folders and stage what has changed. Blocks: call it in a thread. The first one loads everything.

        What an earlier look staged and nobody has committed or discarded is staged anew.

        Args:
            now: Seconds of a steady clock; by default `time.monotonic()`.
            changed: Paths that a watcher reported: they are read whatever their times and sizes say. Everything else
                is looked at too.
            force: Try again what failed or was not committed, though it has not changed.
            refused: Ids of groups that fail without a module of theirs being executed, because that has ended a worker.
            contents: What the folders are taken to hold, instead of being looked at: what another loader has committed.
                Whatever the next look at the disk does not find of it has been deleted then.
            is_served: They are served elsewhere, so whether they run is all that counts, and not what they say they
                need: that may have been replaced meanwhile for the sake of what they are to be replaced with.
        """
        self._let_go(list(self._staged.values()))
        self._stage += 1
        held = self._look_at_disk(now, changed) if contents is None else self._disk.hold(contents)
        move = self._memory.move(self._generation, self._catalog, held)
        self._attempts.forget_changed(move)
        if force:
            self._attempts.clear()
        found = self._stage_due(move, refused, checks_needs=not is_served)
        groups = tuple(self._group(staged) for staged in found)
        self._staged = {staged.id: staged for staged in found if not staged.failures}
        self._move = self._memory.move(self._generation, self._catalog, held)
        self._attempts.forget(frozenset().union(*(staged.modules for staged in found)))
        for group in groups:
            if group.problems:
                self._attempts.remember(self._move, group.modules, group.problems)
        self._problems = self._all_problems(held)
        again_in_s = None if math.isinf(held.again_in_s) else max(0.0, held.again_in_s)
        return Look(stage=self._stage, groups=groups, problems=self._problems, again_in_s=again_in_s)

    def adopt(
        self, sources: Sequence[Source], gone: Collection[str], *, force: bool = False, refused: Collection[str] = ()
    ) -> Look:
        """Stage what another loader, which serves the same, has found, without looking at the folders.

        What it needs is asked here as well: this process may have begun when there was no such library, or run in
        another environment.

        Args:
            sources: They take the place of those that are served.
            gone: Modules that are served and are no more.
            force: As in `look`.
            refused: As in `look`.
        """
        left = {name: source for name, source in self._generation.sources.items() if name not in gone}
        contents = left | {source.module: source for source in sources}
        return self.look(contents=list(contents.values()), force=force, refused=refused)

    def commit(self, stage: int, groups: Collection[str], held: Collection[str] | None = None) -> Catalog:
        """Serve these groups of a look from now on and discard its others: short, one assignment in the end.

        Args:
            stage: As `Look.stage` named it.
            groups: By their ids.
            held: Of the others, those that are staged again only when they have changed, or by a forced look; None for
                all. The rest is staged anew by the next look. (What failed is tried again when it has changed.)

        Raises:
            LookupError: There was another look since then; nothing has changed.
        """
        if stage != self._stage:
            raise LookupError(f"stage {stage} is over, the last look was {self._stage}")
        chosen = [staged for id, staged in self._staged.items() if id in groups]
        if chosen:
            self._replaced[stage] = self._serve(chosen)
        declined = list(self._staged.values())
        for staged in declined:
            if held is None or staged.id in held:
                self._attempts.remember(self._move, staged.modules)
        self._let_go(declined)
        return self._catalog

    def discard(self, stage: int) -> None:
        """Drop everything that a look staged; nothing has changed. It is not staged again until it changes."""
        if stage == self._stage:
            self.commit(stage, ())

    def retire(self, stage: int) -> None:
        """No call runs any more on what the commit of this stage replaced: run its `on_unload`s and free it, soon."""
        self._end(self._replaced.pop(stage, []))

    def close(self) -> None:
        """Run every `on_unload` that is owed and take the packages out of the process's import system."""
        self._let_go(list(self._staged.values()))
        for stage in list(self._replaced):
            self.retire(stage)
        self._end(list(self._generation.records.values()))
        self._reaper.close(UNLOAD_LIMIT_S)
        uninstall(self._finder)
        self._publish({}, self._public.keys())

    def _look_at_disk(self, now: float | None, changed: Collection[str | os.PathLike[str]]) -> Contents:
        suspects = {os.path.basename(os.fspath(path)) for path in changed}  # noqa: PTH119 -- most are no Path
        return self._disk.contents(time.monotonic() if now is None else now, suspects)

    def _stage_due(self, move: Move, refused: Collection[str], *, checks_needs: bool) -> list[Staged]:
        left_out = self._attempts.left_out(move)
        groups = move.without(frozenset().union(*left_out)).groups()
        settled = {modules for modules in groups if self._attempts.is_settled(move, modules)}
        due = [modules for modules in groups if modules not in settled]
        stager = Stager(
            move,
            self._generation,
            self._catalog,
            self._memory,
            self._run_async,
            self._import_limit_s,
            trying=self._trying,
            refused=refused,
            checks_needs=checks_needs,
        )
        found = stager.stage(due, [*settled, *left_out])
        self._end(stager.owed([staged for staged in found if not staged.failures]))
        return found

    def _events(self, source: Source) -> Collection[str]:
        """The events of a file: those that it was seen to define, else those that it says it does."""
        return {plug.event for plug in self._catalog.of({source.module})} or source.facts.claims

    def _serve(self, chosen: list[Staged]) -> list[Record]:
        """Make the next generation out of this one and what was staged, and serve it.

        Modules that nothing has changed for move over as they are, and what they import lazily comes from there on
        from the new generation. What is replaced keeps the old one.
        """
        old = self._generation
        moved = frozenset().union(*(staged.modules for staged in chosen))
        sources = {name: source for name, source in old.sources.items() if name not in moved}
        records = {name: record for name, record in old.records.items() if name not in moved}
        for staged in chosen:
            sources |= staged.sources
            records = staged.staging.generation.fresh | records
            del self._staged[staged.id]
        catalog = self._catalog.replaced(moved, [plug for staged in chosen for plug in staged.staging.plugs])
        new = Generation(old.roots, sources, records, self._public)
        for record in records.values():
            record.generation = new
        old.is_current, new.is_current = False, True
        self._publish({name: record.module for name, record in records.items()}, moved)
        self._generation, self._catalog = new, catalog
        return [old.records[name] for name in moved if name in old.records]

    def _publish(self, modules: Mapping[str, ModuleType], gone: Collection[str]) -> None:
        for name in list(gone):
            old = self._public.get(name)
            if name not in modules and old is not None:
                del self._public[name]
                if sys.modules.get(name) is old:
                    del sys.modules[name]
        self._public.update(modules)
        sys.modules.update(modules)

    def _let_go(self, staged: list[Staged]) -> None:
        """Undo what was staged."""
        for one in staged:
            self._staged.pop(one.id, None)
            self._end(one.staging.owed())

    def _end(self, records: list[Record]) -> None:
        if records:
            self._reaper.add(lambda: self._unload(records), [record.module for record in records])

    def _unload(self, records: list[Record]) -> None:
        for record in records:
            for function in record.on_unload:
                problem = unload(record.source, function, self._run_async, self._import_limit_s)
                if problem is not None:
                    self._report(problem)
        used = {record.source.filename for record in list(self._generation.records.values())}
        for record in records:
            if record.source.filename not in used:
                linecache.cache.pop(record.source.filename, None)

    def _group(self, staged: Staged) -> Group:
        before = {plug.event for plug in self._catalog.of(staged.modules)}
        if staged.failures:
            return self._failed_group(staged, before)
        after = self._catalog.replaced(staged.modules, staged.staging.plugs)
        events = sorted(before | {plug.event for plug in staged.staging.plugs})
        plugs = {event: plug for event in events if (plug := after.get(event)) is not None}
        changed = {event: plug for event, plug in plugs.items() if plug is not self._catalog.get(event)}
        gone = tuple(event for event in events if event not in plugs)
        return Group(staged.id, staged.modules, _in_order(staged.sources), changed, gone)

    @staticmethod
    def _failed_group(staged: Staged, served: set[str]) -> Group:
        claims = (source.facts.claims for source in staged.sources.values())
        events = tuple(sorted(served.union(*claims)))
        traces: dict[Problem, str] = {}
        for failure in staged.failures:
            traces[failure.problem] = traces.get(failure.problem) or failure.trace
        problems = sorted(traces)
        return Group(
            id=staged.id,
            modules=staged.modules,
            sources=_in_order(staged.sources),
            plugs={},
            problems=tuple(msgspec.structs.replace(problem, events=problem.events or events) for problem in problems),
            traces=tuple(traces[problem] for problem in problems),
        )

    def _all_problems(self, contents: Contents) -> tuple[Problem, ...]:
        wrong = {problem.file for problem in contents.problems}
        served = {s.file: tuple(sorted(self._events(s))) for s in contents.sources.values() if s.file in wrong}
        problems = [
            msgspec.structs.replace(problem, events=problem.events or served.get(problem.file, ()))
            for problem in contents.problems
        ]
        return tuple(sorted({*problems, *self._attempts.problems()}))


def _in_order(sources: Mapping[str, Source]) -> tuple[Source, ...]:
    return tuple(sources[name] for name in sorted(sources))
