"""What was looked at and what came of it."""

from msgspec import Struct


class Finding(Struct, frozen=True):
    """The outcome of one check."""

    check: str
    """What was looked at, in a word."""
    seen: str
    """What there is, in a few words."""
    problems: list[str] = []
    """What does not hold, one sentence each; none if all is well."""
