"""Who gets the next call: the workers of one set in a ring, and the calls that wait until one of them has room.

A worker has places: so many for calls on its event loop, so many for calls in threads. One event takes at most half of
them, so that a slow one leaves room for all others. When nobody has room, calls wait here, each event in a line of its
own, and whoever gets a place free takes from the lines in turn.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final, Generic, Protocol, TypeVar

from msgspec import Struct

from plugsock.pool.committed import Entry
from plugsock.rpc.frames import Call

MOST_WAITING: Final = 1000
MOST_BYTES: Final = 16 * 1024 * 1024
"""Of the payloads of all calls that wait. Enough for a burst, too little to be late for everybody."""


class Places(Protocol):
    """A worker, as far as handing out calls needs to know."""

    def has_room(self, entry: Entry) -> bool:
        """Does it take one more call of this event?"""

    def start(self, call: Call, entry: Entry, *, begun: int = 0) -> None:
        """Take it."""


Worker = TypeVar("Worker", bound=Places)


class Waiting(Struct, gc=False):
    """A call for which nobody has room yet."""

    call: Call
    entry: Entry
    since: float
    begun: int


class Crew(Generic[Worker]):
    """The workers of one set.

    Attributes:
        ring: Those that take calls, in the order of their turns.
        waiting: The calls that wait, by sequence, the oldest first.
    """

    def __init__(self) -> None:
        self.ring: list[Worker] = []
        self.waiting: dict[int, Waiting] = {}
        self._lines: dict[str, deque[int]] = {}
        self._bytes = 0
        self._last = 0

    def enter(self, worker: Worker) -> None:
        """It takes calls from now on; at once if some wait."""
        if worker not in self.ring:
            self.ring.append(worker)
            self.feed(worker)

    def leave(self, worker: Worker) -> None:
        """It takes no more."""
        if worker in self.ring:
            self.ring.remove(worker)

    def pick(self, entry: Entry) -> Worker | None:
        """The next one in the ring that has room for a call of this event, if calls of it need not wait in line."""
        ring = self.ring
        count = len(ring)
        if self._lines and entry.event in self._lines:
            return None
        last = self._last
        for _ in range(count):
            last = last + 1 if last + 1 < count else 0
            worker = ring[last]
            if worker.has_room(entry):
                self._last = last
                return worker
        return None

    def wait(self, call: Call, entry: Entry, now: float, *, begun: int = 0) -> bool:
        """Let a call wait until somebody has room; False if too many wait already."""
        if len(self.waiting) >= MOST_WAITING or self._bytes + len(call.payload) > MOST_BYTES:
            return False
        self.waiting[call.sequence] = Waiting(call, entry, now, begun)
        self._lines.setdefault(entry.event, deque()).append(call.sequence)
        self._bytes += len(call.payload)
        return True

    def drop(self, sequence: int) -> bool:
        """A call need not run any more; False if it does not wait here."""
        waiting = self.waiting.pop(sequence, None)
        if waiting is None:
            return False
        self._bytes -= len(waiting.call.payload)
        line = self._lines[waiting.entry.event]
        line.remove(sequence)
        if not line:
            del self._lines[waiting.entry.event]
        return True

    def take_all(self, events: Iterable[str]) -> Iterator[Waiting]:
        """Take the calls of some events out of their lines."""
        for event in events:
            for sequence in list(self._lines.get(event, ())):
                waiting = self.waiting.get(sequence)  # not if what was done with one before has ended this one
                if waiting is not None:
                    self.drop(sequence)
                    yield waiting

    def feed(self, worker: Worker, most: int = MOST_WAITING) -> None:
        """Give a worker so many of the calls that wait, as far as it has room, from the lines of the events in turn."""
        for _ in range(most):
            event = next((event for event in self._lines if worker.has_room(self._first(event).entry)), None)
            if event is None:
                return
            waiting = self._first(event)
            self.drop(waiting.call.sequence)
            if event in self._lines:
                self._lines[event] = self._lines.pop(event)  # to the end: the others are next
            worker.start(waiting.call, waiting.entry, begun=waiting.begun)

    def longest_wait_s(self, now: float) -> float:
        """How long the oldest call has waited; 0 if none does."""
        oldest = next(iter(self.waiting.values()), None)
        return 0.0 if oldest is None else now - oldest.since

    def _first(self, event: str) -> Waiting:
        return self.waiting[self._lines[event][0]]
