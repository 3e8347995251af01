"""What clients and the one who swaps have seen, and whether a server that keeps its promises could have done it.

Clients write down every call and whatever comes back, the one who swaps when each version was begun and when it was
seen to be in force. All of them live in one process, so that one clock orders everything. A version may answer from
the moment in which its save began until the next one was seen: what is between is not known, and not held against
the server.
"""

import itertools
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from math import inf


@dataclass(slots=True)
class Call:
    """A call that somebody has sent, and every terminal answer to it."""

    connection: int
    id: int
    sent: float
    answers: list["Answer"] = field(default_factory=list)

    def __str__(self) -> str:
        return f"call {self.id} of connection {self.connection}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: `ok` or a code, for whom the plug thought it worked, and the versions in all parts of its file."""

    at: float
    outcome: str
    made_for: tuple[int, int] | None
    versions: tuple[int, ...]


@dataclass(slots=True)
class Swap:
    """A version that was saved, and when it was seen for the first time; never, if the next save overtook it."""

    version: int
    begun: float
    seen: float = inf


class History:
    """The log of one test."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.calls: dict[tuple[int, int], Call] = {}
        self.swaps: list[Swap] = []
        self._unasked: list[str] = []
        self._clock = clock

    def begin(self, version: int) -> Swap:
        """A version is about to be saved; versions grow."""
        swap = Swap(version, self._clock())
        self.swaps.append(swap)
        return swap

    def see(self, swap: Swap) -> None:
        """A version is known to be in force."""
        swap.seen = self._clock()

    def send(self, connection: int, id: int) -> None:
        """A call is about to be sent."""
        self.calls[connection, id] = Call(connection, id, self._clock())

    def receive(
        self, connection: int, id: int, outcome: str, made_for: tuple[int, int] | None, versions: Collection[int]
    ) -> None:
        """A terminal answer has come on a connection."""
        call = self.calls.get((connection, id))
        if call is None:
            self._unasked.append(f"connection {connection} got an answer to {id}, which it never sent")
        else:
            call.answers.append(Answer(self._clock(), outcome, made_for, tuple(versions)))

    def faults(self) -> list[str]:
        """Everything that must not have happened, a line each."""
        lasted = self._lasted()
        found = [fault for call in self.calls.values() for fault in _faults_of(call, lasted)]
        return [*self._unasked, *found, *self._steps_back()]

    def slowest_s(self) -> float:
        """How long the slowest answer took."""
        return max(answer.at - call.sent for call in self.calls.values() for answer in call.answers)

    def versions(self) -> set[int]:
        """The versions that answered."""
        return {v for call in self.calls.values() for answer in call.answers for v in answer.versions}

    def _lasted(self) -> dict[int, tuple[float, float]]:
        """When each version may have been in force."""
        ends = list(itertools.accumulate((swap.seen for swap in reversed(self.swaps)), min, initial=inf))[-2::-1]
        return {swap.version: (swap.begun, end) for swap, end in zip(self.swaps, ends, strict=True)}

    def _steps_back(self) -> Iterator[str]:
        """Of two calls of one connection the later sent starts on no older version."""
        newest: dict[int, int] = defaultdict(int)
        for call in self.calls.values():  # in the order in which they were sent
            versions = [version for answer in call.answers for version in answer.versions]
            if versions and min(versions) < newest[call.connection]:
                yield f"{call} started on version {min(versions)}, an earlier one on {newest[call.connection]}"
            newest[call.connection] = max(newest[call.connection], *versions, 0)


def _faults_of(call: Call, lasted: dict[int, tuple[float, float]]) -> Iterator[str]:
    if len(call.answers) != 1:
        yield f"{call} has {len(call.answers)} answers"
    for answer in call.answers:
        if answer.outcome != "ok":
            yield f"{call} was answered {answer.outcome}"
            continue
        if answer.made_for != (call.connection, call.id):
            yield f"{call} got the answer that was made for {answer.made_for}"
        if len(set(answer.versions)) != 1:
            yield f"{call} was answered by parts of several versions: {answer.versions}"
        for version in set(answer.versions):
            begun, end = lasted.get(version, (inf, -inf))
            if begun > answer.at or end < call.sent:
                yield f"{call} was answered by version {version}, which was not in force while it was open"
