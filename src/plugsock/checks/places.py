"""Where classes, fields, parameters and functions stand in the files of a folder."""

import ast
import functools
import inspect
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from msgspec import Struct

from plugsock.checks import comments
from plugsock.checks.rules import Report
from plugsock.loader import depends
from plugsock.loader.catalog import Catalog, Plug
from plugsock.loader.isolate import Record
from plugsock.loader.source import Source
from plugsock.model import Problem

Node: TypeAlias = ast.stmt | ast.expr | ast.arg


class Place(Struct, frozen=True):
    """A line of a file."""

    file: str
    line: int
    lines: frozenset[int]
    """Where a comment is for what stands here: its own lines, and those that its class or function begins with."""


class Text:
    """One file."""

    def __init__(self, source: Source) -> None:
        self.file = source.file
        self._source = source

    @functools.cached_property
    def tree(self) -> ast.Module:
        """It can be parsed, since it was executed."""
        return ast.parse(self._source.data)

    @functools.cached_property
    def comments(self) -> comments.Comments:
        """What it says to us."""
        if b"plugsock:" not in self._source.data:
            return comments.Comments()
        return comments.read(self._source.text(), self.tree)

    @functools.cached_property
    def classes(self) -> dict[str, ast.ClassDef]:
        """By qualified name; of several of one name the last, as Python has it."""
        return dict(_classes(self.tree, ""))

    @functools.cached_property
    def functions(self) -> dict[int, depends.Function]:
        """By line of the `def`."""
        return {node.lineno: node for node in depends.top_level_functions(self.tree)}

    def field(self, cls: ast.ClassDef, name: str) -> Place | None:
        """Where a field of a class is declared, or of one that it names as its base: a TypedDict forgets its own."""
        for each in cls.body:
            if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name) and each.target.id == name:
                return self.place(each, cls)
        bases = (self.classes.get(base.id) for base in cls.bases if isinstance(base, ast.Name) and base.id != cls.name)
        found = (self.field(base, name) for base in bases if base is not None)
        return next((place for place in found if place is not None), None)

    def place(self, node: Node, owner: ast.stmt | None = None) -> Place:
        """Where a node stands, within a class or function."""
        lines = set(range(node.lineno, (node.end_lineno or node.lineno) + 1)) if owner is not None else set()
        whole = node if owner is None else owner
        first = comments.first_line(whole) if isinstance(whole, ast.stmt) else whole.lineno
        return Place(self.file, node.lineno, frozenset(lines | set(range(first, whole.lineno + 1))))


def _classes(node: ast.AST, prefix: str) -> Iterator[tuple[str, ast.ClassDef]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef):
            yield f"{prefix}{child.name}", child
            yield from _classes(child, f"{prefix}{child.name}.")
        elif isinstance(child, ast.stmt) and not isinstance(child, depends.Function):
            yield from _classes(child, prefix)


class Places:
    """The files that a catalogue was made from."""

    def __init__(self, catalog: Catalog) -> None:
        self._texts = {module: Text(source) for module, source in _sources(catalog).items() if not source.is_implicit}
        self._by_file = {text.file: text for text in self._texts.values()}

    def plug(self, plug: Plug) -> Place:
        """Where a function begins."""
        text, node = self._function(plug)
        if text is not None and node is not None:
            return text.place(node)
        file, _, line = plug.announcement.place.rpartition(":")
        return Place(file, int(line), frozenset({int(line)}))

    def parameter(self, plug: Plug, name: str) -> Place:
        """Where one of its parameters stands."""
        text, node = self._function(plug)
        if text is not None and node is not None:
            given = node.args
            for each in (*given.posonlyargs, *given.args, *given.kwonlyargs):
                if each.arg == name:
                    return text.place(each, node)
        return self.plug(plug)

    def result(self, plug: Plug) -> Place:
        """Where it says what comes out."""
        text, node = self._function(plug)
        if text is not None and node is not None and node.returns is not None:
            return text.place(node.returns, node)
        return self.plug(plug)

    def cls(self, cls: Any) -> Place | None:
        """Where a class begins; None if that is in no file of the folder."""
        text, node = self._class(cls)
        return None if text is None or node is None else text.place(node)

    def field(self, cls: Any, name: str) -> Place | None:
        """Where a field of a class is declared, in it or in what it inherits from."""
        for base in getattr(cls, "__mro__", ()):
            text, node = self._class(base)
            if text is not None and node is not None and (place := text.field(node, name)) is not None:
                return place
        return self.cls(cls)

    def is_silent(self, report: Report, lines: frozenset[int]) -> bool:
        """Does the file say that it may be so?"""
        text = self._by_file.get(report.file)
        return text is not None and text.comments.allows(report.rule, lines)

    def wrong_comments(self) -> list[Problem]:
        """Comments that can't be followed."""
        return [
            Problem(text.file, line, message) for text in self._texts.values() for line, message in text.comments.wrong
        ]

    def _class(self, cls: Any) -> tuple[Text | None, ast.ClassDef | None]:
        text = self._texts.get(getattr(cls, "__module__", ""))
        return text, None if text is None else text.classes.get(getattr(cls, "__qualname__", ""))

    def _function(self, plug: Plug) -> tuple[Text | None, depends.Function | None]:
        text = self._texts.get(plug.module)
        line = int(plug.announcement.place.rpartition(":")[2])
        return text, None if text is None else text.functions.get(line)


def _sources(catalog: Catalog) -> Mapping[str, Source]:
    """The sources of all modules that the plugs see."""
    found: dict[str, Source] = {}
    seen: set[int] = set()
    for plug in catalog.values():
        record = getattr(inspect.unwrap(plug.function), "__globals__", {}).get("__loader__")
        if isinstance(record, Record) and id(record.generation) not in seen:
            seen.add(id(record.generation))
            found |= record.generation.sources
    return found
