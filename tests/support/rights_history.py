"""What clients whose permission comes and goes have seen, and whether a server that keeps its promises could have done it.

All of them live in one process, so that one clock orders everything. What is between the beginning of a change and its
answer is not known, and not held against the server.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import inf


@dataclass(slots=True)
class Change:
    """A grant or a revoke: when it was asked for and when it was answered."""

    user: str
    is_grant: bool
    begun: float
    answered: float = inf


@dataclass(slots=True)
class Call:
    """A protected call that somebody has sent, and its answers: `ok` or a code."""

    connection: int
    user: str
    id: int
    sent: float
    outcomes: list[str] = field(default_factory=list)


class RightsHistory:
    """The log of one test; at its begin everybody has the permission."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.changes: list[Change] = []
        self.calls: dict[tuple[int, int], Call] = {}
        self.shown = 0
        """Frames that only those may see who have the permission."""
        self.notices = 0
        self._may_see: dict[int, bool] = {}
        self._wrong: list[str] = []
        self._clock = clock

    def begin(self, user: str, *, is_grant: bool) -> Change:
        """A change is about to be asked for."""
        change = Change(user, is_grant, self._clock())
        self.changes.append(change)
        return change

    def answered(self, change: Change) -> None:
        """It was answered."""
        change.answered = self._clock()

    def send(self, connection: int, user: str, id: int) -> None:
        """A protected call is about to be sent."""
        self.calls[connection, id] = Call(connection, user, id, self._clock())

    def end(self, connection: int, id: int, outcome: str) -> None:
        """Its terminal answer has come."""
        self.calls[connection, id].outcomes.append(outcome)
        if outcome == "ok":
            self.show(connection, f"ok {id}")

    def show(self, connection: int, what: str) -> None:
        """Something has come that only those may see who have the permission."""
        self.shown += 1
        if not self._may_see.get(connection, True):
            self._wrong.append(f"connection {connection} got `{what}` after it was told that it may not see it")

    def notice(self, connection: int, *, may_see: bool) -> None:
        """A connection was told what it may do now."""
        self.notices += 1
        self._may_see[connection] = may_see

    def refused(self) -> int:
        """Calls that were refused."""
        return sum("forbidden" in call.outcomes for call in self.calls.values())

    def ended(self) -> int:
        """Calls that a revoke has ended."""
        return sum("revoked" in call.outcomes for call in self.calls.values())

    def faults(self) -> list[str]:
        """Everything that must not have happened, a line each."""
        return [*self._wrong, *(fault for call in self.calls.values() for fault in self._faults_of(call))]

    def _faults_of(self, call: Call) -> Iterator[str]:
        name = f"call {call.id} of connection {call.connection}"
        if len(call.outcomes) != 1:
            yield f"{name} has {len(call.outcomes)} answers: {call.outcomes}"
            return
        (outcome,) = call.outcomes
        if outcome not in {"ok", "forbidden", "revoked"}:
            yield f"{name} was answered {outcome}"
        state = self._state(call.user, call.sent)
        if state is False and outcome != "forbidden":
            yield f"{name} was accepted ({outcome}) although it was sent after the revoke was answered"
        if state is True and outcome == "forbidden":
            yield f"{name} was refused although it was sent after the grant was answered"

    def _state(self, user: str, at: float) -> bool | None:
        """Did a user have the permission? None while it changes."""
        has: bool | None = True
        for change in self.changes:
            if change.user == user and change.begun <= at:
                has = change.is_grant if change.answered <= at else None
        return has
