"""What makes a made-up answer the same in every process and at every start: the event, its arguments, a number."""

import hashlib
from random import Random


def seed(event: str, arguments: bytes, number: int = 0) -> bytes:
    """The seed of one value.

    Args:
        event: What was called.
        arguments: A name of what it was called with, the same however that is spelt.
        number: Of a stream the item, of a view the change, each from 0 on.
    """
    whole = hashlib.sha256(b"%d %b %b" % (number, event.encode(), arguments))
    return whole.digest()


def chance(seed: bytes, purpose: str = "") -> Random:
    """The random numbers of a seed; each purpose has its own."""
    return Random(hashlib.sha256(seed + purpose.encode()).digest())  # noqa: S311 - nothing here is a secret
