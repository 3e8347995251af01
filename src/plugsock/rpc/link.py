"""The two ends of a link between the gateway and one worker.

The inline worker, a local process and a remote machine each implement `Link`; the gateway implements `Sink`.
One test suite runs over every implementation.
"""

from collections.abc import Sequence
from typing import Protocol

from plugsock.rpc.frames import Call, Details, Emit, SocketState, Staged


class Link(Protocol):
    """The gateway's end: what it tells a worker. Every word enqueues and returns at once."""

    def call(self, call: Call) -> None:
        """Run a plug; exactly one `Sink.answer` follows unless the link is lost."""

    def cancel(self, sequence: int) -> None:
        """The caller has been answered: end the run, say nothing more of it. Unknown sequences are ignored."""

    def more(self, sequence: int, count: int) -> None:
        """A stream may emit this many further items."""

    def hold(self, socket: str, *, held: bool) -> None:
        """While held, streams of this socket are not asked for their next item: it has too much unsent."""

    def socket(self, state: SocketState) -> None:
        """A socket opened, or something about it changed; said before its next call."""

    def forget(self, socket: str) -> None:
        """A socket has gone."""

    def formats(self, *, msgpack: bool) -> None:
        """Does any socket want what is pushed as MessagePack too?"""

    def look(self) -> None:
        """Look at the plugs folder now, whatever the watcher says; a `Sink.staged` with `asked` follows."""

    def commit(self, stage: int, groups: Sequence[str]) -> None:
        """These groups of a stage are now routed to; all others of it are dropped."""

    def retire(self, stage: int) -> None:
        """No call runs any more on what the commit of this stage replaced."""


class Sink(Protocol):
    """The worker's end: what it tells the gateway."""

    def answer(self, sequence: int, status: int, payload: bytes, ran_s: float, details: Details | None) -> None:
        """A call has ended, after `ran_s` seconds in the plug; `payload` is a result or a `model.Fault`, encoded."""

    def item(self, sequence: int, payload: bytes) -> None:
        """A stream's next value."""

    def emit(self, emit: Emit) -> None:
        """A plug sent, broadcast or kicked."""

    def staged(self, staged: Staged) -> None:
        """The folder was looked at and something has changed, or `look` was said; answer with `Link.commit`."""
