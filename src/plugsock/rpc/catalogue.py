"""What is served, in a word: to see at a glance that two serve the same."""

import hashlib
from collections.abc import Iterable


def name(events: Iterable[tuple[str, str]]) -> str:
    """A short hash over (event, revision) of all that is served: eight hexadecimal digits, whatever their order."""
    text = "\n".join(f"{event} {revision}" for event, revision in sorted(events))
    return hashlib.sha256(text.encode()).hexdigest()[:8]
