"""Messages whose payload has come beside them, in a parcel."""

from collections.abc import Callable
from typing import Any

from plugsock.rpc.batches import Answer, Began, Down, Item, Parcel, Up, Violation


def unpack(parcel: Parcel, message: Down | Up | None, take: Callable[[int, int], bytes], limit: int) -> Any:
    """The message that follows a parcel, with its payload.

    Args:
        parcel: Says where the payload is.
        message: What was said next, in the same batch.
        take: Gets the bytes of a parcel, by number and size; may raise OSError or ValueError.
        limit: Bytes of a payload, at most.

    Raises:
        Violation: There is no such parcel, or nothing that it could belong to.
    """
    if not isinstance(message, Began | Answer | Item):
        raise Violation("a parcel is followed by nothing that has a payload")
    if parcel.size > limit:
        raise Violation(f"a parcel of {parcel.size} bytes is longer than {limit}")
    try:
        message.payload = take(parcel.number, parcel.size)
    except (OSError, ValueError, MemoryError) as wrong:
        raise Violation(f"a parcel can't be taken: {wrong}") from wrong
    return message
