"""Looking at a folder of plugs whenever it changes, without a server."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final, TypeAlias

from plugsock.cli import folder, style
from plugsock.loader.catalog import Catalog
from plugsock.loader.swap import Loader, Look
from plugsock.loader.watch import EVERYTHING, Report, watch
from plugsock.model import Problem
from plugsock.ops.tasks import Tasks
from plugsock.worker.threads import in_thread

STOP_S: Final = 2.0
"""A look that is on its way in the end is waited for so long."""

Looked: TypeAlias = Callable[[Catalog, list[Problem]], None]
"""Is told what would be served, and what is wrong with the folder."""


async def follow(loader: Loader, looked: Looked, *, poll: bool) -> None:
    """Load the folder, and again whatever changes in it, as a server does; it goes on until it is cancelled.

    Args:
        loader: It has not looked yet.
        looked: Is called after each look. What could not be loaded is in the catalogue as it was before.
        poll: Look by the clock, where the file system has no events.
    """
    reports: asyncio.Queue[Report] = asyncio.Queue()
    tasks = Tasks("follow")
    tasks.spawn("watch", _report(loader, reports, poll=poll))
    try:
        changed = await reports.get()  # nothing is missed between this look and the first change
        while True:
            look = await _look(loader, changed)
            catalog = folder.committed(loader, look)
            loader.retire(look.stage)
            looked(catalog, folder.shown(look))
            changed = await _next(reports, look.again_in_s)
    finally:
        await tasks.stop()


async def _report(loader: Loader, reports: asyncio.Queue[Report], *, poll: bool) -> None:
    async for report in watch([each.path for each in loader.folders], poll=poll, warn=style.fail):
        reports.put_nowait(report)


async def _look(loader: Loader, changed: Report) -> Look:
    looking = in_thread("plugsock-look", partial(loader.look, changed=changed))
    try:
        return await asyncio.shield(looking)
    finally:
        if not looking.done():  # the loader must not be closed meanwhile
            await asyncio.wait({looking}, timeout=STOP_S)


async def _next(reports: asyncio.Queue[Report], again_in_s: float | None) -> Report:
    """Wait until it is time to look, and return what is to be read again whatever its times say."""
    found = EVERYTHING
    with suppress(TimeoutError):
        async with asyncio.timeout(again_in_s):
            found = await reports.get()
    while not reports.empty():
        found |= reports.get_nowait()
    return found
