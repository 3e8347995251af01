"""Looking at a folder of plugs without a server."""

from pathlib import Path

from msgspec import structs

from plugsock.cli.style import near
from plugsock.errors import SettingsError
from plugsock.loader.folders import folders
from plugsock.loader.swap import Loader
from plugsock.model import Announcement, Problem
from plugsock.worker import surroundings


def look_at(plugs: Path, *, trust: bool) -> tuple[list[Announcement], list[Problem]]:
    """Load everything once, as a server does when it starts: imports, checks, `on_load`, and at the end `on_unload`.

    Args:
        plugs: The folder.
        trust: Load it even if others can write to it.

    Returns:
        What the folder would serve, the default plugs included, and what is wrong with it.

    Raises:
        SettingsError: There is no such folder.
    """
    if not plugs.is_dir():
        raise SettingsError(f"{plugs}: there is no such folder of plugs")
    surroundings.take_what_the_folder_has(plugs, trust=trust)
    loader = Loader(folders(_as_typed(plugs), trust=trust))
    try:
        look = loader.look()
        catalog = loader.commit(look.stage, [group.id for group in look.groups if not group.problems])
        events = sorted((plug.announcement for plug in catalog.values()), key=lambda announced: announced.event)
        return events, sorted(structs.replace(each, file=near(each.file)) for each in look.problems)
    finally:
        loader.close()


def _as_typed(plugs: Path) -> Path:
    """The folder as what is said about its files shall begin."""
    shown = Path(near(str(plugs)))
    return shown if shown.name else plugs  # not "./greet.py" for `greet.py`
