"""What CPython has written into the code of a function while that ran: see PEP 659.

An instruction that can be specialised is followed by room of its own: a counter, then what its specialised form has to
know, the version of a type for instance. The counter moves whenever the general form runs, and whenever a specialised
one meets what it is not for; while that does not happen, nothing of it changes.
"""

import dis
import opcode
import platform
import sys
from collections.abc import Iterator, Mapping
from types import CodeType
from typing import Any, Final

from msgspec import Struct

CODE_UNIT: Final = 2
"""Bytes of an instruction, and of the counter."""

GIVES_UP: Final = sys.version_info < (3, 12)

UNCOUNTED: Final = frozenset({"JUMP_BACKWARD", "LOAD_CONST", "LOAD_FAST", "RESUME", "STORE_FAST"})
"""What has other forms that have nothing to do with types."""

DETAILED: Final = frozenset({"BINARY_OP", "COMPARE_OP", "LOAD_ATTR", "LOAD_GLOBAL", "LOAD_METHOD", "STORE_ATTR"})
"""Whose argument says something to people; of others it may be where to jump to, which is called otherwise each time."""

_tables: Any = opcode
_specializations: Final[Mapping[str, list[str]]] = getattr(_tables, "_specializations", {})

BASES: Final[Mapping[str, str]] = {
    form: base
    for base, forms in _specializations.items()
    if base not in UNCOUNTED
    for form in forms
    if not form.endswith("_ADAPTIVE")  # in 3.11, what counts until it is time to specialise
}
"""The specialised forms, and what each is one of."""

GENERAL: Final[Mapping[str, str]] = {
    general: base for base in _specializations if base not in UNCOUNTED for general in (base, f"{base}_ADAPTIVE")
}
"""Likewise for the forms that are for all types."""


class Form(Struct, frozen=True):
    """How one instruction looks at one moment."""

    name: str
    room: bytes
    """The counter, and what comes behind it."""

    @property
    def is_special(self) -> bool:
        """Is it for some types only?"""
        return self.name in BASES

    @property
    def has_given_up(self) -> bool:
        """Does it not even count any more? Python 3.11 does so where there is no form at all, as for a division."""
        return GIVES_UP and GENERAL.get(self.name) == self.name


class Place(Struct, frozen=True):
    """Where an instruction is."""

    code: CodeType
    offset: int
    name: str
    """Of the general form."""
    detail: str
    """Its argument for people: `+`, the name of an attribute."""
    position: tuple[int, int, int, int]
    """In the source, as syntax trees have it: first line and column, last line and column (in bytes of UTF-8)."""


def forms(code: CodeType) -> Iterator[tuple[Place, Form]]:
    """Look at all instructions of a function that can be specialised, not at those of functions within it."""
    adaptive: bytes = code._co_code_adaptive  # type: ignore[attr-defined]  # what `dis` shows, with the counters
    instructions = list(dis.get_instructions(code, adaptive=True))
    ends = [each.offset for each in instructions[1:]] + [len(adaptive)]
    for instruction, end in zip(instructions, ends, strict=True):
        name = BASES.get(instruction.opname) or GENERAL.get(instruction.opname)
        where = instruction.positions
        if name is None or where is None or None in where:
            continue
        position = (where.lineno or 0, where.col_offset or 0, where.end_lineno or 0, where.end_col_offset or 0)
        detail = instruction.argrepr if name in DETAILED else ""
        place = Place(code, instruction.offset, name, detail, position)
        yield place, Form(instruction.opname, adaptive[instruction.offset + CODE_UNIT : end])


def why_not() -> str | None:
    """Why this Python can't tell what it specialises, in one sentence; None if it can."""
    if sys.implementation.name != "cpython":
        return f"only CPython tells what it specialises, and this is {platform.python_implementation()}"
    if sys.gettrace() is not None or sys.getprofile() is not None or _is_monitored():
        return "CPython specialises less while it is traced: run this without a debugger, profiler or coverage"
    if not _specialises():
        return f"this Python {platform.python_version()} specialises nothing: it was built, or started, so"
    return None


def _is_monitored() -> bool:
    monitoring: Any = getattr(sys, "monitoring", None)
    return monitoring is not None and any(monitoring.get_events(tool) for tool in range(6) if monitoring.get_tool(tool))


def _specialises() -> bool:
    def add(a: int, b: int) -> int:
        return a + b

    for number in range(1000):
        add(number, 1)
    return any(form.is_special for _, form in forms(add.__code__))
