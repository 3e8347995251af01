"""What a file says that it needs: inline script metadata, as PEP 723 has it.

    # /// script
    # requires-python = ">=3.12"
    # dependencies = ["orjson>=3", "humanize"]
    # ///

Text in, requirements out: nothing is looked up here.
"""

import re
import tomllib
from typing import Any, Final

from msgspec import Struct
from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from plugsock.needs.places import MARKER

BLOCK: Final = re.compile(r"(?m)^# /// (?P<type>[a-zA-Z0-9-]+)$\s(?P<content>(^#(| .*)$\s)+)^# ///$")
"""The reference implementation's, from PEP 723."""


class Malformed(Exception):
    """The metadata can't be read.

    Attributes:
        line: Where in the file.
    """

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


class Dependency(Struct, frozen=True):
    """One of the `dependencies`."""

    line: int
    """Where in the file it stands."""
    text: str
    """As it stands there."""
    requirement: Requirement


class Metadata(Struct, frozen=True):
    """What a file says about what it needs; other keys and tools' own tables are theirs."""

    dependencies: tuple[Dependency, ...] = ()
    python: SpecifierSet = SpecifierSet()
    """The versions of Python that it is for."""
    python_line: int = 0
    """Where that stands."""


NONE: Final = Metadata()


def read(text: str) -> Metadata:
    """Find and read the metadata of a file; nothing is needed where there is none.

    Args:
        text: The file, its lines ending in newlines alone.

    Raises:
        Malformed: There are two blocks, or it is not TOML, or a value can't be what it says.
    """
    if MARKER not in text:
        return NONE
    blocks = [match for match in BLOCK.finditer(text) if match["type"] == "script"]
    if not blocks:
        return NONE
    first = 1 + text.count("\n", 0, blocks[0].start("content"))
    if len(blocks) > 1:
        line = 1 + text.count("\n", 0, blocks[1].start())
        raise Malformed(line, f"it says what it needs twice, here and in line {first - 1}: remove one of the blocks")
    content = [line.removeprefix("#").removeprefix(" ") for line in blocks[0]["content"].splitlines()]
    table = _parsed("\n".join(content), first)
    return Metadata(_dependencies(table, content, first), *_python(table, content, first))


def _parsed(content: str, first: int) -> dict[str, Any]:
    try:
        return tomllib.loads(content)
    except tomllib.TOMLDecodeError as wrong:
        what, _, where = str(wrong).partition(" (at ")
        found = re.search(r"line (\d+)", where)
        last = content.rstrip("\n").count("\n")
        line = int(found[1]) - 1 if found else last
        raise Malformed(first + line, f"what it needs is not TOML: {what}") from wrong


def _dependencies(table: dict[str, Any], content: list[str], first: int) -> tuple[Dependency, ...]:
    said = table.get("dependencies", [])
    if not isinstance(said, list) or not all(isinstance(each, str) for each in said):
        line = _line("dependencies", content, first)
        raise Malformed(line, 'dependencies is a list of texts: dependencies = ["orjson>=3"]')
    return tuple(_dependency(each, _line(each, content, first)) for each in said)


def _dependency(text: str, line: int) -> Dependency:
    try:
        requirement = Requirement(text)
        if requirement.marker is not None:
            requirement.marker.evaluate({"extra": ""})  # only that shows whether it makes sense
        return Dependency(line, text, requirement)
    except (InvalidRequirement, UndefinedComparison, UndefinedEnvironmentName) as wrong:
        why = str(wrong).partition("\n")[0]
        raise Malformed(line, f"{text!r} is no requirement ({why}); one is written so: orjson>=3") from wrong


def _python(table: dict[str, Any], content: list[str], first: int) -> tuple[SpecifierSet, int]:
    said = table.get("requires-python", "")
    line = _line("requires-python", content, first)
    try:
        return SpecifierSet(said), line
    except (InvalidSpecifier, TypeError, AttributeError) as wrong:
        raise Malformed(line, f'requires-python = {said!r} should be a text such as ">=3.12"') from wrong


def _line(what: str, content: list[str], first: int) -> int:
    """The line that something stands on, which tomllib does not keep; the block's first one if it is written otherwise."""
    return next((number for number, line in enumerate(content, first) if what in line), first)
