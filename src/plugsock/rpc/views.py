"""What gateway and worker say to each other of a view's run, as the payloads of a call and its answer (see `frames.VIEW`).

    gateway ─▶ Asked    run it, or only say which arguments these are
    worker  ─▶ Told     its value, or why there is none

These are MessagePack, whatever the format of the arguments and of the value in them.
"""

from typing import Final

import msgspec
from msgspec import Struct

MEMBERS: Final = "@members/"
"""Begins the key of who is in a topic; no plug can say that one has changed."""


class Asked(Struct, array_like=True):
    """What is wanted of a view. The format of the call is that of its arguments."""

    arguments: bytes
    """As a client sent them."""
    only_named: bool = False
    """Do not run it: say which arguments these are, by `Told.name`."""
    msgpack: bool = False
    """Somebody wants the value as MessagePack, too."""
    base: bytes = b""
    """The value before, as JSON, if somebody wants to be told only what has changed since then."""
    number: int = 0
    """With `frames.MOCK`: how often the made-up value has changed."""


class Told(Struct, array_like=True, omit_defaults=True):
    """What has come of it."""

    name: bytes = b""
    """Of the arguments, the same however they are spelt: only if that was asked."""
    json: bytes = b""
    """The value."""
    msgpack: bytes | None = None
    patch: bytes | None = None
    """JSON Merge Patch (RFC 7396) from `Asked.base` to the value; None if there is none, or it is no shorter."""
    msgpack_patch: bytes | None = None
    """The same as MessagePack, likewise."""
    fault: bytes = b""
    """A `model.Fault` as JSON, if it raised or its value can't be sent: then there is no value."""
    reads: list[str] = []
    """Keys that it has read, until it failed if it did."""
    again_s: float = 0.0
    """With `frames.MOCK`: the made-up value changes after so long."""


encode: Final = msgspec.msgpack.Encoder().encode
read_asked: Final = msgspec.msgpack.Decoder(Asked).decode
read_told: Final = msgspec.msgpack.Decoder(Told).decode
