"""Which functions of a plug's own file run, and where in the file they stand."""

import ast
import linecache
import sys
from collections.abc import Iterator
from types import CodeType, FrameType
from typing import Any, Final, TypeAlias

from msgspec import Struct

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef

FUNCTION: Final = (ast.FunctionDef, ast.AsyncFunctionDef)


class Section(Struct, frozen=True):
    """A function of the file, with all that is defined within it."""

    name: str
    first: int
    last: int


class Ran:
    """While it is entered, writes down which code of a file begins to run in this thread.

    Attributes:
        codes: What has run, in order.
    """

    def __init__(self, file: str) -> None:
        self.codes: dict[CodeType, None] = {}
        self._file = file

    def __enter__(self) -> None:
        sys.settrace(self._began)

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)

    def _began(self, frame: FrameType, _event: str, _argument: Any) -> None:
        if frame.f_code.co_filename == self._file:
            self.codes[frame.f_code] = None


def text_of(file: str) -> str:
    """The source that runs."""
    return "".join(linecache.getlines(file))


def sections(tree: ast.Module, codes: list[CodeType], first: str) -> list[Section]:
    """The outermost functions that have run, the one that is called `first` before the others."""
    functions = list(_outermost(tree, ""))
    found = {_section(functions, code): None for code in codes if code.co_name != "<module>"}
    return sorted(found, key=lambda section: (section.name != first, section.first))


def _outermost(node: ast.AST, prefix: str) -> Iterator[tuple[str, Function]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, FUNCTION):
            yield prefix + child.name, child
        else:
            yield from _outermost(child, f"{prefix}{child.name}." if isinstance(child, ast.ClassDef) else prefix)


def _section(functions: list[tuple[str, Function]], code: CodeType) -> Section:
    for name, node in functions:
        begin = min([node.lineno, *(each.lineno for each in node.decorator_list)])
        if begin <= code.co_firstlineno <= (node.end_lineno or node.lineno):
            return Section(name, node.lineno, node.end_lineno or node.lineno)
    lines = [line for _, _, line in code.co_lines() if line]
    return Section(code.co_qualname, min(lines), max(lines))
