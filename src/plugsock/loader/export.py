"""Takes the modules of a plugs folder into another process: a pool's, that must import what it is to run by name.

What is taken is what the plug itself runs on that starts the process. The folder may hold something else by then.
"""

import sys
from typing import TypeAlias

from msgspec import Struct

from plugsock.loader.finder import Finder
from plugsock.loader.importing import calling_importer
from plugsock.loader.isolate import Generation, Record
from plugsock.loader.source import Origin, Source

_File: TypeAlias = tuple[str, str, str, bytes, bool, bool, Origin]


class Exported(Struct, frozen=True):
    """Files of plugs as they were read, and the names of the packages that they lie in. It can be pickled."""

    roots: frozenset[str]
    files: tuple[_File, ...]


def export() -> Exported | None:
    """The modules that the calling plug sees, or those that are served if no plug calls; None if none are."""
    generation = _generation()
    if generation is None:
        return None
    return Exported(
        generation.roots,
        tuple(
            (each.module, each.path, each.file, each.data, each.is_package, each.is_helper, each.origin)
            for each in generation.sources.values()
        ),
    )


def install(exported: Exported) -> None:
    """Let this process import such modules by name; each is executed when it is first imported."""
    sources = {file[0]: Source(*file) for file in exported.files}
    generation = Generation(exported.roots, sources, {}, {})
    generation.is_current = True
    sys.meta_path.insert(0, Finder(exported.roots, lambda: generation))


def _generation() -> Generation | None:
    importer = calling_importer(sys._getframe(1))
    if isinstance(importer, Record):
        return importer.generation
    return next((finder.generation() for finder in sys.meta_path if isinstance(finder, Finder)), None)
