"""Loads a folder as a server does: on an event loop that goes on while its plugs run."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from plugsock.loader.catalog import Catalog
from plugsock.loader.folders import folders
from plugsock.loader.swap import Loader
from plugsock.model import Problem
from plugsock.worker import pools, surroundings
from plugsock.worker.keeper import on_loop
from plugsock.worker.threads import in_thread


@asynccontextmanager
async def serving(plugs: Path, *, trust: bool) -> AsyncIterator[tuple[Catalog, tuple[Problem, ...]]]:
    """Load everything, and unload it in the end.

    Args:
        plugs: The folder.
        trust: Load it even if others can write to it.

    Yields:
        What is served, and what is wrong with the folder.
    """
    surroundings.take_what_the_folder_has(plugs, trust=trust)
    pools.enable()
    loader = Loader(folders(plugs, trust=trust), run_async=on_loop(asyncio.get_running_loop()))
    try:
        look = await in_thread("plugsock-look", loader.look)
        good = [group.id for group in look.groups if not group.problems]
        yield loader.commit(look.stage, good), look.problems
    finally:
        await in_thread("plugsock-close", loader.close)
