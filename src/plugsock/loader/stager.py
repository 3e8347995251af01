"""Stages groups, so that a broken one holds back as little as possible.

Two things are known only after modules have run: imports and events that their text does not show. What an attempt has
shown joins groups as their text does, and the joined ones are staged again. Only when no group needs anything beside
itself any more does a failure count: until then it may be that a module was missed that is there.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final, TypeAlias

from msgspec import Struct, field

from plugsock.loader.catalog import Catalog
from plugsock.loader.disk import Contents
from plugsock.loader.grouping import Move, revisions, static_imports
from plugsock.loader.isolate import Generation, Record, implicit_packages
from plugsock.loader.source import Source
from plugsock.loader.staging import Failure, RunAsync, Staging

Trying: TypeAlias = Callable[[str | None], None]
"""Is told the id of a group right before its modules are executed, and None when that and its `on_load`s have ended."""

REFUSED: Final = "importing this ended a worker: it is tried again when the file changes"


class Staged(Struct, eq=False):
    """A group as it was staged, or failed to be."""

    id: str
    modules: frozenset[str]
    sources: dict[str, Source]
    """Those of its modules that are still there."""
    staging: Staging
    failures: list[Failure]
    """Why it can't be committed; empty if it can."""


Seen: TypeAlias = dict[str, dict[str, set[str]]]
"""Module -> digest of its file -> what it was seen to do."""


class Memory(Struct):
    """What modules were seen to do, which their text does not say; it is forgotten with the content that did it."""

    imported: Seen = field(default_factory=dict)
    defined: Seen = field(default_factory=dict)

    def move(self, generation: Generation, catalog: Catalog, contents: Contents) -> Move:
        """From what is served to what the folders hold."""
        for seen in (self.imported, self.defined):
            _forget_all_but(seen, generation.sources, contents.sources)
        for record in list(generation.records.values()):
            _note(self.imported, record.source, tuple(record.imports))
        for plug in catalog.of(generation.sources):
            _note(self.defined, generation.sources[plug.module], {plug.event})
        return Move(
            old=generation.sources,
            new=contents.sources,
            imported=self.imported,
            defined=self.defined,
            loaded=set(generation.records),
            unsettled=contents.unsettled,
        )

    def note(self, staging: Staging) -> None:
        """Remember what one attempt has shown."""
        sources = staging.generation.sources
        for name, imports in list(staging.generation.imports.items()):
            if name in sources:
                _note(self.imported, sources[name], tuple(imports))
        for plug in staging.plugs:
            _note(self.defined, sources[plug.module], {plug.event})


def _note(seen: Seen, source: Source, what: Collection[str]) -> None:
    seen.setdefault(source.module, {}).setdefault(source.digest, set()).update(what)


def _forget_all_but(seen: Seen, *sources: Mapping[str, Source]) -> None:
    for name in list(seen):
        kept = {known[name].digest for known in sources if name in known}
        seen[name] = {digest: what for digest, what in seen[name].items() if digest in kept}
        if not seen[name]:
            del seen[name]


class Stager:
    """Stages the groups of one look.

    Args:
        move: From what is served to what the folders hold.
        generation: What is served.
        catalog: Its events.
        memory: What modules were seen to do; is told what these attempts show.
        run_async: Runs what is `async def` of `on_load`.
        limit_s: Seconds that an attempt may take.
        trying: Is told of each attempt.
        refused: Ids of groups that fail without being tried.
        checks_needs: Refuse what lacks something that it says it needs.
    """

    def __init__(
        self,
        move: Move,
        generation: Generation,
        catalog: Catalog,
        memory: Memory,
        run_async: RunAsync,
        limit_s: float,
        *,
        trying: Trying,
        refused: Collection[str] = (),
        checks_needs: bool = True,
    ) -> None:
        self._move = move
        self._generation = generation
        self._catalog = catalog
        self._memory = memory
        self._run_async = run_async
        self._limit_s = limit_s
        self._trying = trying
        self._refused = frozenset(refused)
        self._checks_needs = checks_needs
        self._graph = {name: static_imports(source, move.new) for name, source in move.new.items()}
        self._packages = {**generation.implicit, **implicit_packages(move.new, ())}
        self._live: frozenset[str] = frozenset()
        self._tried: dict[frozenset[str], Staged] = {}

    def stage(self, due: Iterable[frozenset[str]], aside: Iterable[frozenset[str]] = ()) -> list[Staged]:
        """Stage every group, as far as it can be; what is broken and was never served is left out with its importers.

        Each round either joins groups, or leaves modules out, or brings back what was set aside because modules were
        seen to need it that had not been seen so before: there is an end to it.

        Args:
            due: The groups, no two of them connected.
            aside: Groups that are staged only if it turns out that one of the others needs them.

        Returns:
            What was staged or failed, smallest name first.
        """
        self._live = frozenset().union(*due)
        resting: dict[frozenset[str], Staged | None] = dict.fromkeys(aside)
        while True:
            found = self._stage_live()
            if wanted := self._wanted(resting):
                self._live = self._live.union(*wanted)
                resting = {modules: staged for modules, staged in resting.items() if modules not in wanted}
                continue
            sick = [part for staged in found for part in self._sick(staged)]
            if not sick:
                left_out = [staged for staged in resting.values() if staged is not None]
                return sorted([*found, *left_out], key=lambda staged: min(staged.modules))
            self._live = self._live.difference(*(part.modules for part in sick))
            resting |= {part.modules: part for part in sick}

    def owed(self, kept: Collection[Staged]) -> list[Record]:
        """The modules of all other attempts that were loaded fully, so that their `on_unload` has to run."""
        spared = {id(staged.staging) for staged in kept}
        dropped = (staged.staging for staged in self._tried.values() if id(staged.staging) not in spared)
        return [record for staging in dropped for record in staging.owed()]

    def _stage_live(self) -> list[Staged]:
        """Stage what is live in parts, until no attempt shows that parts belong together."""
        while True:
            parts = self._move.parts(self._live)
            found = [self._attempt(part) for part in parts]
            self._live |= self._move.with_needs(self._live) - self._move.changed
            if self._move.parts(self._live) == parts:
                return found

    def _wanted(self, resting: Iterable[frozenset[str]]) -> list[frozenset[str]]:
        """What was set aside, but is needed by what is live."""
        needed = set().union(*(self._move.edges(name) for name in self._live))
        return [modules for modules in resting if not modules.isdisjoint(needed)]

    def _sick(self, staged: Staged) -> list[Staged]:
        """What of a group has to be left out so that the rest can go on; nothing if the group stands or falls as one."""
        culprits = {failure.module for failure in staged.failures} & staged.modules
        sick = self._move.importers(culprits, staged.modules)
        if sick == staged.modules or not sick.isdisjoint(self._move.old):
            return []
        return [
            self._staged(part, staged.staging, [one for one in staged.failures if one.module in part])
            for part in self._move.parts(sick)
        ]

    def _attempt(self, modules: frozenset[str]) -> Staged:
        """Stage a group, as if it were the only one; once is enough."""
        if modules not in self._tried:
            staging, id = self._staging(modules), self._move.id(modules)
            if id in self._refused:
                failures = self._refusals(modules)
            else:
                self._run(staging, id)
                failures = staging.failures
            self._tried[modules] = self._staged(modules, staging, failures)
        return self._tried[modules]

    def _run(self, staging: Staging, id: str) -> None:
        self._trying(id)
        try:
            staging.run(self._limit_s)
        finally:
            self._trying(None)
        self._memory.note(staging)

    def _refusals(self, modules: frozenset[str]) -> list[Failure]:
        """Blame what has changed; where that is files that are gone, all that would have to do without them."""
        sources = self._sources(modules)
        blamed = [source for name, source in sources.items() if name in self._move.changed] or sources.values()
        return [Failure(source.module, source.problem(0, REFUSED)) for source in blamed]

    def _staging(self, modules: frozenset[str]) -> Staging:
        committed, new = self._generation, self._sources(modules)
        kept = {name: source for name, source in committed.sources.items() if name not in modules}
        carried = {name: record for name, record in list(committed.records.items()) if name not in modules}
        generation = Generation(committed.roots, kept | new, carried, committed.public, self._packages)
        return Staging(
            modules=modules,
            generation=generation,
            revisions=revisions(new, self._move.new, self._graph),
            in_use=modules & committed.records.keys(),
            catalog=self._catalog,
            run_async=self._run_async,
            checks_needs=self._checks_needs,
        )

    def _staged(self, modules: frozenset[str], staging: Staging, failures: list[Failure]) -> Staged:
        return Staged(self._move.id(modules), modules, self._sources(modules), staging, failures)

    def _sources(self, modules: frozenset[str]) -> dict[str, Source]:
        return {name: self._move.new[name] for name in modules if name in self._move.new}
