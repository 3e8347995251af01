"""Tells when something in the folders has changed, and never for sure what: `Loader.look` finds that out.

A report is a set of paths to read again whatever their stat says; an empty one means "look everywhere". Where the
system has no events (network file systems) or no more of them (inotify's limits), the folders are looked at every
`POLL_S` instead, which costs 5 µs a file; then only plugs are looked at, and nothing is known of what `beyond` names.
"""

import asyncio
import contextlib
import errno
import os
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from pathlib import Path
from typing import Final, Protocol

import watchfiles

from plugsock.loader.scan import is_ignored
from plugsock.needs.places import LIBRARIES, STAGING

STEP_MS: Final = 10
"""watchfiles waits so long for further changes; its own 50 ms would be most of the delay of a swap."""
BURST_MS: Final = 50
"""Changes that go on and on are reported after so long."""
IDENTITY_MS: Final = 500
"""How often it is checked whether a folder's path leads to another folder (moved away, a link that was turned)."""
RESCAN_S: Final = 30.0
"""How often everything is looked at although nothing was reported: inotify drops events when its queue is full."""
POLL_S: Final = 0.3

ENVIRONMENT: Final = ".env"
COMPILED: Final = (".so", ".pyd", ".dll")
"""How the names of compiled modules end: all of `importlib.machinery.EXTENSION_SUFFIXES`, and the libraries they load."""

Report = frozenset[str]
EVERYTHING: Final[Report] = frozenset()


class Changes(Protocol):
    """Where raw changes come from: `watchfiles.awatch`, or a script in a test.

    It yields sets of (kind, path), at least every `IDENTITY_MS`, empty ones if nothing has changed. It raises OSError
    if the system can't watch.
    """

    def __call__(self, *paths: Path) -> AsyncGenerator[set[tuple[watchfiles.Change, str]], None]:
        """Begin to watch."""


def system_changes(*paths: Path) -> AsyncGenerator[set[tuple[watchfiles.Change, str]], None]:
    """Changes as the operating system reports them."""
    return watchfiles.awatch(
        *paths,
        watch_filter=lambda _change, path: beyond(path, paths) is not None or is_relevant(path),
        debounce=BURST_MS,
        step=STEP_MS,
        rust_timeout=IDENTITY_MS,
        yield_on_timeout=True,
        force_polling=False,
        ignore_permission_denied=True,
    )


def is_relevant(path: str) -> bool:
    """May a change of this path change the plugs? A folder may; it is known by having no ending."""
    name = os.path.basename(path)  # noqa: PTH119 -- watchfiles speaks of paths as text
    may_be_plug = not is_ignored(name) and (name.endswith(".py") or "." not in name)
    return may_be_plug and f"{os.sep}__pycache__" not in path and f"{os.sep}{STAGING}" not in path


def beyond(path: str, folders: Iterable[Path]) -> str | None:
    """What only a new process can take over, if a change of this path changes such: a name to show to people.

    These are the libraries in a folder's `site-packages`, compiled modules, and the folder's environment file. What
    Python itself writes there while it imports is left out.
    """
    if f"{os.sep}__pycache__" in path or not (LIBRARIES in path or path.lower().endswith((ENVIRONMENT, *COMPILED))):
        return None
    for folder in folders:
        for said in (Path, Path.absolute, Path.resolve):  # as the folder was named, or as the system names it
            top = f"{said(folder)}{os.sep}"
            if path.startswith(top):
                return _beyond(path.removeprefix(top))
    return None


def _beyond(name: str) -> str | None:
    first, *rest = Path(name).parts
    if first == LIBRARIES:
        return LIBRARIES
    if first == ENVIRONMENT and not rest:
        return ENVIRONMENT
    is_module = name.lower().endswith(COMPILED) and not any(map(is_ignored, (first, *rest)))
    return name if is_module else None


async def watch(
    folders: Sequence[Path],
    *,
    poll: bool = False,
    warn: Callable[[str], None] = lambda _text: None,
    source: Changes = system_changes,
    poll_s: float = POLL_S,
) -> AsyncIterator[Report]:
    """Yield a report each time the folders should be looked at, and one at once.

    Args:
        folders: They may be missing, vanish and come back.
        poll: Do not ask the system for events.
        warn: Is told, once, if the system can't be asked.
        source: Where changes come from.
        poll_s: Seconds between two looks where there are no events.
    """
    if not poll:
        try:
            async for report in _reports(folders, source):
                yield report
        except (OSError, RuntimeError) as error:  # watchfiles reports some limits as RuntimeError
            warn(f"the system can't watch the plugs folder ({_reason(error)}): it is looked at every {poll_s:g} s")
    while True:
        yield EVERYTHING
        await asyncio.sleep(poll_s)


async def _reports(folders: Sequence[Path], source: Changes) -> AsyncIterator[Report]:
    """Watch until a folder's path leads elsewhere, look everywhere then, and watch what is there."""
    while True:
        identities = _identities(folders)
        there = [folder for folder, identity in zip(folders, identities, strict=True) if identity is not None]
        changes = source(*there) if there else _nothing()
        async with contextlib.aclosing(changes):
            yield EVERYTHING  # what happened before the watch stood
            try:
                async for report in _until_moved(changes, folders, identities):
                    yield report
            except FileNotFoundError:  # a folder vanished while the watch was set up
                await asyncio.sleep(IDENTITY_MS / 1000)


async def _until_moved(
    changes: AsyncGenerator[set[tuple[watchfiles.Change, str]], None],
    folders: Sequence[Path],
    identities: list[tuple[int, int] | None],
) -> AsyncIterator[Report]:
    looked = time.monotonic()
    async for batch in changes:
        if batch or time.monotonic() - looked >= RESCAN_S:
            looked = time.monotonic()
            yield frozenset(path for _, path in batch)
        if _identities(folders) != identities:
            return


async def _nothing() -> AsyncGenerator[set[tuple[watchfiles.Change, str]], None]:
    while True:
        await asyncio.sleep(IDENTITY_MS / 1000)
        yield set()


def _identities(folders: Sequence[Path]) -> list[tuple[int, int] | None]:
    return [_identity(folder) for folder in folders]


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        info = folder.stat()
    except OSError:
        return None
    return info.st_dev, info.st_ino


def _reason(error: BaseException) -> str:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EMFILE):
        return "inotify's limit is reached"
    return str(error)
