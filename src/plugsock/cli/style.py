"""Printing: tables and colours for people on a terminal, plain lines in a pipe."""

import codecs
import contextlib
import os
import shutil
import sys
from collections.abc import Collection, Iterable, Sequence
from io import TextIOWrapper
from json import dumps
from pathlib import Path
from typing import Any, Final, Literal, TextIO

import msgspec

from plugsock.model import Problem
from plugsock.ops.output import printable

Color = Literal["auto", "always", "never"]

WIDE: Final = 100
"""Columns of a terminal."""


def is_rich(color: Color) -> bool:
    """Shall stdout get tables?"""
    if color == "auto":
        return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
    return color == "always"


def has_colors(color: Color) -> bool:
    """Shall stdout get colours? NO_COLOR takes them away, and leaves tables."""
    return is_rich(color) and (color == "always" or not os.environ.get("NO_COLOR"))


def rows(
    header: Sequence[str],
    lines: Iterable[Sequence[str]],
    color: Color,
    *,
    may_be_cut: Collection[str] = (),
    only_wide: Collection[str] = (),
) -> None:
    """Print rows of cells: a table for people, or tab-separated lines without a header for programs.

    Args:
        header: The columns' titles.
        lines: The cells.
        color: What was asked for.
        may_be_cut: Columns that end in an ellipsis where the terminal is too narrow for all.
        only_wide: Columns of a table that are left out below `WIDE`, where a few letters of each would be left.
    """
    safe = [[printable(cell) for cell in line] for line in lines]
    if is_rich(color):
        left_out = only_wide if shutil.get_terminal_size().columns < WIDE else ()
        _table(header, safe, may_be_cut, left_out, colors=has_colors(color))
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
            is_unicode = codecs.lookup(sys.stdout.encoding).name.startswith("utf")
            shown = JSON(text, indent=None, ensure_ascii=not is_unicode)
            Console(force_terminal=True, no_color=False, soft_wrap=True).print(shown)
            return
    print(_encodable(printable(text)), flush=True)


def json_document(value: Any) -> None:
    """Print a value as indented JSON."""
    print(_encodable(msgspec.json.format(msgspec.json.encode(value)).decode()))


def _encodable(json: str) -> str:
    """JSON that says by number what the terminal's encoding has no bytes for."""
    try:
        json.encode(sys.stdout.encoding)
    except UnicodeEncodeError:
        return "".join(char if char.isascii() else dumps(char)[1:-1] for char in json)
    return json


def survive_any_text() -> None:
    """Let stdout show as an escape what its encoding has no bytes for, as stderr does."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def fail(message: str) -> None:
    """Say on stderr, in one line, why a command did not work."""
    print(f"plugsock: {printable(message)}", file=sys.stderr)


def _table(
    header: Sequence[str],
    lines: Iterable[Sequence[str]],
    may_be_cut: Collection[str],
    left_out: Collection[str],
    *,
    colors: bool,
) -> None:
    # Rich takes 60 ms to import: commands that print plain lines do not wait for it.
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold")
    shown = [number for number, title in enumerate(header) if title not in left_out]
    for title in (header[number] for number in shown):
        table.add_column(title, style="cyan" if title == header[0] else None, no_wrap=title not in may_be_cut)
    for line in lines:
        table.add_row(*(Text(line[number], no_wrap=True, overflow="ellipsis") for number in shown))
    Console(force_terminal=True, no_color=False, color_system="auto" if colors else None).print(table)
