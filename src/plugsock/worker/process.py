"""The worker's end of the connection to the gateway.

What the gateway says is done in the order in which it was said, many calls in a row; what comes of it leaves in one
write a turn of the event loop, see `rpc.turn`; payloads that are long travel beside the connection. A long row is
interrupted every 2 ms, so that its first answers need not wait for its last, nor timers and files for all of them.

`answer` and the loop over calls are the hot path; what they cost is measured in benchmarks/.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any, Final, Protocol, cast

from plugsock.ops import parcels
from plugsock.ops.log import get_logger
from plugsock.rpc import batches
from plugsock.rpc.batches import ANSWER, LONG, Began, Parcel, Violation
from plugsock.rpc.frames import Broadcast, Details, Document, Emit, Publish, Request, Send, Staged, Touch
from plugsock.rpc.link import WorkerLink
from plugsock.rpc.page import STARTED, TAKEN_BACK, Page
from plugsock.rpc.turn import Turn
from plugsock.rpc.unpacking import unpack

BEAT_S: Final = 0.5
"""Between two heartbeats: two fit into the second after which a worker has no vote any more."""

SLICE_S: Final = 0.002
"""So long calls are begun in a row: a hundred and more, if none of them is in no hurry to suspend."""

LONGEST_PAYLOAD: Final = 1024 * 1024 * 1024
"""Bytes that a message may be set to have; the gateway keeps to less."""

log = get_logger()


class Engine(WorkerLink, Protocol):
    """What runs the plugs."""

    batch_began: Callable[[], None]
    """Said before calls are started in a row."""
    batch_ended: Callable[[], None]
    """Said after them."""

    @property
    def lost_threads(self) -> int:
        """How many threads run calls that were ended."""

    def cut_off(self) -> None:
        """There is nothing more to do, see `Process.over`: nothing that a plug waits for is answered any more."""


class Process(asyncio.Protocol):
    """The `Sink` of an engine in a process of its own.

    Args:
        directory: Where parcels lie: that of the page.
        number: The worker's, which they are named after.
        page: Where it marks what it begins, and reads what it must not begin any more.

    Attributes:
        over: Done when there is nothing more to do: True if the gateway has said so, False if it has gone.
    """

    def __init__(self, directory: Path, number: int, page: Page) -> None:
        self._loop = loop = asyncio.get_running_loop()
        self.over: asyncio.Future[bool] = loop.create_future()
        self._reader = batches.Reader(batches.limit(LONGEST_PAYLOAD))
        self._transport: asyncio.Transport | None = None
        self._heard: deque[batches.Down] = deque()
        self._goes_on = False
        self._page = page
        self._turn = turn = Turn(loop.call_soon, self._write, _flawed)
        self._append, self._say = turn.said.append, turn.say
        self._down, self._up = parcels.of_worker(directory, number)
        self._beats: asyncio.TimerHandle | None = None

    def attach(self, engine: Engine) -> None:
        """Say who does what the gateway says; before there is a connection."""
        self._engine = engine
        self.over.add_done_callback(lambda _over: engine.cut_off())
        self._do: dict[type[Any], Callable[[Any], None]] = {
            Parcel: self._unpack,
            batches.Cancel: lambda said: engine.cancel(said.sequence),
            batches.More: lambda said: engine.more(said.sequence, said.count),
            batches.Hold: lambda said: engine.hold(said.socket, held=said.held),
            batches.Met: lambda said: engine.socket(said.state),
            batches.Forget: lambda said: engine.forget(said.socket),
            batches.Formats: lambda said: engine.formats(msgpack=said.msgpack),
            batches.Told: lambda said: engine.told(said.number, said.reply),
            batches.Look: lambda said: engine.look(said.paths, force=said.force, refused=said.refused),
            batches.Restore: lambda said: engine.restore(said.files),
            batches.Adopt: lambda said: engine.adopt(said.files, said.gone, force=said.force, refused=said.refused),
            batches.Commit: lambda said: engine.commit(said.stage, said.groups, said.held),
            batches.Retire: lambda said: engine.retire(said.stage),
            batches.Describe: lambda said: engine.document(said.number, said.name, said.url),
            batches.Stop: lambda _said: self._end(stopped=True),
        }

    def answer(self, sequence: int, status: int, payload: bytes, ran_s: float, details: Details | None) -> None:
        """See `rpc.link.Sink`."""
        if len(payload) > LONG:
            payload = self._send_away(payload)
        self._append((ANSWER, sequence, status, payload, ran_s, details))
        if not self._turn.is_due:
            self._turn.expect()

    def item(self, sequence: int, payload: bytes) -> None:
        """See `rpc.link.Sink`."""
        if len(payload) > LONG:
            payload = self._send_away(payload)
        self._say(batches.Item(sequence, payload))

    def emit(self, emit: Emit) -> None:
        """See `rpc.link.Sink`."""
        self._say(batches.Said(emit), _size(emit))

    def ask(self, number: int, sequence: int, request: Request) -> None:
        """See `rpc.link.Sink`."""
        self._say(batches.Asked(number, sequence, request))

    def ended(self, sequence: int) -> None:
        """See `rpc.link.Sink`."""
        self._say(batches.Ended(sequence))

    def changed(self, paths: Sequence[str]) -> None:
        """See `rpc.link.Sink`."""
        self._say(batches.Changed(list(paths)))

    def staged(self, staged: Staged) -> None:
        """See `rpc.link.Sink`."""
        self._say(batches.Looked(staged), sum(len(file.data) for group in staged.groups for file in group.files))

    def documented(self, number: int, document: Document) -> None:
        """See `rpc.link.Sink`."""
        self._say(batches.Described(number, document), len(document.content))

    def outdated(self, reason: str) -> None:
        """Tell the gateway that something has changed which only a new process can take over."""
        self._say(batches.Outdated(reason))

    def leave(self) -> None:
        """Tell the gateway that somebody has asked this process to end."""
        self._say(batches.Leave())

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The gateway has welcomed this worker."""
        transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        self._transport = transport
        self._beat(self._loop.time())

    def data_received(self, data: bytes) -> None:
        """The gateway has said something, or a part of it."""
        try:
            for batch in self._reader.feed(data):
                self._heard.extend(batches.read_down(batch))
        except Violation:
            log.exception("the gateway can't be understood")
            self.close()
        if not self._goes_on:
            self._do_all()

    def connection_lost(self, _error: Exception | None) -> None:
        """The gateway has gone."""
        if self._beats is not None:
            self._beats.cancel()
        self._end(stopped=False)

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.abort()

    def _do_all(self) -> None:
        """Do what was heard, as far as there is time."""
        engine, heard, call, others, page = self._engine, self._heard, self._engine.call, self._do, self._page
        until = perf_counter() + SLICE_S
        engine.batch_began()
        try:
            while heard:
                message = heard.popleft()
                try:
                    if type(message) is Began:
                        page[STARTED] = sequence = message.sequence
                        if sequence > page[TAKEN_BACK]:
                            call(message)
                        else:
                            self._say(batches.Returned(sequence))
                        if perf_counter() > until:
                            break
                    else:
                        others[type(message)](message)
                except Exception:  # of the engine, which has other things to do as well
                    log.exception("a message of the gateway failed", message=type(message).__name__)
        finally:
            engine.batch_ended()
            self._goes_on = bool(heard)
        if heard:
            # Not right at the next turn: uvloop writes what a turn has left to be written only at its end.
            self._loop.call_soon(self._loop.call_soon, self._do_all)

    def _send_away(self, payload: bytes) -> bytes:
        """Send a long payload beside the connection; what is left of it for the message, which is said next."""
        number = self._up.put(payload) if self._transport is not None and not self._transport.is_closing() else 0
        return self._turn.send_away(number, payload)

    def _unpack(self, parcel: Parcel) -> None:
        """Give the call that comes next its payload; without it all that follows is in doubt."""
        heard = self._heard
        try:
            unpack(parcel, heard[0] if heard else None, self._down.take, LONGEST_PAYLOAD)
        except Violation:
            log.exception("the gateway can't be understood")
            heard.clear()
            self.close()

    def _beat(self, due: float) -> None:
        now = self._loop.time()
        self._say(batches.Beat(max(0.0, now - due), self._engine.lost_threads))
        self._beats = self._loop.call_at(now + BEAT_S, self._beat, now + BEAT_S)

    def _end(self, *, stopped: bool) -> None:
        if not self.over.done():
            self.over.set_result(stopped)

    def _write(self, pieces: list[bytes]) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.writelines(pieces)


def _size(emit: Emit) -> int:
    if isinstance(emit, Send | Broadcast | Publish):
        return len(emit.json) + len(emit.msgpack or b"")
    return sum(map(len, emit.keys)) if isinstance(emit, Touch) else 0  # of the others, about nothing


def _flawed(message: Any, error: Exception) -> None:
    log.error("something can't be said to the gateway", message=type(message).__name__, error=str(error))
