"""A whole worker on one event loop: what runs calls, and what keeps the plugs current, behind the words of a Link.

In a process of its own it is what the other end of that process's link speaks to. In the gateway's process it is a Link
itself, for debugging and the smallest footprint: there a plug that blocks the loop blocks the sockets too.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from plugsock.loader.swap import Loader
from plugsock.rpc.link import Sink
from plugsock.rpc.page import Page
from plugsock.settings import Settings
from plugsock.worker.documents import Documents
from plugsock.worker.keeper import Keeper, warn
from plugsock.worker.run import Runner
from plugsock.worker.table import Table
from plugsock.worker.threads import CAPACITY

RETIRE_S: Final = 0.05
"""Between two looks whether what was replaced has come to rest."""


class Engine:
    """Runs plugs on the loop that it is made on; see `rpc.link.Link` for its words.

    Args:
        loader: From files to plugs; the engine's own from now on.
        sink: The gateway, or what speaks to it.
        settings: Of these `max_answer`, `dev`, `fault` and `poll`.
        threads: For plain functions, at most.
        page: Where it says which call it runs; by default one that nobody reads.
        outdated: Is told what has changed that only a new process can take over; by default people are, in the log.

    Attributes:
        batch_began: See `run.Runner`.
        batch_ended: Likewise.
    """

    def __init__(
        self,
        loader: Loader,
        sink: Sink,
        settings: Settings,
        *,
        threads: int = CAPACITY,
        page: "Page | None" = None,
        outdated: Callable[[str], None] = warn,
    ) -> None:
        self._table = table = Table(settings.max_answer, dev=settings.dev)
        self._runner = runner = Runner(sink, table, threads=threads, dev=settings.dev, fault=settings.fault, page=page)
        self._keeper = keeper = Keeper(loader, sink, table, poll=settings.poll, outdated=outdated)
        self._documents = Documents(sink, lambda: loader.catalog)
        # The words of a Link are those who do what they say: methods would be one more Python call for each.
        self.call = runner.start
        self.cancel, self.more = runner.cancel, runner.more
        self.hold, self.forget = runner.hold, runner.forget
        self.socket = runner.peers.put
        self.told, self.cut_off = runner.mouth.told, runner.mouth.close
        self.batch_began, self.batch_ended = runner.batch_began, runner.batch_ended
        self.look, self.restore, self.adopt = keeper.look, keeper.restore, keeper.adopt
        self.commit = keeper.commit
        self.document = self._documents.ask

    @property
    def lost_threads(self) -> int:
        """How many threads run calls that were ended."""
        return self._runner.lost_threads

    async def start(self) -> None:
        """Watch the folders from now on, and say at once that they may have changed: nothing is looked at unasked."""
        self._keeper.start()

    async def stop(self) -> None:
        """End what runs, and unload the plugs."""
        await self._documents.stop()
        await self._runner.stop()
        await self._keeper.stop()

    def retire(self, stage: int) -> None:
        """See `rpc.link.Link`; for the gateway a call is over when it is answered, here its `finally` may still run."""
        if self._runner.runs_any(self._table.replaced(stage)):
            asyncio.get_running_loop().call_later(RETIRE_S, self.retire, stage)
        else:
            self._keeper.retire(stage)

    def formats(self, *, msgpack: bool) -> None:
        """See `rpc.link.Link`."""
        self._runner.mouth.msgpack = msgpack
