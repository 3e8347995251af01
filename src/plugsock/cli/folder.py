"""Looking at a folder of plugs without a server."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

from msgspec import structs

from plugsock.cli.style import near
from plugsock.errors import SettingsError
from plugsock.loader.catalog import Catalog
from plugsock.loader.folders import folders
from plugsock.loader.swap import Loader, Look
from plugsock.model import Announcement, Problem
from plugsock.worker import surroundings


def look_at(plugs: Path, *, trust: bool) -> tuple[list[Announcement], list[Problem]]:
    """Load everything once, as `loaded` does.

    Returns:
        What the folder would serve, the default plugs included, and what is wrong with it.

    Raises:
        SettingsError: There is no such folder.
    """
    with loaded(plugs, trust=trust) as (catalog, problems):
        events = sorted((plug.announcement for plug in catalog.values()), key=lambda announced: announced.event)
        return events, problems


@contextmanager
def loaded(plugs: Path, *, trust: bool) -> Iterator[tuple[Catalog, list[Problem]]]:
    """Load everything, as a server does when it starts: imports, checks, `on_load`, and at the end `on_unload`.

    What plugs print until the end of the block goes to the standard error, as the output is that of the command.

    Args:
        plugs: The folder.
        trust: Load it even if others can write to it.

    Raises:
        SettingsError: There is no such folder.
    """
    with redirect_stdout(sys.stderr), opened(plugs, trust=trust) as loader:
        look = loader.look()
        yield committed(loader, look), shown(look)


@contextmanager
def opened(plugs: Path, *, trust: bool) -> Iterator[Loader]:
    """A loader that has not looked at the folder yet; in the end all that it has loaded is unloaded.

    Args:
        plugs: The folder.
        trust: Load it even if others can write to it.

    Raises:
        SettingsError: There is no such folder.
    """
    if not plugs.is_dir():
        raise SettingsError(f"{plugs}: there is no such folder of plugs")
    surroundings.take_what_the_folder_has(plugs, trust=trust)
    loader = Loader(folders(as_typed(plugs), trust=trust))
    try:
        yield loader
    finally:
        loader.close()


def committed(loader: Loader, look: Look) -> Catalog:
    """Commit all that a look could stage."""
    return loader.commit(look.stage, [group.id for group in look.groups if not group.problems])


def shown(look: Look) -> list[Problem]:
    """What is wrong with the folder, in the order of its files, as people would type these."""
    return sorted(structs.replace(each, file=near(each.file)) for each in look.problems)


def as_typed(plugs: Path) -> Path:
    """The folder as what is said about its files shall begin."""
    shown = Path(near(str(plugs)))
    return shown if shown.name else plugs  # not "./greet.py" for `greet.py`
