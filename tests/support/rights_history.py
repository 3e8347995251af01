"""What clients whose permissions come and go have seen, and whether a server that keeps its promises could have done it.

All of them live in one process, so that one clock orders everything. What is between the beginning of a change and its
answer is not known, and not held against the server. The changes of one user are made one after the other.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from types import MappingProxyType
from typing import Final

ENDINGS: Final = frozenset({"ok", "forbidden", "revoked", "cancelled"})
"""What may become of something that was asked for; `lost` is said here, of what went with its connection."""


HELD: Final = 49_152
"""Bytes that may be on their way to a client that reads slowly, and has a small buffer, when a revoke is answered: those
of its own kernel, of the server's, and one segment. What comes after them was handed over after the answer."""


@dataclass(slots=True)
class Change:
    """A grant or a revoke: when it was asked for and when it was answered."""

    user: str
    permission: str
    """Or a wildcard for several."""
    is_grant: bool
    begun: float
    answered: float = inf

    def __str__(self) -> str:
        return f"the {'grant' if self.is_grant else 'revoke'} of {self.permission}"


@dataclass(slots=True)
class Call:
    """Something protected that somebody has asked for, and its terminal answers: `ok` or a code."""

    connection: int
    id: int
    name: str
    needs: tuple[str, ...] | None
    """None if that is the server's to say: it may be other ones by then."""
    sent: float
    ended: float = inf
    outcomes: list[str] = field(default_factory=list)


class Connection:
    """One connection: what it was told that it may do, and what it knows to have been taken away."""

    def __init__(self, user: str, listing: Sequence[str], heard: int | None, *, reads: bool) -> None:
        self.user = user
        self.reads = reads
        self.heard = heard
        """How many of its user's changes it was told of; None if that is not known."""
        self.barred: set[str] = set()
        """Revoked, and all that was sent before that has been read."""
        self.since: dict[str, int] = {}
        """Bytes that have come since a revoke was answered, by what was revoked, until it is told of that."""
        self.tell(listing)

    def tell(self, listing: Sequence[str]) -> None:
        """This is what it may do now."""
        self._held = [text for text in listing if not text.startswith("!")]
        self._denied = [text[1:] for text in listing if text.startswith("!")]
        self._known: dict[str, bool] = {}
        self.since = {text: size for text, size in self.since.items() if self._has(text)}

    def may(self, permission: str) -> bool:
        """May it, as far as it was told?"""
        if permission not in self._known:
            self._known[permission] = _covered(self._held, permission) and not _covered(self._denied, permission)
        return self._known[permission]

    def shows(self, change: Change) -> bool:
        """Is what it was told what comes of this change?"""
        return self._has(change.permission) is change.is_grant

    def _has(self, pattern: str) -> bool:
        return pattern not in self._denied and _covered(self._held, pattern)


class RightsHistory:
    """The log of one test; at its begin everybody has every permission that matters.

    Attributes:
        calls: By connection and id.
        shown: Frames that only those may see who have a permission, by what they were.
        took_s: From the beginning of each change to each notice of it, for those who read.
        held: Bytes that were on their way at most, when something was revoked that came among them.
        barred: How often a pong has followed a revoke before there was a grant.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.calls: dict[tuple[int, int], Call] = {}
        self.shown: Counter[str] = Counter()
        self.took_s: list[float] = []
        self.held = 0
        self.barred = 0
        self._changes: dict[str, list[Change]] = defaultdict(list)
        self._connections: dict[int, Connection] = {}
        self._wrong: list[str] = []
        self._clock = clock

    # Who changes something.

    def begin(self, user: str, permission: str, *, is_grant: bool) -> Change:
        """A change is about to be asked for."""
        change = Change(user, permission, is_grant, self._clock())
        self._changes[user].append(change)
        if is_grant:
            for its in self._connections.values():
                if its.user == user:
                    its.barred.discard(permission)
                    its.since.pop(permission, None)
        return change

    def answered(self, change: Change) -> None:
        """It was answered."""
        change.answered = self._clock()
        for its in self._connections.values():
            if its.user == change.user and not change.is_grant and its._has(change.permission):
                its.since[change.permission] = 0

    # What a connection sees.

    def read(self, connection: int, size: int) -> None:
        """So many bytes have come."""
        if its := self._connections.get(connection):
            its.since = {text: before + size for text, before in its.since.items()}

    def enter(
        self, connection: int, user: str, listing: Sequence[str], *, is_new: bool = True, reads: bool = True
    ) -> None:
        """It was welcomed.

        Args:
            connection: A number of its own.
            user: Whose it is.
            listing: What it was told that it may do.
            is_new: It came before all changes, and hears of each.
            reads: It does so without a pause, so that the time counts that it takes.
        """
        self._connections[connection] = Connection(user, listing, 0 if is_new else None, reads=reads)

    def send(self, connection: int, id: int, name: str, needs: tuple[str, ...] | None) -> None:
        """It is about to ask for something."""
        self.calls[connection, id] = Call(connection, id, name, needs, self._clock())

    def end(self, connection: int, id: int, outcome: str) -> None:
        """A terminal answer to that has come."""
        call = self.calls[connection, id]
        call.outcomes.append(outcome)
        call.ended = self._clock()
        if outcome == "ok":
            self.show(connection, call.name, call.needs or (), f"ok {id}")

    def show(self, connection: int, name: str, needs: Iterable[str], what: str) -> None:
        """Something has come that only those may see who have these permissions."""
        self.shown[name] += 1
        its = self._connections[connection]
        for permission in needs:
            if not its.may(permission):
                self.blame(connection, f"got `{what}` after it was told that it may not see {permission}")
            for since in (size for text, size in its.since.items() if _covers(text, permission)):
                self.held = max(self.held, since)
                if since > HELD and not its.reads:
                    self.blame(connection, f"got `{what}` {since} bytes after the revoke of {permission} was answered")
            if its.barred and _covered(its.barred, permission):
                self.blame(connection, f"got `{what}` after the pong that followed the revoke of {permission}")

    def notice(
        self, connection: int, listing: Sequence[str], still: Mapping[str, Iterable[str]] = MappingProxyType({})
    ):
        """It was told what it may do now.

        Args:
            connection: Which.
            listing: What it was told.
            still: What it has been let into and not been put out of, and what each of that needs.
        """
        its = self._connections[connection]
        its.tell(listing)
        for name, needs in still.items():
            if not all(map(its.may, needs)):
                self.blame(connection, f"still has {name} after it was told that it may not have it")
        if its.heard is None:
            return
        changes = self._changes[its.user]
        if its.heard == len(changes):
            self.blame(connection, f"was told {listing}, although nothing had changed")
            return
        change = changes[its.heard]
        its.heard += 1
        if its.reads:
            self.took_s.append(self._clock() - change.begun)
        if not its.shows(change):
            self.blame(connection, f"was told {listing} of {change}")

    def bar(self, connection: int, change: Change) -> None:
        """It has read all that was handed over before a revoke was answered."""
        latest = [other for other in self._changes[change.user] if other.permission == change.permission][-1]
        if latest is change:
            self.barred += 1
            self._connections[connection].barred.add(change.permission)

    def lose(self, connection: int) -> None:
        """It has gone, and what it waits for will never come."""
        if its := self._connections.get(connection):
            its.heard = None
        for call in self.calls.values():
            if call.connection == connection and not call.outcomes:
                call.outcomes.append("lost")

    def blame(self, connection: int, what: str) -> None:
        """It has seen what must not have happened."""
        self._wrong.append(f"connection {connection} {what}")

    # What comes of it.

    def may(self, user: str, permission: str) -> bool:
        """Has a user a permission, when there are no changes any more?"""
        return self._state(user, (permission,), inf, inf) is not False

    def outcomes(self) -> Counter[tuple[str, str]]:
        """How often what was asked for has ended how, by its name."""
        return Counter((call.name, outcome) for call in self.calls.values() for outcome in call.outcomes)

    def count(self, outcome: str) -> int:
        """How often anything has ended like that."""
        return sum(outcome in call.outcomes for call in self.calls.values())

    def faults(self) -> list[str]:
        """Everything that must not have happened, a line each."""
        asked = [fault for call in self.calls.values() for fault in self._faults_of(call)]
        return [*self._wrong, *asked, *self._unheard()]

    def _unheard(self) -> Iterator[str]:
        for connection, its in self._connections.items():
            made = len(self._changes[its.user])
            if its.heard not in {None, made}:
                yield f"connection {connection} was told of {its.heard} of {made} changes"

    def _faults_of(self, call: Call) -> Iterator[str]:
        name = f"{call.name} {call.id} of connection {call.connection}"
        if len(call.outcomes) != 1:
            yield f"{name} has {len(call.outcomes)} answers: {call.outcomes}"
            return
        (outcome,) = call.outcomes
        if outcome == "lost":
            return
        if outcome not in ENDINGS:
            yield f"{name} was answered {outcome}"
        user = self._connections[call.connection].user
        state = None if call.needs is None else self._state(user, call.needs, call.sent, call.ended)
        if state is False and outcome != "forbidden":
            yield f"{name} was accepted ({outcome}) although it was sent after the revoke was answered"
        if state is True and outcome == "forbidden":
            yield f"{name} was refused although it was sent after the grant was answered"

    def _state(self, user: str, needs: Iterable[str], start: float, end: float) -> bool | None:
        """Had a user all permissions, for all of that time? None if it has changed meanwhile."""
        denied: dict[str, bool | None] = {}
        for change in self._changes[user]:
            if change.begun <= end and any(_covers(change.permission, permission) for permission in needs):
                denied[change.permission] = not change.is_grant if change.answered <= start else None
        if True in denied.values():
            return False
        return None if None in denied.values() else True


def _covers(pattern: str, permission: str) -> bool:
    return pattern == permission or (pattern.endswith("*") and permission.startswith(pattern[:-1]))


def _covered(patterns: Iterable[str], permission: str) -> bool:
    return any(_covers(pattern, permission) for pattern in patterns)
