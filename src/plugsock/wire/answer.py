"""Frames that answer a call or push an event, built from payload bytes that are encoded already."""

from typing import Any

import msgspec

from plugsock.errors import CODES
from plugsock.model import Fault

_json = msgspec.json.Encoder()
_msgpack = msgspec.msgpack.Encoder()


def error_frame(id: bytes, payload: bytes) -> bytes:
    """Why a call was refused or failed."""
    return b"error %b %b" % (id or b"0", payload)


def ok_frame(id: bytes, payload: bytes) -> bytes:
    """The result of a call."""
    return b"ok %b %b" % (id, payload)


def push_frame(topic: bytes, event: bytes, payload: bytes) -> bytes:
    """An event that nobody asked for."""
    return b"push %b %b %b" % (topic, event, payload)


def notice_frame(name: bytes, data: Any) -> bytes:
    """Something the server has to say about itself; always JSON."""
    return b"notice %b %b" % (name, _json.encode(data))


def welcome_frame(id: bytes, data: Any) -> bytes:
    """The answer to `hello`; always JSON."""
    return b"welcome %b %b" % (id, _json.encode(data))


def fault(code: str, message: str, **more: Any) -> Fault:
    """A fault with one of the server's own codes, which say whether it pays to try again."""
    return Fault(code, message, **{"retry": CODES[code], **more})


def fault_payload(fault: Fault, *, binary: bool) -> bytes:
    """A fault in the format of the frame that it answers."""
    return (_msgpack if binary else _json).encode(fault)


def bad_frame(message: str, id: bytes | None, *, binary: bool) -> bytes:
    """What can't be tied to a call: `error 0`, with the id that was meant where it can be told."""
    reason = fault("bad_frame", message, id=id.decode() if id else None)
    return error_frame(b"0", fault_payload(reason, binary=binary))
