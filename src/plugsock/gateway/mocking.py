"""Which calls get made-up answers: those that the server's owner names, and with --dev those that a client asks for."""

from collections.abc import Iterable, Sequence
from typing import Final

from plugsock.settings import Settings

MOST_WISHES: Final = 128
"""Patterns that one client may name; a folder has seldom more files."""


def fits(pattern: str, event: str) -> bool:
    """Is it this event, or one that begins so? `@authenticate` and its like are no events of clients."""
    if event.startswith("@"):
        return False
    return event.startswith(pattern[:-1]) if pattern.endswith("*") else event == pattern


class Mocking:
    """What is mocked, for whom.

    Args:
        settings: Of these `mock` and `dev`.
    """

    def __init__(self, settings: Settings) -> None:
        self._patterns = settings.mock
        self._is_dev = settings.dev

    @property
    def is_all(self) -> bool:
        """Does everybody get made-up answers to every event?"""
        return "*" in self._patterns

    def may_be(self, event: str) -> bool:
        """Can it be that a call of this event gets a made-up answer? Then it has to be looked at."""
        return self._is_dev or self.is_always(event)

    def is_always(self, event: str) -> bool:
        """Does everybody get made-up answers to this event?"""
        return any(fits(pattern, event) for pattern in self._patterns)

    def is_now(self, event: str, wishes: Iterable[str], *, asked: bool) -> bool:
        """Does a call get a made-up answer?

        Args:
            event: What is called.
            wishes: The patterns that its client has named in `hello`.
            asked: The frame itself says `?mock`.
        """
        if self._is_dev and (asked or any(fits(pattern, event) for pattern in wishes)):
            return not event.startswith("@")
        return self.is_always(event)

    def granted(self, wishes: Sequence[str]) -> tuple[str, ...]:
        """What a client gets of the patterns that it has named: all of them, or none."""
        return tuple(dict.fromkeys(wishes)) if self._is_dev else ()

    def in_force(self, wishes: Sequence[str]) -> list[str]:
        """The patterns by which a client gets made-up answers."""
        return list(dict.fromkeys((*self._patterns, *wishes)))
