"""What plugs push, in the format that a socket wants."""

import msgspec


def as_msgpack(json: bytes, msgpack: bytes | None) -> bytes:
    """A value as MessagePack, which a worker adds only while it knows of a socket that wants it."""
    return msgspec.msgpack.encode(msgspec.json.decode(json)) if msgpack is None else msgpack
