"""Values to payloads and back: a text frame carries JSON, a binary frame MessagePack."""

from typing import Any, Literal

import msgspec

from plugsock.errors import Error
from plugsock.model import Fault, Raw

Format = Literal["json", "msgpack"]


def encode(value: Any, format: Format) -> tuple[bool, bytes]:
    """Encode the arguments of a call; `None` is no arguments at all.

    A `Raw` goes out as it is, in the frame of its own format.

    Returns:
        Whether the frame is binary, and the payload.

    Raises:
        TypeError: The value is of a type that has no encoding.
    """
    if isinstance(value, Raw):
        return value.format == "msgpack", value
    payload = b"" if value is None else _ENCODE[format](value)
    return format == "msgpack", payload


def decode(payload: bytes, type: Any, *, binary: bool) -> Any:
    """Decode a payload into a type; an empty one is `None`.

    Raises:
        msgspec.ValidationError: What came does not fit the type.
    """
    if type is Raw:
        return Raw(payload, "msgpack" if binary else "json")
    if not payload:
        return msgspec.convert(None, type)
    module = msgspec.msgpack if binary else msgspec.json
    return module.decode(payload, type=type)


def decode_error(payload: bytes, *, binary: bool) -> Error:
    """Turn what an `error` frame carries into the exception that the caller gets."""
    return as_error(decode(payload, Fault, binary=binary))


def as_error(fault: Fault) -> Error:
    """Turn what the server says of a failure into an exception."""
    after = None if fault.after_ms is None else fault.after_ms / 1000
    error = Error(fault.code, fault.message, retry=fault.retry, after=after, data=fault.data)
    error.ref, error.path, error.started = fault.ref, fault.path, fault.started
    return error


_ENCODE = {"json": msgspec.json.encode, "msgpack": msgspec.msgpack.encode}
