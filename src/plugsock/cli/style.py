"""Printing: tables and colours for people on a terminal, plain lines in a pipe."""

import contextlib
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, TextIO

import msgspec

from plugsock.model import Problem
from plugsock.ops.output import printable

Color = Literal["auto", "always", "never"]


def is_rich(color: Color) -> bool:
    """Shall stdout get colours and tables?"""
    if color == "auto":
        return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return color == "always"


def rows(header: Sequence[str], lines: Iterable[Sequence[str]], *, rich: bool) -> None:
    """Print rows of cells: a table for people, or tab-separated lines without a header for programs."""
    safe = [[printable(cell) for cell in line] for line in lines]
    if rich:
        _table(header, safe)
    else:
        for line in safe:
            print("\t".join(line))


def problem(problem: Problem, *, rich: bool, file: TextIO | None = None) -> None:
    """Print what is wrong with a file, as compilers write it and editors read it."""
    place = printable(f"{near(problem.file)}:{problem.line}:")
    print(f"\x1b[1m{place}\x1b[0m" if rich else place, printable(problem.message), file=file)


def near(file: str) -> str:
    """A path as one would type it: seen from the working directory where it lies below that."""
    path, here = Path(file), Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else file


def json_line(text: str, *, rich: bool) -> None:
    """Print one JSON value on one line, at once: a stream's next item may be hours away."""
    if rich:
        from rich.console import Console
        from rich.json import JSON

        with contextlib.suppress(ValueError):  # what a Raw plug answers need not be JSON
            Console(force_terminal=True, no_color=False, soft_wrap=True).print(JSON(text, indent=None))
            return
    print(printable(text), flush=True)


def json_document(value: Any) -> None:
    """Print a value as indented JSON."""
    print(msgspec.json.format(msgspec.json.encode(value)).decode())


def fail(message: str) -> None:
    """Say on stderr, in one line, why a command did not work."""
    print(f"plugsock: {printable(message)}", file=sys.stderr)


def _table(header: Sequence[str], lines: Iterable[Sequence[str]]) -> None:
    # Rich takes 60 ms to import: commands that print plain lines do not wait for it.
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for number, title in enumerate(header):
        table.add_column(title, style="cyan" if number == 0 else None, overflow="fold", no_wrap=number == 0)
    for line in lines:
        table.add_row(*map(Text, line))
    Console(force_terminal=True, no_color=False).print(table)
