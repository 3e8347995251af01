"""Which folders are served: the user's own, and the default plugs that come with plugsock."""

from pathlib import Path
from typing import Final

from plugsock.loader.source import Folder

HERE: Final = Path(__file__).parent.parent
"""Where plugsock is installed."""


def folders(plugs: Path, *, trust: bool) -> list[Folder]:
    """The folders that are served: the user's own, and below it the default plugs that come with plugsock.

    Args:
        plugs: The user's own.
        trust: Load it even if others can write to it; the default plugs are trusted like plugsock's own code.
    """
    mine = Folder(plugs, "plugs", "folder", is_trusted=trust)
    default = embedded()
    if default is None or (plugs.exists() and default.samefile(plugs)):
        return [mine]
    return [mine, Folder(default, "plugsock_embedded", "embedded", is_trusted=True)]


def embedded() -> Path | None:
    """Where the default plugs are; None where plugsock was installed without them."""
    default = HERE / "embedded"
    if not default.is_dir():
        default = HERE.parent.parent / "plugs"  # in a clone, where nothing was built
    return default if default.is_dir() else None
