"""A name for all shapes together, by which both sides can tell whether they were built for the same."""

import hashlib
from collections.abc import Iterable


def of_shapes(shapes: Iterable[tuple[str, str]]) -> str:
    """A short hash over (event, shape) of all that clients can call: twelve hexadecimal digits, whatever their order."""
    text = "\n".join(f"{event} {shape}" for event, shape in sorted(shapes))
    return hashlib.sha256(text.encode()).hexdigest()[:12]
