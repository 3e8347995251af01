"""Workers for those who want none: the plugs run in the gateway's own process (`--workers 0`).

A plug that blocks the event loop stops the server, and one that crashes ends it. It is for debugging, and for the
smallest footprint.
"""

import asyncio
import os
from typing import Final

from plugsock.errors import PlugsockError
from plugsock.gateway.gateway import Gateway
from plugsock.loader.folders import folders
from plugsock.loader.swap import Loader
from plugsock.ops.log import get_logger
from plugsock.pool.cores import cores
from plugsock.pool.sizes import threads
from plugsock.pool.vitals import Vitals
from plugsock.rpc import catalogue
from plugsock.rpc.admin import WorkerRow
from plugsock.settings import Settings
from plugsock.worker import pools, surroundings
from plugsock.worker.engine import Engine
from plugsock.worker.keeper import on_loop, report

log = get_logger()

NONE: Final = "the server runs its plugs inline (--workers 0): there are no worker processes"


class Inline:
    """The one worker of such a server, with the words of `pool.workforce.Workforce`."""

    def __init__(self, gateway: Gateway, settings: Settings) -> None:
        surroundings.take_what_the_folder_has(settings.plugs, trust=settings.trust)
        if settings.install:
            log.warning("an inline server (--workers 0) installs nothing: say `plugsock pip sync`, and restart it")
        pools.enable()
        run_async = on_loop(asyncio.get_running_loop())
        loader = Loader(folders(settings.plugs, trust=settings.trust), run_async=run_async, report=report)
        self._gateway = gateway
        self._threads = threads(cores())
        self._vitals = Vitals(os.getpid())
        self.link = Engine(loader, gateway, settings, threads=self._threads)

    async def start(self) -> None:
        """Load the plugs and watch them."""
        await self.link.start()

    async def manned(self) -> None:
        """It is there already."""

    def introduce(self) -> str:
        """A line for whoever starts the server."""
        return "inline: a plug that blocks stops the server"

    async def stop(self) -> None:
        """End what runs, and unload the plugs."""
        await self.link.stop()

    def rows(self) -> list[WorkerRow]:
        """The server's own process."""
        calls = self._gateway.calls.by_sequence
        row = WorkerRow(
            number=0,
            pid=os.getpid(),
            state="inline",
            share=1.0,
            calls=len(calls),
            places=0,
            threads=self._threads,
            lost_threads=self.link.lost_threads,
            revision=catalogue.name((each.event, each.revision) for each in self._gateway.routes.announcements()),
            lag_s=0.0,
            memory=self._vitals.memory() or 0,
            restarts=0,
            served=self._gateway.ledger.served(),
        )
        return [row]

    async def reload(self) -> int:
        """There is nothing to replace.

        Raises:
            PlugsockError: Always.
        """
        raise PlugsockError(f"{NONE} to replace")

    def join(self) -> tuple[str, str]:
        """Nobody can join.

        Raises:
            PlugsockError: Always.
        """
        raise PlugsockError(f"{NONE}, and none can join")
