"""A Python file of a plugs folder as it was read: its bytes, and what they say without being run."""

import ast
import functools
import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from types import CodeType
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from plugsock.loader import depends
from plugsock.model import AUTHENTICATE, MOMENTS, Problem

Origin: TypeAlias = Literal["folder", "embedded"]

TOPIC: Final = "topic"
"""The word by which authors say a rule for topics."""

LONGEST_MESSAGE: Final = 300
"""Characters of an author's error message that a problem repeats."""


class Folder(Struct, frozen=True):
    """A folder of plugs and the name of the package that it is importable as."""

    path: Path
    package: str = "plugs"
    origin: Origin = "folder"
    is_trusted: bool = False
    """Load it even if others can write to it, see `trust`."""


class Facts(Struct, frozen=True):
    """What a file says without being run."""

    code: CodeType | None = None
    """None if it can't be compiled."""
    imports: frozenset[str] = frozenset()
    """Modules of its own folder that it may import, function bodies included."""
    functions: dict[str, int] = {}
    """Line of each top-level function."""
    bodiless: frozenset[tuple[str, int]] = frozenset()
    """Name and first line, decorators included, of each function that has no body."""
    is_trivial: bool = False
    """It has no statements: as a package, nobody depends on it."""
    claims: frozenset[str] = frozenset()
    """Events that it may define: those of its decorated functions, and its rules for topics."""
    problem: Problem | None = None
    """Why it can't be used, if that is plain already."""


@dataclass(frozen=True, eq=False)
class Source:
    """One file, read once: what is compiled is what was hashed."""

    module: str
    """Full name: `plugs.chat.rooms`; a package's `__init__.py` has the package's."""
    path: str
    file: str
    """The path as the user would type it, on one line."""
    data: bytes
    is_package: bool = False
    is_helper: bool = False
    """A part of its name begins with `_`: importable, but no events."""
    origin: Origin = "folder"
    is_implicit: bool = False
    """A package without an `__init__.py`: there is no such file."""

    @functools.cached_property
    def digest(self) -> str:
        """SHA-256 of the bytes, in hex."""
        return hashlib.sha256(self.data).hexdigest()

    @functools.cached_property
    def filename(self) -> str:
        """What tracebacks call this revision of the file, so that they show the source that ran."""
        return f"{self.path}#{self.digest[:8]}"

    @functools.cached_property
    def facts(self) -> Facts:
        """Parse and compile, once per content."""
        try:
            tree = compile(self.data, self.filename, "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
            assert isinstance(tree, ast.Module)
            code = compile(tree, self.filename, "exec", dont_inherit=True)
        except SyntaxError as error:
            return Facts(problem=self.problem(error.lineno or 0, f"{type(error).__name__}: {error.msg}"))
        except Exception as error:  # NUL bytes (3.11), too deeply nested: no SyntaxError, but no Python either
            return Facts(problem=self.problem(0, f"it can't be compiled: {type(error).__name__}: {error}"))
        functions = depends.top_level_functions(tree)
        return Facts(
            code=code,
            problem=self._double([node for node in tree.body if isinstance(node, depends.Function)]),
            imports=depends.imports(tree, self.module, is_package=self.is_package),
            is_trivial=not tree.body or (len(tree.body) == 1 and ast.get_docstring(tree) is not None),
            functions={node.name: node.lineno for node in functions},
            bodiless=depends.bodiless(tree),
            claims=frozenset(self._rules(depends.top_level_calls(tree))).union(*map(self._claims, functions)),
        )

    def _double(self, functions: list[depends.Function]) -> Problem | None:
        """Of two plugs of one name Python would keep the second and say nothing."""
        first: dict[str, int] = {}
        for node in functions:
            if claims := self._claims(node):
                line = first.setdefault(node.name, node.lineno)
                if line != node.lineno:
                    event = min(claims)  # `@` comes before all letters: what is said of it names the mark
                    return self.problem(node.lineno, defined_twice(event, f"{self.file}:{line}"), (event,))
        return None

    def _claims(self, node: depends.Function) -> set[str]:
        """The events that a function may answer, as far as its decorators tell."""
        if self.holds_no_events:
            return set()
        claims = {self.answer(_name(decorator), node.name) for decorator in node.decorator_list}
        return {event for event in claims if event.startswith("@")} if node.name.startswith("_") else claims

    def _rules(self, calls: list[ast.Call]) -> set[str]:
        """The events of rules for topics, as far as the patterns stand in the text."""
        if self.holds_no_events:
            return set()
        patterns = (call.args[0] for call in calls if call.args and _name(call) == TOPIC)
        return {
            rule_event(pattern.value)
            for pattern in patterns
            if isinstance(pattern, ast.Constant) and isinstance(pattern.value, str)
        }

    def text(self, _module: str = "") -> str:
        """What it says, for tracebacks; called like a loader's `get_source`."""
        try:
            return importlib.util.decode_source(self.data)
        except (SyntaxError, UnicodeDecodeError):
            return self.data.decode(errors="replace")

    @property
    def holds_no_events(self) -> bool:
        """Helpers and `__init__.py` are for importing only."""
        return self.is_helper or self.is_package

    def event(self, function: str) -> str:
        """Name of the event that a function of this file answers: path and function in dots."""
        parts = self.module.split(".")[1:]
        if not parts or parts[-1] != function:
            parts.append(function)
        return ".".join(parts)

    def answer(self, mark: str, function: str) -> str:
        """Name of the event that a function of this file answers for one of its decorators, by that one's name."""
        if f"@{mark}" == AUTHENTICATE:
            return AUTHENTICATE
        return f"@{mark}:{self.event(function)}" if mark in MOMENTS else self.event(function)

    def problem(self, line: int, message: str, events: tuple[str, ...] = ()) -> Problem:
        """Say what is wrong here, on one line."""
        sentence = " ".join(one_line(message).split())
        if len(sentence) > LONGEST_MESSAGE:
            sentence = f"{sentence[: LONGEST_MESSAGE - 3]}..."
        return Problem(file=self.file, line=line, message=sentence, events=events)


def defined_twice(event: str, other: str) -> str:
    """Say that something else defines the same event, at `file:line`."""
    mark, _, name = event.partition(":")
    if event == AUTHENTICATE:
        return f"@authenticate stands here and at {other}: a folder has one, remove the other"
    if event == rule_event(name):
        return f"topic({name!r}) stands here and at {other}: a pattern has one rule, remove the other"
    if event.startswith("@"):
        return f"{name!r}, marked {mark}, is defined here and at {other}: rename or remove one"
    return f"the event {event!r} is defined here and at {other}: rename or remove one"


def rule_event(pattern: str) -> str:
    """The event that stands for a rule for topics."""
    return f"@{TOPIC}:{pattern}"


def _name(node: ast.expr) -> str:
    """What is called, or marks a function: `view` of `@view`, of `@view(on="orders")` and of `@plugsock.view`."""
    named = node.func if isinstance(node, ast.Call) else node
    return named.attr if isinstance(named, ast.Attribute) else getattr(named, "id", "")


def one_line(text: str) -> str:
    """Escape what could break a line of a log or a terminal: newlines, escapes, surrogates."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else " " if c in "\n\t" else c.encode("unicode_escape").decode() for c in text)
