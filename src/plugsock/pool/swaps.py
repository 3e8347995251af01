"""Runs the rounds in which changes come into force, and brings new workers to what is in force.

The decision itself is the gateway's: what a round has settled is one `Sink.staged` of the pool, and the gateway answers
it with `commit` as it would answer a single worker.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from typing import Final

from plugsock.model import Problem
from plugsock.ops.log import get_logger
from plugsock.pool.committed import Committed
from plugsock.pool.life import Event, State
from plugsock.pool.member import Member
from plugsock.pool.rounds import VOTE_S, Judge, Round, Verdict, remember_failures
from plugsock.rpc.frames import Group, Staged
from plugsock.rpc.link import Sink

log = get_logger()

AGAIN_S: Final = 0.02
"""What was seen by some only is looked at again after so long: a file event later, about."""

MOST_REFUSED: Final = 1000
"""Groups that have killed a worker at import; the oldest are forgotten and may try once more."""

LATE: Final = "it has not taken over a change in time"

NOTHING: Final[tuple[Sequence[Group], dict[Member, Staged]]] = ((), {})


class Swaps:
    """The pool's side of a swap.

    Args:
        sink: The gateway.
        committed: What is in force; changed here alone.
        members: All workers.
        ready: Is told of a worker that has been brought to what is in force.
        unfit: Is told of one that could not be, or that has missed a commit.
        moved: Is told which events a commit has changed.

    Attributes:
        watcher: Is told all that the gateway is told, after it.
    """

    def __init__(
        self,
        sink: Sink,
        committed: Committed,
        members: Collection[Member],
        *,
        ready: Callable[[Member], None],
        unfit: Callable[[Member, str], None],
        moved: Callable[[list[str]], None],
    ) -> None:
        self._sink = sink
        self._committed = committed
        self._members = members
        self._ready, self._unfit, self._moved = ready, unfit, moved
        self.watcher: Callable[[Staged], None] = _nobody
        self._judge = Judge()
        self._round: Round[Member] | None = None
        self._arrivals: list[Member] = []
        """Those that serve what is in force, and would miss what is being voted on."""
        self._told: tuple[Sequence[Group], dict[Member, Staged]] = NOTHING
        """What the gateway is being told, and whose answers that settles."""
        self._is_telling = False
        self._paths: set[str] = set()
        self._is_dirty = False
        self._asked = 0
        self._refused: dict[str, None] = {}
        self._problems: list[Problem] = []
        self._barred: list[Problem] = []
        self._stage = 0
        self._stages: dict[int, list[tuple[Member, int]]] = {}
        """For each stage of the pool, what the workers call it."""

    # What comes from the workers.

    def changed(self, paths: Collection[str]) -> None:
        """A worker's folder may have changed."""
        self._is_dirty = True
        self._paths.update(paths)
        self._begin()

    def staged(self, member: Member, staged: Staged) -> None:
        """A worker has looked, or has been brought to something."""
        remember_failures(member, staged)
        if member.looks:
            member.looks -= 1
            self._looked(member, staged)
        elif member.state is State.JOINING:
            self._caught_up(member, staged)

    # What comes from the pool and its supervisor.

    def ask(self, paths: Collection[str] = ()) -> None:
        """Everybody looks, also at what had failed; the gateway hears what comes of it."""
        self._asked += 1
        self.changed(paths)

    def tick(self) -> None:
        """Time has passed."""
        if self._round is not None:
            self._end_if_over(self._round)
        else:
            self._begin()

    def bring_up(self, member: Member) -> None:
        """Bring a new worker to what is in force now."""
        member.version = self._committed.version
        member.link.restore(self._committed.files)

    def left(self, member: Member) -> None:
        """A worker has no vote any more."""
        round = self._round
        if round is None:
            return
        if member.is_ours and member in round.awaited and member.is_importing and member.state is not State.GONE:
            return  # what it imports may be why it is silent: nobody else should try that before it is known
        was_scouting = member is round.scout and round.is_scouting
        round.leave(member)
        if was_scouting:
            self._begin_anew(round)
        else:
            self._end_if_over(round)

    def refuse(self, group: str) -> None:
        """Importing a group has ended a worker: nobody tries it again before it changes."""
        self._refused[group] = None
        if len(self._refused) > MOST_REFUSED:
            del self._refused[next(iter(self._refused))]
        if self._round is not None and not self._round.is_scouting:
            self._begin_anew(self._round)
        else:
            self.changed(())

    def bar(self, problems: list[Problem]) -> None:
        """These are the events in quarantine."""
        self._barred = problems
        if not self._is_telling:
            self._tell([], {}, asked=False)

    # What the gateway answers.

    def commit(self, stage: int, groups: Sequence[str], held: Sequence[str] | None = None) -> None:  # noqa: ARG002
        """See `rpc.link.Link`: put in force what the gateway has put in force, in the same turn."""
        (told, answers), self._told = self._told, NOTHING
        before = self._committed.version
        touched = self._committed.commit(group for group in told if group.id in groups)
        declined = [group.id for group in told if group.id not in groups]
        for member, staged in answers.items():
            has = {group.id for group in staged.groups if not group.problems}
            member.link.commit(staged.stage, [id for id in groups if id in has], declined)
            if member.version == before and has.issuperset(groups):
                member.version, member.revision = self._committed.version, self._committed.revision
        self._stages[stage] = [(member, staged.stage) for member, staged in answers.items()]
        for member in [each for each in self._members if each.votes and each.version != self._committed.version]:
            self._unfit(member, LATE)
        if touched:
            self._moved(touched)

    def retire(self, stage: int) -> None:
        """No call runs any more on what a commit has replaced."""
        for member, theirs in self._stages.pop(stage, ()):
            member.link.retire(theirs)

    # How a round goes.

    def _voters(self) -> set[Member]:
        return {member for member in self._members if member.votes}

    def _begin(self) -> None:
        """Send a scout, unless one is on its way or there is nothing to look for."""
        voters = self._voters()
        if self._round is not None or not voters or not (self._is_dirty or self._asked):
            return
        self._is_dirty = False
        scout = min(voters, key=lambda member: (not member.is_ours, member.number))
        paths, self._paths = sorted(self._paths), set()
        self._round = Round(scout, _now(), paths, force=self._asked > 0)
        if not scout.is_ours:  # nobody ends it if it stands still: a debugger may hold it
            self._round.limit = _now() + VOTE_S
        self._look(self._round)

    def _begin_anew(self, round: Round[Member]) -> None:
        self._drop(round)
        self._begin()

    def _drop(self, round: Round[Member]) -> None:
        """Nothing comes of a round; what it was about has to be looked at once more."""
        self._round = None
        self._is_dirty = True
        self._paths.update(round.paths)
        for member, staged in (round.answers | round.left).items():
            _decline(member, staged)
        self._admit()

    def _look(self, round: Round[Member]) -> None:
        """Have the scout look at the folder."""
        round.scout.looks += 1
        round.scout.link.look(round.paths, force=round.force, refused=list(self._refused))

    def _adopt(self, round: Round[Member], members: Collection[Member]) -> None:
        """Have others stage what the scout has staged: the very same, whatever the folder holds by now."""
        found = round.found
        files = [file for group in found for file in group.files]
        gone = sorted({module for group in found for module in group.modules} - {file.module for file in files})
        for member in members:
            member.looks += 1
            member.link.adopt(files, gone, force=round.force, refused=list(self._refused))

    def _looked(self, member: Member, staged: Staged) -> None:
        round = self._round
        if member.looks or round is None or member not in round.awaited:
            _decline(member, staged)  # that was for a round in which it had lost its vote
        elif not member.state.votes:
            _decline(member, staged)
            self.left(member)
        else:
            round.answered(member, staged, _now())
            if member is round.scout and round.wants_others():
                others = self._voters() - {member}
                round.ask(others)
                self._adopt(round, others)
            self._end_if_over(round)

    def _end_if_over(self, round: Round[Member]) -> None:
        now = _now()
        if not round.is_over(now):
            return
        late = list(round.awaited)
        if round.answers:
            late = self._settle(round, now)
        else:  # of those who have seen something nobody is left
            self._drop(round)
        for member in late:
            self._unfit(member, LATE)
        self._begin()

    def _settle(self, round: Round[Member], now: float) -> list[Member]:
        """Have the gateway decide; who has not taken part in time."""
        verdict: Verdict[Member] = self._judge.judge(round, now)
        self._round = None
        self._problems = verdict.problems
        self._asked -= round.force
        self._tell(verdict.groups, round.answers | round.left, asked=round.force)
        self._admit()
        if verdict.again:
            asyncio.get_running_loop().call_later(AGAIN_S, self.changed, round.paths)
        return verdict.late

    def _tell(self, groups: list[Group], answers: dict[Member, Staged], *, asked: bool) -> None:
        """Tell the gateway, which answers with `commit` before this returns."""
        self._stage += 1
        self._told, self._is_telling = (groups, answers), True
        barred = self._barred
        staged = Staged(self._stage, groups, sorted({*self._problems, *barred}), asked)
        try:
            self._sink.staged(staged)
            self.watcher(staged)
        except Exception:  # of whoever hears of it; the workers wait for a decision all the same
            log.exception("putting a change in force failed")
        (_, undecided), self._told, self._is_telling = self._told, NOTHING, False
        for member, staged in undecided.items():
            _decline(member, staged)
        if barred is not self._barred:  # the change was what frees an event
            self._tell([], {}, asked=False)

    # How a new worker is brought to what is in force.

    def _caught_up(self, member: Member, staged: Staged) -> None:
        good = [group for group in staged.groups if not group.problems]
        member.link.commit(staged.stage, [group.id for group in good], None)
        member.link.retire(staged.stage)
        for group in good:
            for event in group.gone:
                member.serving.pop(event, None)
            member.serving.update({announced.event: announced.revision for announced in group.events})
        if member.version != self._committed.version:
            self.bring_up(member)
        elif member.serving == self._committed.revisions:
            self._arrivals.append(member)
            if self._round is None or self._round.is_scouting:
                self._admit()
                self._begin()
        else:
            why = [str(problem) for group in staged.groups for problem in group.problems]
            self._unfit(member, "; ".join(["it could not load what is served", *why]))

    def _admit(self) -> None:
        """Let those take part who have arrived, or bring them to what has been decided meanwhile."""
        arrivals, self._arrivals = self._arrivals, []
        for member in arrivals:
            if member.state is not State.JOINING:
                continue
            if member.version != self._committed.version:
                self.bring_up(member)
            else:
                member.revision = self._committed.revision
                member.fire(Event.CAUGHT_UP)
                self._ready(member)


def _nobody(_staged: Staged) -> None:
    """Watch nothing."""


def _now() -> float:
    return asyncio.get_running_loop().time()


def _decline(member: Member, staged: Staged) -> None:
    """Nothing comes of what it has staged this time; it is staged anew by its next look."""
    member.link.commit(staged.stage, (), ())
