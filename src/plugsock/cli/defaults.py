"""The default plugs that come with plugsock, read without being run."""

import ast
from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct

from plugsock.loader.folders import embedded
from plugsock.loader.source import Source
from plugsock.model import AUTHENTICATE, Announcement


class Default(Struct, frozen=True):
    """One file of default plugs."""

    name: str
    """`chat` for chat.py."""
    file: Path
    events: tuple[str, ...]
    about: str
    """First line of its docstring."""


def defaults() -> list[Default]:
    """Every file of default plugs, in the order of their names; none where plugsock was installed without them."""
    folder = embedded()
    files = folder.glob("*.py") if folder is not None else ()
    return [_read(file) for file in sorted(files) if not file.name.startswith("_")]


def overridden(events: Iterable[Announcement]) -> list[str]:
    """Which of these events a default plug would answer if the user's folder did not."""
    files = {event: default.file for default in defaults() for event in default.events}
    return sorted(
        each.event
        for each in events
        if each.origin == "folder"
        and each.event in files
        and _is_other(each.place, files[each.event])
        and each.event != AUTHENTICATE  # whether a default plug would answer that, is up to the server's variables
    )


def _is_other(place: str, default: Path) -> bool:
    """Is a place (`file:line`) in another file? Who serves the folder of the default plugs overrides nothing."""
    file = Path(place.rpartition(":")[0])
    return not (file.exists() and file.samefile(default))


def _read(file: Path) -> Default:
    source = Source(f"plugsock_embedded.{file.stem}", str(file), str(file), file.read_bytes(), origin="embedded")
    about = ast.get_docstring(ast.parse(source.data)) or ""
    return Default(file.stem, file, tuple(sorted(source.facts.claims)), about.partition("\n")[0])
