"""What a file itself says that it may do: `# plugsock: allow any, bare-container`.

Behind a function, a parameter, a class or a field the comment is for that; on a line of its own above all statements it is
for the whole file.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from plugsock.checks.rules import RULES, unknown

COMMENT: Final = re.compile(r"#\s*plugsock:\s*(.*)")
ALLOW: Final = re.compile(r"allow\s+([\w-]+(?:\s*,\s*[\w-]+)*)")


class Comments(Struct, frozen=True):
    """What the comments of a file say."""

    everywhere: frozenset[str] = frozenset()
    """Rules that are off in the whole file."""
    lines: dict[int, frozenset[str]] = {}
    """Rules that are off for what stands on a line."""
    wrong: tuple[tuple[int, str], ...] = ()
    """Lines whose comment can't be followed, and why."""

    def allows(self, rule: str, lines: frozenset[int]) -> bool:
        """Is a rule off for what a comment on any of these lines is for?"""
        return rule in self.everywhere or any(rule in self.lines.get(line, ()) for line in lines)


def read(text: str, tree: ast.Module) -> Comments:
    """Read the comments of a file.

    Args:
        text: The file.
        tree: The same, parsed.
    """
    everywhere: set[str] = set()
    lines: dict[int, frozenset[str]] = {}
    wrong: list[tuple[int, str]] = []
    top = _first_statement(tree)
    for line, said, is_alone in _said(text):
        names = _names(said)
        wrong += [(line, unknown(name)) for name in names if name not in RULES]
        if not names:
            wrong.append((line, "after `# plugsock:` come `allow` and the names of rules, as in `allow any`"))
        elif not is_alone:
            lines[line] = frozenset(names)
        elif line < top:
            everywhere.update(names)
        else:
            wrong.append((line, "this is for nothing: put it behind what it is for, or above all of the file"))
    return Comments(frozenset(everywhere), lines, tuple(wrong))


def _said(text: str) -> Iterator[tuple[int, str, bool]]:
    """Line, what is said to us, and whether nothing else stands on the line."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT and (found := COMMENT.search(token.string)):
            yield token.start[0], found[1], not token.line[: token.start[1]].strip()


def _names(said: str) -> list[str]:
    found = ALLOW.match(said)
    return [name.strip() for name in found[1].split(",")] if found else []


def _first_statement(tree: ast.Module) -> float:
    """The line of the first statement that is no docstring."""
    body = tree.body[1:] if ast.get_docstring(tree, clean=False) is not None else tree.body
    return min((first_line(node) for node in body[:1]), default=float("inf"))


def first_line(node: ast.stmt) -> int:
    """Where a statement begins, its decorators included."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(each.lineno for each in decorators)])
