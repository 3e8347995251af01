"""The gateway's end of the connection to one worker's process.

What is said in a turn of the event loop leaves it in one write: see `rpc.turn`. Payloads that are long travel beside
the connection, as files, so that nothing waits for them: see `ops.parcels`. What the worker says is handed on word by
word, and whatever it says, nothing is raised: a worker that does not speak the language is hung up on.

`call` and the loop over answers are the hot path; what they cost is measured in benchmarks/.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final, Protocol, cast

from plugsock.ops import parcels
from plugsock.ops.log import get_logger
from plugsock.ops.parcels import Parcels
from plugsock.rpc import batches
from plugsock.rpc.batches import CALL, LONG, Answer, Item, Parcel, Violation
from plugsock.rpc.frames import Call, DocumentName, File, Reply, SocketState
from plugsock.rpc.link import Sink
from plugsock.rpc.turn import Turn
from plugsock.rpc.unpacking import unpack

CONGESTED: Final = 16 * 1024 * 1024
"""Bytes that a worker has not taken yet, above which it should get no more: as much as may wait for all workers."""

log = get_logger()


class Owner(Sink, Protocol):
    """Whoever hears what a worker says, and how its process fares."""

    def beat(self, lag_s: float, lost_threads: int) -> None:
        """The worker's event loop is alive, see `rpc.batches.Beat`."""

    def returned(self, sequence: int) -> None:
        """A call was not begun, because it had been taken back: see `rpc.page.TAKEN_BACK`."""

    def outdated(self, reason: str) -> None:
        """Something has changed that only a new process can take over."""

    def leave(self) -> None:
        """Somebody has asked the worker to end."""

    def lost(self, reason: str | None) -> None:
        """The connection has ended, which is said once; `reason` is what the worker did wrong, None for nothing."""


class ProcessLink(asyncio.Protocol):
    """A worker behind a connection; its words are those of `rpc.link.Link`.

    Args:
        limit: Bytes of a batch, and of a parcel, that the worker may send; see `rpc.batches.limit`.

    Attributes:
        is_congested: The worker takes what is said more slowly than it is said.
    """

    def __init__(self, limit: int = batches.LIMIT) -> None:
        self.is_congested = False
        self._limit = limit
        self._reader = batches.Reader(limit)
        self._transport: asyncio.Transport | None = None
        self._owner: Owner | None = None
        self._hear: dict[type[Any], Callable[[Any], None]] = {}
        self._turn = turn = Turn(asyncio.get_running_loop().call_soon, self._write, _flawed)
        self._append, self._say = turn.said.append, turn.say
        self._flaw: str | None = None
        self._down: Parcels
        self._up: Parcels
        self._is_paused = False

    def attach(self, owner: Owner, directory: Path, number: int) -> None:
        """Say who hears the worker; before its first word, which comes after the answer to its registration.

        Args:
            owner: Hears what it says.
            directory: Where its parcels lie: that of its page.
            number: The worker's, which they are named after.
        """
        self._owner = owner
        self._down, self._up = parcels.of_worker(directory, number)
        self._hear = {
            Item: lambda said: owner.item(said.sequence, said.payload),
            batches.Said: lambda said: owner.emit(said.emit),
            batches.Asked: lambda said: owner.ask(said.number, said.sequence, said.request),
            batches.Ended: lambda said: owner.ended(said.sequence),
            batches.Changed: lambda said: owner.changed(said.paths),
            batches.Looked: lambda said: owner.staged(said.staged),
            batches.Described: lambda said: owner.documented(said.number, said.document),
            batches.Beat: lambda said: owner.beat(said.lag_s, said.lost_threads),
            batches.Returned: lambda said: owner.returned(said.sequence),
            batches.Outdated: lambda said: owner.outdated(said.reason),
            batches.Leave: lambda _said: owner.leave(),
        }

    def call(self, call: Call, serial: int = 0) -> None:
        """See `rpc.link.Link`.

        Args:
            call: What to run.
            serial: The sequence that the worker is to know it by; the call's own if that is 0.
        """
        payload = call.payload
        if len(payload) > LONG:
            payload = self._send_away(payload)
        # Not the Call as it is: the gateway's own knows much more, and its format may be a bool.
        message = (
            CALL, serial or call.sequence, call.event, call.revision, +call.format, call.socket, call.rights, call.flags,
            call.credit, call.key, call.trace, call.order, payload,
        )  # fmt: skip
        self._append(message)
        if not self._turn.is_due:
            self._turn.expect()

    def cancel(self, sequence: int) -> None:
        """See `rpc.link.Link`."""
        self._say(batches.Cancel(sequence))

    def more(self, sequence: int, count: int) -> None:
        """See `rpc.link.Link`."""
        self._say(batches.More(sequence, count))

    def hold(self, socket: str, *, held: bool) -> None:
        """See `rpc.link.Link`."""
        self._say(batches.Hold(socket, held))

    def socket(self, state: SocketState) -> None:
        """See `rpc.link.Link`."""
        self._say(batches.Met(state))

    def forget(self, socket: str) -> None:
        """See `rpc.link.Link`."""
        self._say(batches.Forget(socket))

    def formats(self, *, msgpack: bool) -> None:
        """See `rpc.link.Link`."""
        self._say(batches.Formats(msgpack))

    def told(self, number: int, reply: Reply) -> None:
        """See `rpc.link.Link`."""
        self._say(batches.Told(number, reply))

    def look(self, paths: Sequence[str] = (), *, force: bool = False, refused: Sequence[str] = ()) -> None:
        """See `rpc.link.Link`."""
        self._say(batches.Look(list(paths), force, list(refused)))

    def restore(self, files: Sequence[File]) -> None:
        """See `rpc.link.Link`."""
        self._say(batches.Restore(list(files)), sum(len(file.data) for file in files))

    def adopt(
        self, files: Sequence[File], gone: Sequence[str], *, force: bool = False, refused: Sequence[str] = ()
    ) -> None:
        """See `rpc.link.Link`."""
        size = sum(len(file.data) for file in files)
        self._say(batches.Adopt(list(files), list(gone), force, list(refused)), size)

    def commit(self, stage: int, groups: Sequence[str], held: Sequence[str] | None = None) -> None:
        """See `rpc.link.Link`."""
        self._say(batches.Commit(stage, list(groups), None if held is None else list(held)))

    def retire(self, stage: int) -> None:
        """See `rpc.link.Link`."""
        self._say(batches.Retire(stage))

    def document(self, number: int, name: DocumentName, url: str) -> None:
        """See `rpc.link.Link`."""
        self._say(batches.Describe(number, name, url))

    def stop(self) -> None:
        """Have the worker unload its plugs and end; `Owner.lost` follows."""
        self._say(batches.Stop())

    def close(self) -> None:
        """Hang up at once; `Owner.lost` follows."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The worker is there, and has been welcomed."""
        transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        transport.set_write_buffer_limits(high=CONGESTED)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """The worker has said something, or a part of it."""
        if self.is_congested:
            self._judge_congestion()
        try:
            for batch in self._reader.feed(data):
                self._hear_all(batches.read_up(batch))
        except Violation as wrong:
            self._flaw = str(wrong)
            self.close()

    def connection_lost(self, _error: Exception | None) -> None:
        """The connection has ended, from whichever side."""
        self._transport = None
        if self._owner is not None:
            self._down.clear()
            self._up.clear()
            self._owner.lost(self._flaw)

    def pause_writing(self) -> None:
        """See `is_congested`."""
        self._is_paused = self.is_congested = True

    def resume_writing(self) -> None:
        """See `is_congested`."""
        self._is_paused = False
        self._judge_congestion()

    def _judge_congestion(self) -> None:
        self.is_congested = self._is_paused or self._down.waiting() > CONGESTED

    def _send_away(self, payload: bytes) -> bytes:
        """Send a long payload beside the connection; what is left of it for the message, which is said next."""
        number = self._down.put(payload) if self._transport is not None else 0
        if number:
            self._judge_congestion()
        return self._turn.send_away(number, payload)

    def _hear_all(self, said: Iterable[batches.Up]) -> None:
        assert self._owner is not None
        answer, others = self._owner.answer, self._hear
        messages = iter(said)
        for message in messages:
            try:
                if type(message) is Answer:
                    answer(message.sequence, message.status, message.payload, message.ran_s, message.details)
                elif type(message) is Parcel:
                    self._hear_all([unpack(message, next(messages, None), self._up.take, self._limit)])
                else:
                    others[type(message)](message)
            except Violation:
                raise
            except Exception:  # of whoever hears it, who has others to hear as well
                log.exception("a worker's message failed", message=type(message).__name__)

    def _write(self, pieces: list[bytes]) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.writelines(pieces)


def _flawed(message: Any, error: Exception) -> None:
    log.error("something can't be said to a worker", message=type(message).__name__, error=str(error))
