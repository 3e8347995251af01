"""How a change of the folder comes into force on all workers at once, or on none.

    changed ─ one worker, the scout, looks ─ nothing? then that is all
                                           └ something? then all others get its files ─ what each has staged is compared:

    staged by every voter                  → into force, by one assignment of the gateway's
    failed on one                          → held back everywhere; the problem names the worker
    staged in other groups by others       → looked at again; who has not come to the same after 2 s has lost its vote

A scout goes first so that an import that ends or blocks a process takes one worker and not all. The others do not look
at the folder themselves: while files are saved all the time, no two looks see the same.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Generic, Protocol, TypeVar

from msgspec import Struct, field, structs

from plugsock.model import Problem
from plugsock.rpc.frames import Group, Staged

VOTE_S: Final = 2.0
"""After the scout has staged, the others have at least so long; a voter that has not seen what others have staged is
believed to be late for as long."""

TIMES: Final = 3.0
"""Or so many times as long as the scout itself took: on few cores they slow each other down."""

MOST_FAILED: Final = 1000
"""Failed groups that are remembered of one worker."""

_NAMED: Final = "on worker "


class Voter(Protocol):
    """A worker that has a say."""

    number: int
    failed: dict[str, Group]
    """What it could not stage, by the group's id: that is tried and told once only."""


V = TypeVar("V", bound=Voter)


class Verdict(Struct, Generic[V]):
    """What has become of a round."""

    groups: list[Group] = field(default_factory=list)
    """Those that come into force, and those that failed, with their problems."""
    problems: list[Problem] = field(default_factory=list)
    """All that is wrong with the folder."""
    late: list[V] = field(default_factory=list)
    """Those that have lost their vote."""
    again: bool = False
    """Something was seen by some only: look again."""


class Round(Generic[V]):
    """One change on its way.

    Args:
        scout: Who looks first.
        now: The time.
        paths: Files to read again whatever their times and sizes say.
        force: Everybody looks, and tries again what had failed.

    Attributes:
        answers: What each voter has staged, the scout first.
        left: What those have staged who have no vote any more: they, too, want to hear what becomes of it.
        awaited: Who has not answered yet.
    """

    def __init__(self, scout: V, now: float, paths: Sequence[str] = (), *, force: bool) -> None:
        self.scout: Final = scout
        self.paths: Final = paths
        self.force: Final = force
        self.answers: dict[V, Staged] = {}
        self.left: dict[V, Staged] = {}
        self.awaited: set[V] = {scout}
        self.limit = float("inf")
        self._began = now

    @property
    def is_scouting(self) -> bool:
        """Has the scout not answered yet?"""
        return self.scout in self.awaited

    def answered(self, voter: V, staged: Staged, now: float) -> None:
        """A worker has looked."""
        self.awaited.discard(voter)
        self.answers[voter] = staged
        if voter is self.scout:
            self.limit = now + max(VOTE_S, TIMES * (now - self._began))

    @property
    def found(self) -> list[Group]:
        """What the scout could stage."""
        return [group for group in self.answers[self.scout].groups if not group.problems]

    def wants_others(self) -> bool:
        """Has the scout found something that the others must see, too?"""
        return self.force or bool(self.found)

    def ask(self, voters: Iterable[V]) -> None:
        """These stage it now, too."""
        self.awaited.update(voters)

    def leave(self, voter: V) -> None:
        """It votes no more."""
        self.awaited.discard(voter)
        if voter in self.answers:
            self.left[voter] = self.answers.pop(voter)

    def is_over(self, now: float) -> bool:
        """Has everybody answered, or lost the right to?"""
        return not self.awaited or now > self.limit


class Judge:
    """Compares what each voter has staged, and remembers what one round leaves for the next."""

    def __init__(self) -> None:
        self._disputed: dict[str, float] = {}
        """What was seen by some voters only, and since when."""
        self._held: list[Group] = []
        """What was held back for the sake of one voter: the others know of no problem with it."""

    def judge(self, round: Round[V], now: float) -> Verdict[V]:
        """Say what comes into force, what is held back and what has to be looked at again."""
        verdict = Verdict[V](late=list(round.awaited))
        disputed: dict[str, float] = {}
        settled: set[str] = set()
        for id, group in _by_id(round.answers.values()).items():
            failures = {voter: voter.failed[id] for voter in round.answers if id in voter.failed}
            lacking = [voter for voter, staged in round.answers.items() if not _has(staged, id)]
            if failures:
                verdict.groups.append(_failed(failures, round.scout))
            elif lacking and now - self._disputed.get(id, now) < VOTE_S:
                disputed[id] = self._disputed.get(id, now)
                verdict.again = True
            elif settled.isdisjoint(group.modules):  # else others have seen more of the same change
                verdict.groups.append(group)
                verdict.late += lacking
                settled.update(group.modules)
        self._disputed = disputed
        self._hold(verdict.groups, force=round.force)
        verdict.problems = self._problems(round)
        return verdict

    def _hold(self, groups: Sequence[Group], *, force: bool) -> None:
        moved = {module for group in groups for module in group.modules}
        kept = [] if force else [group for group in self._held if moved.isdisjoint(group.modules)]
        self._held = kept + [group for group in groups if any(_is_named(each) for each in group.problems)]

    def _problems(self, round: Round[V]) -> list[Problem]:
        """What the voters say is wrong, and what was held back; where a worker is named, only so."""
        found = {problem for staged in round.answers.values() for problem in staged.problems}
        held = {problem for group in self._held for problem in group.problems}
        plain = {structs.replace(each, message=_unnamed(each.message)) for each in held if each not in found}
        return sorted((found - plain) | {each for each in held if each not in found})


def remember_failures(voter: Voter, staged: Staged) -> None:
    """Note what a worker could not stage: it says so once only, whether anybody has asked or not."""
    for group in staged.groups:
        if group.problems:
            voter.failed[group.id] = group
        else:
            voter.failed.pop(group.id, None)
    while len(voter.failed) > MOST_FAILED:
        del voter.failed[next(iter(voter.failed))]


def _by_id(answers: Iterable[Staged]) -> dict[str, Group]:
    """Every group once, what most have seen first; as it was staged, if anybody could."""
    found: dict[str, Group] = {}
    seen = Counter[str]()
    for staged in answers:
        for group in staged.groups:
            seen[group.id] += 1
            if group.id not in found or (found[group.id].problems and not group.problems):
                found[group.id] = group
    return {id: found[id] for id, _ in seen.most_common()}


def _has(staged: Staged, id: str) -> bool:
    return any(group.id == id for group in staged.groups)


def _failed(failures: Mapping[V, Group], scout: V) -> Group:
    """A group that can't come into force, and why: where only some could not stage it, the first of them is named."""
    if scout in failures:
        return failures[scout]  # nobody else has tried
    voter, group = min(failures.items(), key=lambda item: item[0].number)
    problems = [structs.replace(each, message=f"{_NAMED}{voter.number}: {each.message}") for each in group.problems]
    return structs.replace(group, problems=problems)


def _is_named(problem: Problem) -> bool:
    return problem.message.startswith(_NAMED)


def _unnamed(message: str) -> str:
    return message.partition(": ")[2] if message.startswith(_NAMED) else message
