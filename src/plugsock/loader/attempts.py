"""What was tried and need not be tried again before something about it changes."""

from collections.abc import Iterator

from msgspec import Struct

from plugsock.loader.depends import reached
from plugsock.loader.grouping import Move
from plugsock.model import Problem


class Attempt(Struct, frozen=True):
    """A group that failed, or was staged and not wanted."""

    modules: frozenset[str]
    contents: str
    """Hash over everything that decides how it ends."""
    problems: tuple[Problem, ...]
    """Why it failed; empty if it was not wanted."""


class Attempts:
    """The attempts that still hold."""

    def __init__(self) -> None:
        self._held: list[Attempt] = []

    def clear(self) -> None:
        """Try everything again."""
        self._held.clear()

    def remember(self, move: Move, modules: frozenset[str], problems: tuple[Problem, ...] = ()) -> None:
        """Do not try this again until it changes."""
        self._held.append(Attempt(modules, move.id(move.surroundings(modules)), problems))

    def forget(self, modules: frozenset[str]) -> None:
        """These have been tried anew."""
        self._held = [one for one in self._held if one.modules.isdisjoint(modules)]

    def forget_changed(self, move: Move) -> None:
        """Drop the attempts that could end in another way now."""
        self._held = [one for one in self._held if self._holds(one, move)]

    def problems(self) -> Iterator[Problem]:
        """What is wrong with what was tried."""
        for attempt in self._held:
            yield from attempt.problems

    def left_out(self, move: Move) -> list[frozenset[str]]:
        """New modules that failed and that nothing else that has changed wants."""
        failed = [one for one in self._held if one.problems and one.modules.isdisjoint(move.old)]
        others = move.changed.difference(*(one.modules for one in failed))
        wanted = reached(others, move.graph)
        return [one.modules for one in failed if one.modules.isdisjoint(wanted)]

    def is_settled(self, move: Move, group: frozenset[str]) -> bool:
        """Has all that changed in a group been tried, and together with nothing else?"""
        changed = move.changed & group
        tried = (one.modules & move.changed for one in self._held if not one.modules.isdisjoint(changed))
        return changed == frozenset().union(*tried)

    @staticmethod
    def _holds(attempt: Attempt, move: Move) -> bool:
        return bool(attempt.modules & move.changed) and attempt.contents == move.id(move.surroundings(attempt.modules))
