"""Runs of a view for those who watch it: what they are asked, and what is told of them.

A run goes the way of any call (`run`); only its two ends are different. Its payload is a `rpc.views.Asked`, of which the
plug sees the arguments; its answer is a `Told`, whether the plug has returned or raised.
"""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import msgspec

from plugsock.loader.signature import Mode
from plugsock.model import FORMATS, JSON, MSGPACK, Raw
from plugsock.rpc.frames import Call
from plugsock.rpc.views import Asked, Told, encode, read_asked
from plugsock.settings import MIB
from plugsock.worker.encode import encode_json, encode_msgpack, encoded
from plugsock.worker.mouth import Voice
from plugsock.worker.patch import merge_patch, with_values
from plugsock.worker.table import Served

LONGEST_PATCHED: Final = MIB
"""Bytes of a value whose difference to the one before is looked for, which takes some milliseconds for so many."""

_SPELLINGS: Final = (
    (msgspec.json.Encoder(order="deterministic").encode, encode_json),
    (msgspec.msgpack.Encoder(order="deterministic").encode, encode_msgpack),
)
"""In each format, in an order of its own; and, because only texts can be put in order, as it is if a key is none."""


class ViewCall(Call, array_like=True, gc=False):
    """A call with `frames.VIEW`; its payload is the arguments alone, in the call's format."""

    asked: Asked
    again_s: float = 0.0
    """See `Told`."""


def opened(call: Call) -> ViewCall:
    """A call with `frames.VIEW`, ready to be bound like any other."""
    asked = read_asked(call.payload)
    return ViewCall(
        call.sequence, call.event, call.revision, call.format, call.socket, call.rights, call.flags,
        call.credit, call.key, call.trace, call.order, asked.arguments, asked,
    )  # fmt: skip


def named(served: Served, value: Any) -> bytes:
    """Say which arguments these are: those that a plug can't tell apart have the same name, however they are spelt.

    Args:
        served: The view.
        value: The arguments as they were bound.
    """
    return encode(Told(fingerprint(served, value)))


def fingerprint(served: Served, value: Any) -> bytes:
    """The name of arguments as they were bound; of any event, not of a view alone.

    Raises:
        TypeError: They can't be written down.
    """
    if served.signature.mode is Mode.RAW:
        return _digest(FORMATS.index(value.format), value)
    # Each format has one word for what are two in the other: NaN and null, bytes and text, one moment in two zones.
    json, msgpack = (_spelt(value, *encoders) for encoders in _SPELLINGS)
    if not (json or msgpack):
        raise TypeError("there is no way to write the arguments down")
    return _digest(len(json), json + msgpack)


def _spelt(value: Any, *encoders: Callable[[Any], bytes]) -> bytes:
    """As the first writes it that can; nothing if none can, as MessagePack can't write integers beyond 64 bits."""
    for spell in encoders:
        with suppress(TypeError, OverflowError):
            return spell(value)
    return b""


def _digest(number: int, data: bytes) -> bytes:
    """Of data, and a number that says where it is divided or what it is."""
    return hashlib.sha256(b"%d:%b" % (number, data)).digest()


def told(call: ViewCall, served: Served, value: Any, voice: Voice | None) -> bytes:
    """What a run answers whose plug has returned.

    Raises:
        Unsendable: As `encode.Results.encode`.
        TooLarge: Likewise.
    """
    asked, json, msgpack = call.asked, served.encode(value, JSON), None
    if asked.msgpack:
        is_raw = type(value) is Raw or (served.signature.output is Raw and isinstance(value, bytes))
        msgpack = encoded(msgspec.json.decode(json), MSGPACK) if is_raw else served.encode(value, MSGPACK)
    result = Told(json=json, msgpack=msgpack, reads=_read(voice), again_s=call.again_s)
    if asked.base and max(len(asked.base), len(json)) <= LONGEST_PATCHED:
        _add_patches(result, asked.base)
    return encode(result)


def failed(call: ViewCall, fault: bytes, voice: Voice | None) -> bytes:
    """What a run answers whose plug has raised, or whose value can't be sent; the fault is encoded as JSON."""
    return encode(Told(fault=fault, reads=_read(voice), again_s=call.again_s))


def _read(voice: Voice | None) -> list[str]:
    return list(voice.reads or ()) if voice is not None else []


def _add_patches(told: Told, base: bytes) -> None:
    told.patch = patch = merge_patch(base, told.json)
    if patch is None or told.msgpack is None:
        return
    values = with_values(msgspec.json.decode(patch), msgspec.msgpack.decode(told.msgpack))
    msgpack_patch = encoded(values, MSGPACK)
    if len(msgpack_patch) < len(told.msgpack):
        told.msgpack_patch = msgpack_patch
