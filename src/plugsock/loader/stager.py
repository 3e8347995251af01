"""Stages groups one after another, so that a broken one holds back as little as possible.

Two things are known only after modules have run: imports and events that their text does not show. Groups that turn
out to be entangled by them are staged again as one.
"""

from collections.abc import Iterator

from msgspec import Struct, field

from plugsock.loader.catalog import Catalog
from plugsock.loader.disk import Contents
from plugsock.loader.grouping import Move, revisions, static_imports, without_trivial
from plugsock.loader.isolate import Generation, implicit_packages
from plugsock.loader.source import Source
from plugsock.loader.staging import Failure, RunAsync, Staging


class Staged(Struct, eq=False):
    """A group as it was staged, or failed to be."""

    id: str
    modules: frozenset[str]
    sources: dict[str, Source]
    """Those of its modules that are still there."""
    staging: Staging
    failures: list[Failure]
    """Why it can't be committed; empty if it can."""


class Memory(Struct):
    """What modules were seen to do in attempts that were not committed."""

    imported: dict[str, set[str]] = field(default_factory=dict)
    defined: dict[str, set[str]] = field(default_factory=dict)

    def move(self, generation: Generation, catalog: Catalog, contents: Contents) -> Move:
        """From what is served to what the folders hold."""
        for seen in (self.imported, self.defined):
            for name in seen.keys() - contents.sources.keys() - generation.sources.keys():
                del seen[name]
        for name, record in list(generation.records.items()):
            self.imported.setdefault(name, set()).update(tuple(record.imports))
        for plug in catalog.of(generation.sources):
            self.defined.setdefault(plug.module, set()).add(plug.event)
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
        for name, imports in list(staging.generation.imports.items()):
            self.imported.setdefault(name, set()).update(imports)
        for plug in staging.plugs:
            self.defined.setdefault(plug.module, set()).add(plug.event)


class Stager:
    """Stages the groups of one look."""

    def __init__(
        self,
        move: Move,
        generation: Generation,
        catalog: Catalog,
        memory: Memory,
        run_async: RunAsync,
        limit_s: float,
    ) -> None:
        self._move = move
        self._generation = generation
        self._catalog = catalog
        self._memory = memory
        self._run_async = run_async
        self._limit_s = limit_s
        self._graph = {name: static_imports(source, move.new) for name, source in move.new.items()}
        self._joined: set[frozenset[str]] = set()

    def stage(self, groups: list[frozenset[str]]) -> list[Staged]:
        """Stage every group, as far as it can be."""
        found = [staged for modules in groups for staged in self._stage(modules)]
        while (pair := self._entangled(found)) is not None:
            found = [staged for staged in found if staged not in pair]
            found += self._stage(pair[0].modules | pair[1].modules)
        return found

    def _stage(self, modules: frozenset[str]) -> Iterator[Staged]:
        """Stage a group; what is broken and was never served is left out, and the rest goes on without it."""
        staged = self._attempt(modules)
        if not staged.failures:
            yield staged
            return
        culprits = {failure.module for failure in staged.failures} & modules
        sick = self._move.importers(culprits, modules)
        rest = modules - sick
        if not rest or not sick.isdisjoint(self._move.old):
            yield staged
            return
        for part in self._move.parts(sick):
            yield self._staged(part, staged.staging, [one for one in staged.failures if one.module in part])
        for part in self._move.parts(rest):
            yield from self._stage(part)

    def _attempt(self, modules: frozenset[str]) -> Staged:
        committed, new = self._generation, self._sources(modules)
        kept = {name: source for name, source in committed.sources.items() if name not in modules}
        carried = {name: record for name, record in list(committed.records.items()) if name not in modules}
        packages = {**committed.implicit, **implicit_packages(new, ())}
        generation = Generation(committed.roots, kept | new, carried, committed.public, packages)
        staging = Staging(
            modules=modules,
            generation=generation,
            revisions=revisions(new, self._move.new, self._graph),
            in_use=modules & committed.records.keys(),
            catalog=self._catalog,
            run_async=self._run_async,
        )
        staging.run(self._limit_s)
        self._memory.note(staging)
        return self._staged(modules, staging, staging.failures)

    def _staged(self, modules: frozenset[str], staging: Staging, failures: list[Failure]) -> Staged:
        return Staged(self._move.id(modules), modules, self._sources(modules), staging, failures)

    def _sources(self, modules: frozenset[str]) -> dict[str, Source]:
        return {name: self._move.new[name] for name in modules if name in self._move.new}

    def _entangled(self, found: list[Staged]) -> tuple[Staged, Staged] | None:
        """Two groups of which one was seen to need or define what is the other's, the first time they are seen so."""
        owners: dict[str | tuple[str, str], Staged] = {}
        for staged in found:
            things: set[str | tuple[str, str]] = {*staged.modules, *self._loaded(staged), *self._events(staged)}
            for thing in things:
                other = owners.setdefault(thing, staged)
                if self._is_new_pair(staged, other):
                    return staged, other
        for staged in found:
            for name in self._touched(staged):
                other = owners.get(name, staged)
                if self._is_new_pair(staged, other):
                    return staged, other
        return None

    def _is_new_pair(self, one: Staged, other: Staged) -> bool:
        if one is other:
            return False
        both = one.modules | other.modules
        if both in self._joined:
            return False
        self._joined.add(both)
        return True

    def _touched(self, staged: Staged) -> set[str]:
        imports = staged.staging.generation.imports
        return without_trivial(set().union(*imports.values()), self._move.new) - staged.modules

    def _loaded(self, staged: Staged) -> set[str]:
        """Modules that it was the first to load, though they are not its own."""
        fresh = staged.staging.generation.fresh
        names = {name for name, record in fresh.items() if not record.source.is_implicit}
        return without_trivial(names, self._move.new) - staged.modules

    def _events(self, staged: Staged) -> set[tuple[str, str]]:
        plugs = [*staged.staging.plugs, *self._catalog.of(staged.modules)]
        return {(plug.origin, plug.event) for plug in plugs}
