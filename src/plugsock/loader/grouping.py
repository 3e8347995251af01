"""Which modules move together: connected by imports, or because they define one same event."""

import dataclasses
import functools
import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from plugsock.loader.depends import components, reached, reverse
from plugsock.loader.source import Source


@dataclass(frozen=True)
class Move:
    """From the modules that are served to those that the folder holds now."""

    old: Mapping[str, Source]
    new: Mapping[str, Source]
    imported: Mapping[str, Mapping[str, Collection[str]]]
    """What modules were seen to import, by the digest of the content that did; grows while staging."""
    defined: Mapping[str, Mapping[str, Collection[str]]]
    """Events that modules were seen to define, by the digest of the content that did; grows while staging."""
    loaded: Collection[str]
    """Modules that are in use already; others are loaded together with whoever imports them."""
    unsettled: Collection[str]
    """Modules that are being written: what depends on them stays as it is until they are complete."""

    @functools.cached_property
    def changed(self) -> frozenset[str]:
        """Modules that came, went, or have another content; those that are being written count too."""
        both = self.old.keys() | self.new.keys()
        return frozenset(name for name in both if self._is_changed(name)) | frozenset(self.unsettled)

    @functools.cached_property
    def graph(self) -> dict[str, set[str]]:
        """Who may import whom, before or after."""
        return {name: self.edges(name) for name in self.old.keys() | self.new.keys()}

    def groups(self) -> list[frozenset[str]]:
        """The groups of changed modules and all that depends on them, smallest name first."""
        if not self.changed:
            return []
        moving = reached(self.changed, reverse(self.graph))
        return [part for part in self.parts(self.with_needs(moving)) if part.isdisjoint(self.unsettled)]

    def with_needs(self, modules: Collection[str]) -> frozenset[str]:
        """Modules, and those that are loaded when they are: two groups may not load one each."""
        waiting = {name: self._needs(name) for name in self.new}
        return frozenset(name for name in reached(modules, waiting) if name in self.old or name in self.new)

    def parts(self, modules: Collection[str]) -> list[frozenset[str]]:
        """Split modules into groups; such in which nothing has changed are left out."""
        return [part for part in components(modules, self._links(modules)) if not part.isdisjoint(self.changed)]

    def without(self, modules: Collection[str]) -> "Move":
        """The same as if these new modules were not there."""
        return dataclasses.replace(self, new={name: s for name, s in self.new.items() if name not in modules})

    def edges(self, name: str, *sources: Mapping[str, Source]) -> set[str]:
        """What a module may import: as its text says, before or after, and as it was seen to.

        Args:
            name: The module.
            sources: Where its text is looked up; by default what is served and what the folder holds now.
        """
        edges: set[str] = set()
        for known in sources or (self.old, self.new):
            if name in known:
                seen = self.imported.get(name, {}).get(known[name].digest, ())
                edges |= static_imports(known[name], known) | without_trivial(seen, self.new)
        return edges

    def _is_changed(self, name: str) -> bool:
        old, new = self.old.get(name), self.new.get(name)
        return old is not new and (old is None or new is None or (old.digest, old.path) != (new.digest, new.path))

    def _needs(self, name: str) -> set[str]:
        """Modules that are loaded when it is, because nobody has needed them before."""
        needed = self.edges(name, self.new) | ancestors(name, self.new)
        return {name for name in needed if name in self.new and name not in self.loaded}

    def _links(self, modules: Collection[str]) -> Iterator[tuple[str, str]]:
        first: dict[str, str] = {}
        for name in modules:
            for other in self.edges(name) | (self._needs(name) if name in self.new else set()):
                yield name, other
            for other in self._files_around(name):
                yield name, other
            for event in self._events(name):
                yield first.setdefault(event, name), name

    def _files_around(self, name: str) -> Iterator[str]:
        """Files that were or are where this module's folder is: `chat.py` for `chat/send.py`."""
        parent = name.rpartition(".")[0]
        while parent:
            if any(parent in known and not known[parent].is_package for known in (self.old, self.new)):
                yield parent
            parent = parent.rpartition(".")[0]

    def _events(self, name: str) -> frozenset[str]:
        claims = self.new[name].facts.claims if name in self.new else frozenset()
        return claims.union(*self.defined.get(name, {}).values())

    def importers(self, modules: Collection[str], within: Collection[str]) -> frozenset[str]:
        """Some modules and all of a group that need them."""
        graph = {name: self.edges(name) for name in within}
        return frozenset(reached(modules, reverse(graph)) & set(within))

    def surroundings(self, modules: Collection[str]) -> set[str]:
        """All that decides whether modules can be loaded: what they may import, there or not, and rivals for events."""
        events = {event for name in modules for event in self._events(name)}
        rivals = {name for name in self.old.keys() | self.new.keys() if not events.isdisjoint(self._events(name))}
        return reached({*modules, *rivals}, {name: self.edges(name, self.new) for name in self.new})

    def id(self, modules: Collection[str]) -> str:
        """Name a group by its contents: the same on every worker that sees the same files."""
        lines = (f"{name} {self._content(name)}\n" for name in sorted(modules))
        return hashlib.sha256("".join(lines).encode()).hexdigest()[:16]

    def _content(self, name: str) -> str:
        return self.new[name].digest if name in self.new else "folder" if name in self._folders else ""

    @functools.cached_property
    def _folders(self) -> frozenset[str]:
        parts = (name.split(".") for name in self.new)
        return frozenset(".".join(each[:n]) for each in parts for n in range(1, len(each)))


def static_imports(source: Source, known: Mapping[str, Source]) -> set[str]:
    """What a file says that it imports, packages with nothing in their `__init__.py` left out."""
    return without_trivial(source.facts.imports, known)


def without_trivial(names: Collection[str], known: Mapping[str, Source]) -> set[str]:
    """Nobody depends on a package that holds nothing but modules."""
    return {name for name in names if not (name in known and known[name].is_package and known[name].facts.is_trivial)}


def ancestors(module: str, known: Mapping[str, Source]) -> set[str]:
    """The packages around a module whose `__init__.py` does something."""
    parts = module.split(".")
    return without_trivial({name for n in range(1, len(parts)) if (name := ".".join(parts[:n])) in known}, known)


def revisions(
    modules: Collection[str], sources: Mapping[str, Source], graph: Mapping[str, Collection[str]]
) -> dict[str, str]:
    """The revision of each module, given who imports whom."""
    found = {}
    for module in modules:
        closure = sorted(name for name in reached([module], graph) if name in sources)
        lines = "".join(f"{name} {sources[name].digest}\n" for name in closure)
        found[module] = hashlib.sha256(lines.encode()).hexdigest()[:8]
    return found
