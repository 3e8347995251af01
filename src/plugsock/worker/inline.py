"""A worker inside the gateway's own process: a Link without a process.

For debugging and the smallest footprint. A plug that blocks the loop blocks the sockets too.
"""

from collections.abc import Sequence

from plugsock.loader.swap import Loader
from plugsock.rpc.frames import Call, SocketState
from plugsock.rpc.link import Sink
from plugsock.settings import Settings
from plugsock.worker.keeper import Keeper
from plugsock.worker.run import Runner
from plugsock.worker.table import Table
from plugsock.worker.threads import CAPACITY


class InlineLink:
    """Runs plugs on the loop that it is made on; see `rpc.link.Link` for its words.

    Args:
        loader: From files to plugs; the link's own from now on.
        sink: The gateway.
        settings: Of these `max_answer`, `dev` and `poll`.
        threads: For plain functions, at most.
    """

    def __init__(self, loader: Loader, sink: Sink, settings: Settings, *, threads: int = CAPACITY) -> None:
        table = Table(settings.max_answer, dev=settings.dev)
        self._runner = Runner(sink, table, threads=threads, dev=settings.dev)
        self._keeper = Keeper(loader, sink, table, poll=settings.poll)

    async def start(self) -> None:
        """Load the plugs and announce them; from then on watch the folders."""
        await self._keeper.start()

    async def stop(self) -> None:
        """End what runs, and unload the plugs."""
        await self._runner.stop()
        await self._keeper.stop()

    def call(self, call: Call) -> None:
        """See `rpc.link.Link`."""
        self._runner.start(call)

    def cancel(self, sequence: int) -> None:
        """See `rpc.link.Link`."""
        self._runner.cancel(sequence)

    def more(self, sequence: int, count: int) -> None:
        """See `rpc.link.Link`."""
        self._runner.more(sequence, count)

    def hold(self, socket: str, *, held: bool) -> None:
        """See `rpc.link.Link`."""
        self._runner.hold(socket, held=held)

    def socket(self, state: SocketState) -> None:
        """See `rpc.link.Link`."""
        self._runner.peers.put(state)

    def forget(self, socket: str) -> None:
        """See `rpc.link.Link`."""
        self._runner.forget(socket)

    def formats(self, *, msgpack: bool) -> None:
        """See `rpc.link.Link`."""
        self._runner.mouth.msgpack = msgpack

    def look(self) -> None:
        """See `rpc.link.Link`."""
        self._keeper.look()

    def commit(self, stage: int, groups: Sequence[str]) -> None:
        """See `rpc.link.Link`."""
        self._keeper.commit(stage, groups)

    def retire(self, stage: int) -> None:
        """See `rpc.link.Link`."""
        self._keeper.retire(stage)
