"""What is wrong with what a file needs."""

import platform
import sys
from collections.abc import Iterator, Sequence

from msgspec import Struct

from plugsock.needs.installed import Installed
from plugsock.needs.metadata import Malformed, Metadata, read


class Flaw(Struct, frozen=True):
    """One thing that keeps a file from being loaded."""

    line: int
    message: str
    needs: tuple[str, ...] = ()
    """The requirement that is not met and could be installed."""


def flaws(text: str, path: Sequence[str] | None = None) -> list[Flaw]:
    """Find all that keeps a file from being loaded, as it says itself what it needs.

    Args:
        text: The file, its lines ending in newlines alone.
        path: Where modules are found; by default `sys.path`.
    """
    try:
        metadata = read(text)
    except Malformed as wrong:
        return [Flaw(wrong.line, str(wrong))]
    return [*_python(metadata), *_dependencies(metadata, Installed(sys.path if path is None else path))]


def _python(metadata: Metadata) -> Iterator[Flaw]:
    version = platform.python_version().rstrip("+")  # what is built from a checkout, as some systems do it, has one
    if not metadata.python.contains(version, prereleases=True):
        yield Flaw(metadata.python_line, f"it needs Python {metadata.python}, and this is {version}")


def _dependencies(metadata: Metadata, installed: Installed) -> Iterator[Flaw]:
    for each in metadata.dependencies:
        if lack := installed.lacks(each.requirement):
            yield Flaw(each.line, f"it needs {each.text}, {lack}: run `plugsock pip sync`", (each.text,))
