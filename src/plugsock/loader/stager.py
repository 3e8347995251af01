"""Stages groups one after another, so that a broken one holds back as little as possible.

Two things are known only after modules have run: imports and events that their text does not show. Groups that turn
out to be entangled by them are staged again as one.
"""

from collections.abc import Iterator

from msgspec import Struct, field

from plugsock.loader.catalog import Catalog
from plugsock.loader.depends import components
from plugsock.loader.disk import Contents
from plugsock.loader.grouping import Move, revisions, static_imports, without_trivial
from plugsock.loader.isolate import Generation, implicit_packages
from plugsock.loader.source import Source
from plugsock.loader.staging import RunAsync, Staging


class Staged(Struct, eq=False):
    """A group as it was staged, or failed to be."""

    id: str
    modules: frozenset[str]
    sources: dict[str, Source]
    """Those of its modules that are still there."""
    staging: Staging

    @property
    def failed(self) -> bool:
        """It can't be committed."""
        return bool(self.staging.failures.problems)


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
        for plug in catalog.of(set(generation.sources)):
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
        if not staged.failed:
            yield staged
            return
        sick = frozenset(self._move.importers(staged.staging.failures.culprits & modules, modules))
        rest = modules - sick
        if not sick or not rest or not sick.isdisjoint(self._move.old):
            yield staged
            return
        yield Staged(self._move.id(sick), sick, self._sources(sick), staged.staging)
        for part in components(rest, self._move.links(rest)):
            yield from self._stage(part)

    def _attempt(self, modules: frozenset[str]) -> Staged:
        committed, new = self._generation, self._sources(modules)
        kept = {name: source for name, source in committed.sources.items() if name not in modules}
        carried = {name: record for name, record in list(committed.records.items()) if name not in modules}
        packages = {**committed.implicit, **implicit_packages(new, ())}
        generation = Generation(committed.roots, kept | new, carried, committed.public, packages)
        staging = Staging(
            modules, generation, revisions(new, self._move.new, self._graph), self._catalog, self._run_async
        )
        staging.run(self._limit_s)
        self._memory.note(staging)
        return Staged(self._move.id(modules), modules, new, staging)

    def _sources(self, modules: frozenset[str]) -> dict[str, Source]:
        return {name: self._move.new[name] for name in modules if name in self._move.new}

    def _entangled(self, found: list[Staged]) -> tuple[Staged, Staged] | None:
        """Two groups of which one was seen to need or define what is the other's, the first time they are seen so."""
        for one in found:
            touched, events = self._touched(one), self._events(one)
            for other in found:
                both = one.modules | other.modules
                if other is one or both in self._joined:
                    continue
                if touched & (other.modules | self._loaded(other)) or events & self._events(other):
                    self._joined.add(both)
                    return one, other
        return None

    def _touched(self, staged: Staged) -> set[str]:
        imports = staged.staging.generation.imports
        return (without_trivial(set().union(*imports.values()), self._move.new) | self._loaded(staged)) - staged.modules

    def _loaded(self, staged: Staged) -> set[str]:
        """Modules that it was the first to load, though they are not its own."""
        fresh = staged.staging.generation.fresh
        names = {name for name, record in fresh.items() if not record.source.is_implicit}
        return without_trivial(names, self._move.new) - staged.modules

    def _events(self, staged: Staged) -> set[str]:
        plugs = [*staged.staging.plugs, *self._catalog.of(staged.modules)]
        return {plug.event for plug in plugs}
