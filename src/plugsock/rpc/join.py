"""How a worker joins a gateway: one message each way, framed as a batch, before the batches begin.

worker ──▶ Register      who it is, and with what right it comes
gateway ─▶ Welcome       what it is to serve and how; or Turned, and the connection ends
"""

from typing import Annotated, Final, TypeVar

import msgspec
from msgspec import Meta, Struct

from plugsock.rpc.batches import HEAD, UNREADABLE, Violation, head

VERSION: Final = 1
"""Of `frames` and `batches`: both ends must have the same."""

LONGEST: Final = 65_536
"""Bytes of each of these messages."""

DUMP_SIGNAL: Final = "SIGUSR2"
"""Has a worker's process write the stacks of all its threads to its stderr and go on; there is none on Windows."""

T = TypeVar("T")


class Register(Struct, tag="register"):
    """What a worker says first."""

    plugsock: str
    """Its version of plugsock."""
    rpc: int
    pid: Annotated[int, Meta(gt=0, lt=1 << 31)]  # it may be sent signals, and others mean whole groups of processes
    key: str = ""
    """The one-time key that it was started with; empty for one that was started by hand."""


class Welcome(Struct, tag="welcome"):
    """What the gateway makes of it."""

    number: int
    """Names the worker to people: 1, 2, 3 ..., never used twice."""
    page: str
    """Path of the file that both map: see `page`. It is removed once the worker has said its first word."""
    plugs: str
    trust: bool
    dev: bool
    poll: bool
    max_answer: int
    threads: int
    log_format: str
    memory: int = 0
    """Bytes of its own that it may use before it gets MemoryErrors; 0 for no limit."""
    fault: str = ""
    """What goes wrong with made-up answers, as the setting says it."""


class Turned(Struct, tag="turned"):
    """It can't join; the connection ends."""

    message: str


_registers: Final = msgspec.msgpack.Decoder(Register)
_welcomes: Final[msgspec.msgpack.Decoder[Welcome | Turned]] = msgspec.msgpack.Decoder(Welcome | Turned)


def encode(message: Register | Welcome | Turned) -> bytes:
    """The message with its length in front."""
    body = msgspec.msgpack.encode(message)
    return head(len(body)) + body


def length(start: bytes) -> int:
    """How long the message is that begins with these `HEAD` bytes, without them.

    Raises:
        Violation: Longer than any of them.
    """
    found = int.from_bytes(start[:HEAD])
    if found > LONGEST:
        raise Violation(f"a message of {found} bytes is no registration")
    return found


def decode_register(body: bytes) -> Register:
    """What a worker has said.

    Raises:
        Violation: Not that.
    """
    return _decode(_registers, body)


def decode_welcome(body: bytes) -> Welcome | Turned:
    """What a gateway has answered.

    Raises:
        Violation: Not that.
    """
    return _decode(_welcomes, body)


def _decode(decoder: msgspec.msgpack.Decoder[T], body: bytes) -> T:
    try:
        return decoder.decode(body)
    except UNREADABLE as wrong:
        raise Violation(str(wrong)) from wrong
