"""A worker inside the gateway's own process: a Link without a process.

For debugging and the smallest footprint. A plug that blocks the loop blocks the sockets too.
"""

import asyncio
from typing import Final

from plugsock.loader.swap import Loader
from plugsock.rpc.link import Sink
from plugsock.settings import Settings
from plugsock.worker.keeper import Keeper
from plugsock.worker.run import Runner
from plugsock.worker.table import Table
from plugsock.worker.threads import CAPACITY

RETIRE_S: Final = 0.05
"""Between two looks whether what was replaced has come to rest."""


class InlineLink:
    """Runs plugs on the loop that it is made on; see `rpc.link.Link` for its words.

    Args:
        loader: From files to plugs; the link's own from now on.
        sink: The gateway.
        settings: Of these `max_answer`, `dev` and `poll`.
        threads: For plain functions, at most.
    """

    def __init__(self, loader: Loader, sink: Sink, settings: Settings, *, threads: int = CAPACITY) -> None:
        self._table = table = Table(settings.max_answer, dev=settings.dev)
        self._runner = runner = Runner(sink, table, threads=threads, dev=settings.dev)
        self._keeper = keeper = Keeper(loader, sink, table, poll=settings.poll)
        # The words of a Link are those who do what they say: methods would be one more Python call for each.
        self.call = runner.start
        self.cancel, self.more = runner.cancel, runner.more
        self.hold, self.forget = runner.hold, runner.forget
        self.socket = runner.peers.put
        self.look, self.commit = keeper.look, keeper.commit

    async def start(self) -> None:
        """Load the plugs and announce them; from then on watch the folders."""
        await self._keeper.start()

    async def stop(self) -> None:
        """End what runs, and unload the plugs."""
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
