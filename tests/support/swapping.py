"""A folder whose plug is swapped while clients call, and whoever does it: saves, waits, and writes down when.

Revisions say when they are freed. It happens wherever the collector runs, so the line is written past all buffers.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from plugsock.client import Client
from support.callers import EVENT, source
from support.history import History, Swap
from support.once import connect
from support.server import LIMIT_S, Server, running

FREED = """
import os, sys, weakref

def tell_when_freed(module, version):
    line = f"freed {module} {version}\\n"
    weakref.finalize(sys.modules[module], os.write, 2, line.encode())
"""


class Folder:
    """Saves versions, and waits until they are served."""

    def __init__(self, server: Server, client: Client, history: History) -> None:
        self.server = server
        self.client = client
        self.history = history
        self.notices: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        self.version = 1
        client.on_notice(lambda name, data: self.notices.put_nowait((name, data)))
        history.see(history.begin(1))

    @property
    def path(self) -> Path:
        return self.server.folder / f"{EVENT}.py"

    async def swap(self, save: Callable[[Path, str], object] | None = None) -> None:
        """Save the next version, in a thread if it takes a program, and wait until it is served."""
        swap = self.begin()
        text = source(swap.version)
        if save is None:
            self.server.save(self.path.name, text)
        else:
            await asyncio.to_thread(save, self.path, text)
        await self.served(swap)

    async def swap_by_notice(self) -> None:
        """Save the next version, and take the server at its word: it is in force as soon as clients are told."""
        swap = self.begin()
        self.server.save(self.path.name, source(swap.version))
        name, data = await asyncio.wait_for(self.notices.get(), LIMIT_S)
        self.history.see(swap)
        assert (name, data["changed"]) == ("plugs", [EVENT])

    def begin(self) -> Swap:
        """The next version is about to be saved."""
        self.version += 1
        return self.history.begin(self.version)

    async def served(self, swap: Swap) -> None:
        """Wait until a version answers: it is looked at after each notice."""
        async with asyncio.timeout(LIMIT_S):
            while (await self.client.call(EVENT))["versions"] != [swap.version] * 2:
                await self.notices.get()
        self.history.see(swap)

    async def two_are_alive(self) -> None:
        """Wait until of the versions that have answered all but the last two are freed."""
        for version in sorted(self.history.versions())[:-2]:
            await self.server.says(f"freed plugs.{EVENT} {version}$")


@asynccontextmanager
async def swapping(folder: Path, *flags: str, **files: str) -> AsyncIterator[Folder]:
    """A server with the first version, and a client of whoever swaps."""
    files |= {EVENT: source(1), "_freed": FREED}
    async with running(folder, *flags, **files) as server, connect(server.url) as client:
        yield Folder(server, client, History())
