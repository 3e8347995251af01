"""The two ends of a link between the gateway and one worker.

The inline worker, a local process and a remote machine each implement `Link`; the gateway implements `Sink`.
One test suite runs over every implementation.
"""

from collections.abc import Sequence
from typing import Protocol

from plugsock.rpc.frames import Call, Details, Document, DocumentName, Emit, File, Reply, Request, SocketState, Staged


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

    def told(self, number: int, reply: Reply) -> None:
        """The answer to `Sink.ask` with this number."""

    def look(self, paths: Sequence[str] = (), *, force: bool = False) -> None:
        """Look at the plugs folder; a `Sink.staged` follows, and nothing is looked at again before its `commit`.

        Args:
            paths: Files to read again whatever their times and sizes say.
            force: Try again what failed before, too; the `Sink.staged` that follows says `asked`.
        """

    def commit(self, stage: int, groups: Sequence[str], held: Sequence[str] | None = None) -> None:
        """These groups of a stage are now routed to.

        Args:
            stage: As `Sink.staged` named it.
            groups: By their ids.
            held: Groups that are not tried again before they change; None for all others. What could be staged and is
                neither routed to nor held is staged anew by the next look; what failed waits for a change anyway.
        """

    def retire(self, stage: int) -> None:
        """No call runs any more on what the commit of this stage replaced."""

    def document(self, number: int, name: DocumentName, url: str) -> None:
        """Tell what plugs look like that are committed by now; one `Sink.documented` follows, unless the link is lost.

        Args:
            number: Names the question.
            name: In what words.
            url: Where clients reach the server: `ws://127.0.0.1:8765`.
        """


class WorkerLink(Link, Protocol):
    """The link to a single worker, which whoever has many of them keeps in step: one `Sink.staged` follows each look."""

    def look(self, paths: Sequence[str] = (), *, force: bool = False, refused: Sequence[str] = ()) -> None:
        """See `Link.look`; these groups fail without being tried, because trying them has ended a worker."""

    def restore(self, files: Sequence[File]) -> None:
        """Take these files for what the folder holds and stage them; one `Sink.staged` follows, as after `look`."""

    def adopt(
        self, files: Sequence[File], gone: Sequence[str], *, force: bool = False, refused: Sequence[str] = ()
    ) -> None:
        """Stage what another worker has staged, without a look at the folder; one `Sink.staged` follows.

        Args:
            files: They take the place of those that are served.
            gone: Modules that are served and are no more.
            force: Try again what failed before, too.
            refused: As in `look`.
        """


class Sink(Protocol):
    """The worker's end: what it tells the gateway."""

    def answer(self, sequence: int, status: int, payload: bytes, ran_s: float, details: Details | None) -> None:
        """A call has ended, after `ran_s` seconds in the plug; `payload` is a result or a `model.Fault`, encoded."""

    def item(self, sequence: int, payload: bytes) -> None:
        """A stream's next value."""

    def emit(self, emit: Emit) -> None:
        """A plug sent, broadcast or kicked."""

    def ask(self, number: int, sequence: int, request: Request) -> None:
        """A plug asks for something and waits; answer with `Link.told`, once.

        Args:
            number: Names the question; unique in this worker's life.
            sequence: The call that it came from; what a call asks for after it was cancelled is not done.
            request: What it asks for.
        """

    def ended(self, sequence: int) -> None:
        """A run has ended that was cancelled before: its key, its thread and its place are free."""

    def changed(self, paths: Sequence[str]) -> None:
        """Something in the folder may have changed, perhaps at these paths; answer with `Link.look`, soon."""

    def staged(self, staged: Staged) -> None:
        """The folder was looked at; answer with `Link.commit`."""

    def documented(self, number: int, document: Document) -> None:
        """The answer to `Link.document` with this number."""


class PoolSink(Sink, Protocol):
    """What whoever has many workers tells the gateway besides."""

    def again(self, sequence: int) -> None:
        """A call has not begun, and its event has another order or requires something else by now: say it anew."""
