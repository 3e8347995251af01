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

    def narrowed(self, move: Move) -> Move:
        """Leave out new modules that failed, unless something else that has changed wants them."""
        failed = [one for one in self._held if one.problems and one.modules.isdisjoint(move.old)]
        others = move.changed.difference(*(one.modules for one in failed))
        wanted = reached(others, move.graph)
        left_out = frozenset().union(*(one.modules for one in failed if one.modules.isdisjoint(wanted)))
        return move.without(left_out) if left_out else move

    def is_settled(self, move: Move, group: frozenset[str]) -> bool:
        """Has all that changed in a group been tried?"""
        tried = frozenset().union(*(one.modules for one in self._held))
        return move.changed & group <= tried

    @staticmethod
    def _holds(attempt: Attempt, move: Move) -> bool:
        return bool(attempt.modules & move.changed) and attempt.contents == move.id(move.surroundings(attempt.modules))
