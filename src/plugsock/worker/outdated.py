"""Tells when something has changed that only a new process can take over: once, when it has come to rest."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Final

from plugsock.loader.watch import beyond

QUIET_S: Final = 0.5
"""Installing a library changes files for seconds: it has ended when there was no change for so long."""


class Outdated:
    """Picks out of what has changed what fresh modules do not cover.

    Args:
        folders: Where the plugs are.
        tell: Is told, on the loop, in a few words what has changed.
    """

    def __init__(self, folders: Sequence[Path], tell: Callable[[str], None]) -> None:
        self._folders = folders
        self._tell = tell
        self._names: set[str] = set()
        self._timer: asyncio.TimerHandle | None = None

    def without(self, paths: Collection[str]) -> set[str]:
        """Take note of such paths, and give back the others."""
        names = {path: name for path in paths if (name := beyond(path, self._folders)) is not None}
        if names:
            self._names.update(names.values())
            self.stop()
            self._timer = asyncio.get_running_loop().call_later(QUIET_S, self._rested)
        return {path for path in paths if path not in names}

    def stop(self) -> None:
        """Tell nothing any more."""
        if self._timer is not None:
            self._timer.cancel()

    def _rested(self) -> None:
        first, *others = sorted(self._names)
        self._names.clear()
        self._tell(f"{first} and {len(others)} more have changed" if others else f"{first} has changed")
