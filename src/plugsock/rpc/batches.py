"""What travels between the gateway and a worker's process: batches of messages, one after the other.

    batch     4 bytes, the length of the rest, big endian ─ the rest, a MessagePack array of messages
    message   a MessagePack array: its number, then the fields of the class that has this number below

A batch holds what was said in one turn of the event loop, in order. Every length is bounded, every field is checked
against its type when it is decoded, and nothing that is decoded can run. A payload that is long travels beside the
connection: the message is empty, and a `Parcel` in front of it says where its payload is.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Any, Final, TypeAlias

import msgspec
from msgspec import Meta, Struct

from plugsock.model import Announcement
from plugsock.rpc.frames import Call, Details, Document, DocumentName, Emit, File, Reply, Request, SocketState, Staged
from plugsock.settings import MIB

HEAD: Final = 4
"""Bytes of a length."""

LIMIT: Final = 256 * MIB
"""Bytes of a batch while no payload may be longer than half of that: more than is ever said in one turn, and less than
most of what is no length at all says it has, above all every text."""

LONG: Final = 64 * 1024
"""Bytes of a payload; a longer one is a parcel. To copy so many takes about as long as a short call does."""

CALL: Final = 1
ANSWER: Final = 64


class Cancel(Struct, array_like=True, tag=2):
    """See `Link.cancel`."""

    sequence: int


class More(Struct, array_like=True, tag=3):
    """See `Link.more`."""

    sequence: int
    count: int


class Hold(Struct, array_like=True, tag=4):
    """See `Link.hold`."""

    socket: str
    held: bool


class Met(Struct, array_like=True, tag=5):
    """See `Link.socket`."""

    state: SocketState


class Forget(Struct, array_like=True, tag=6):
    """See `Link.forget`."""

    socket: str


class Formats(Struct, array_like=True, tag=7):
    """See `Link.formats`."""

    msgpack: bool


class Told(Struct, array_like=True, tag=14):
    """See `Link.told`."""

    number: int
    reply: Reply


class Look(Struct, array_like=True, tag=8):
    """See `Link.look`."""

    paths: list[str]
    force: bool
    refused: list[str]


class Restore(Struct, array_like=True, tag=9):
    """See `Link.restore`."""

    files: list[File]


class Adopt(Struct, array_like=True, tag=13):
    """See `Link.adopt`."""

    files: list[File]
    gone: list[str]
    force: bool
    refused: list[str]


class Commit(Struct, array_like=True, tag=10):
    """See `Link.commit`."""

    stage: int
    groups: list[str]
    held: list[str] | None


class Retire(Struct, array_like=True, tag=11):
    """See `Link.retire`."""

    stage: int


class Describe(Struct, array_like=True, tag=15):
    """See `Link.document`."""

    number: int
    name: DocumentName
    url: str


class Stop(Struct, array_like=True, tag=12):
    """Unload the plugs and end; there are no calls any more."""


class Parcel(Struct, array_like=True, tag=32):
    """The payload of the next message of this batch, a call, an answer or an item, is in a file: see `ops.parcels`."""

    number: Annotated[int, Meta(ge=1)]
    size: Annotated[int, Meta(ge=0)]
    """Bytes."""


class Began(Call, array_like=True, tag=CALL, gc=False):
    """See `Link.call`."""


class Answer(Struct, array_like=True, tag=ANSWER, gc=False):
    """See `Sink.answer`."""

    sequence: int
    status: int
    payload: bytes
    ran_s: float
    details: Details | None


class Item(Struct, array_like=True, tag=65):
    """See `Sink.item`."""

    sequence: int
    payload: bytes


class Said(Struct, array_like=True, tag=66):
    """See `Sink.emit`."""

    emit: Emit


class Asked(Struct, array_like=True, tag=74):
    """See `Sink.ask`."""

    number: int
    sequence: int
    request: Request


class Ended(Struct, array_like=True, tag=67):
    """See `Sink.ended`."""

    sequence: int


class Changed(Struct, array_like=True, tag=68):
    """See `Sink.changed`."""

    paths: list[str]


class Looked(Struct, array_like=True, tag=69):
    """See `Sink.staged`."""

    staged: Staged


class Described(Struct, array_like=True, tag=75):
    """See `Sink.documented`."""

    number: int
    document: Document


class Beat(Struct, array_like=True, tag=70):
    """A sign of life of the worker's event loop, twice a second."""

    lag_s: float
    """How much later than it was due the loop came to this."""
    lost_threads: int
    """Threads that run calls which were ended."""


class Outdated(Struct, array_like=True, tag=71):
    """Something has changed that only a new process can take over."""

    reason: str


class Returned(Struct, array_like=True, tag=73):
    """A call was not begun, because it had been taken back: see `page.TAKEN_BACK`."""

    sequence: int


class Leave(Struct, array_like=True, tag=72):
    """Somebody has asked the worker to end, so give it no more calls; it waits for `Stop`."""


_OfCalls: TypeAlias = Began | Parcel | Cancel | More | Hold | Met | Forget | Formats | Told
_OfPlugs: TypeAlias = Look | Restore | Adopt | Commit | Retire | Describe | Stop

Down: TypeAlias = _OfCalls | _OfPlugs
"""What the gateway says."""

_OfRuns: TypeAlias = Answer | Item | Parcel | Said | Asked | Ended | Returned
_OfWorkers: TypeAlias = Changed | Looked | Described | Beat | Outdated | Leave

Up: TypeAlias = _OfRuns | _OfWorkers
"""What a worker says."""


class Violation(Exception):
    """The other end does not speak this language; the text says how."""


UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, MemoryError)
"""What decoding can raise, whatever the bytes are."""

_encode: Final[Callable[[Sequence[Any]], bytes]] = msgspec.msgpack.Encoder().encode
decode_announcement: Final = msgspec.msgpack.Decoder(list[Announcement]).decode
"""To find out whether what `encode` makes of one is one."""

_decode_down: Final = msgspec.msgpack.Decoder(list[Down]).decode
_decode_up: Final = msgspec.msgpack.Decoder(list[Up]).decode


def encode(messages: Sequence[Any]) -> bytes:
    """The rest of a batch. A message may be a tuple of its number and fields, too: that is cheaper to make."""
    try:
        return _encode(messages)
    except UnicodeEncodeError:  # half a surrogate pair, in a plug's docstring or a file's name
        return _encode(_sound(msgspec.to_builtins(messages, builtin_types=(bytes,))))


def head(length: int) -> bytes:
    """What stands before a batch."""
    return length.to_bytes(HEAD)


def limit(payload: int) -> int:
    """Bytes of a batch, at most, where a payload has at most so many: a push holds it in both formats."""
    return max(LIMIT, 2 * payload + MIB)


class Reader:
    """Puts batches together from whatever pieces they come in.

    Args:
        limit: Bytes of a batch, at most.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._pieces: list[bytes] = []
        self._held = 0
        self._wanted = HEAD

    def feed(self, data: bytes) -> Iterator[memoryview]:
        """Take a piece, and give back the batches that it completes, without their lengths; ask for all of them.

        Raises:
            Violation: A batch would be longer than the limit; it is found out before it has come.
        """
        if self._held:
            self._pieces.append(data)
            self._held += len(data)
            if self._held < self._wanted:
                return
            data = b"".join(self._pieces)
            self._pieces.clear()
            self._held = 0
        view, at, end = memoryview(data), 0, len(data)
        self._wanted = HEAD
        while end - at >= HEAD:
            length = int.from_bytes(view[at : at + HEAD])
            if length > self._limit:
                raise Violation(f"a batch of {length} bytes is longer than {self._limit}")
            if end - at < HEAD + length:
                self._wanted = HEAD + length
                break
            yield view[at + HEAD : at + HEAD + length]
            at += HEAD + length
        if at < end:
            self._pieces.append(data[at:] if at else data)
            self._held = end - at


def read_up(batch: bytes | memoryview) -> list[Up]:
    """What a worker has said.

    Raises:
        Violation: It is none of that.
    """
    try:
        return _decode_up(batch)
    except UNREADABLE as wrong:
        raise Violation(str(wrong)) from wrong


def read_down(batch: bytes | memoryview) -> list[Down]:
    """What the gateway has said.

    Raises:
        Violation: It is none of that.
    """
    try:
        return _decode_down(batch)
    except UNREADABLE as wrong:
        raise Violation(str(wrong)) from wrong


def _sound(value: Any) -> Any:
    """The same with a question mark for what UTF-8 has no bytes for."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {key: _sound(each) for key, each in value.items()}
    return [_sound(each) for each in value] if isinstance(value, list | tuple) else value
