"""What was pushed on topics lately, for those who come back: all that they have missed, or the plain word that it is gone.

    epoch    names one unbroken count of pushes; there is a new one whenever the counting begins anew
    offset   the number of the latest push, from 1 on

A topic's pushes are kept without gaps: what makes room is always the oldest. So a position says by itself whether all
that came after it is still here. Pure: the time is told.
"""

import heapq
import math
import secrets
import string
from collections import OrderedDict, deque
from itertools import count, islice
from typing import Final

from msgspec import Struct

from plugsock.model import Requires, TopicRule

MAX_TOPIC_BYTES: Final = 1024 * 1024
"""Kept of one topic: what a client that comes back can take at once without being a slow reader."""

MAX_BYTES: Final = 64 * 1024 * 1024
"""Kept of all topics together: what is little for a server, and many thousand pushes."""

OVERHEAD: Final = 160
"""Bytes that a kept push takes beside its own, so that many small ones are not for nothing."""

_ALPHABET: Final = string.ascii_letters + string.digits
_LONGEST_OFFSET: Final = 16
"""Digits; as many as an id has."""


class Kept(Struct, gc=False):
    """One push."""

    offset: int
    event: bytes
    json: bytes
    msgpack: bytes | None
    needs: Requires
    """What it takes to get it, beside what the topic's rule requires."""
    at_s: float
    """When it was published."""
    number: int
    """Among the pushes of all topics."""

    @property
    def size(self) -> int:
        """Bytes that keeping it takes."""
        return OVERHEAD + len(self.event) + len(self.json) + len(self.msgpack or b"")


class History:
    """The latest pushes of one topic.

    Attributes:
        topic: Its name.
        epoch: See above.
        offset: Of the latest push; 0 before the first one.
    """

    __slots__ = ("_bytes", "_due", "_kept", "_limit", "_touched_s", "_ttl_s", "epoch", "offset", "topic")

    def __init__(self, topic: str, now: float) -> None:
        self.topic = topic
        self.epoch = "".join(secrets.choice(_ALPHABET) for _ in range(8))
        self.offset = 0
        self._limit = 0
        self._ttl_s = 0.0
        self._touched_s = now
        self._kept: deque[Kept] = deque()
        self._bytes = 0
        self._due = math.inf
        """When it should be looked at."""

    def __len__(self) -> int:
        return len(self._kept)


class Histories:
    """The histories of all topics, and the bounds that they share."""

    def __init__(self) -> None:
        self.bytes = 0
        self._numbers = count()
        self._order: OrderedDict[int, History] = OrderedDict()
        """Whose each kept push is, by its number: the oldest is first."""
        self._agenda: list[tuple[float, int, History]] = []
        """A heap of when to look at which; an entry counts only if it says what the history itself says."""

    def __bool__(self) -> bool:
        """Is there anything that time changes?"""
        return bool(self._agenda)

    def open(self, topic: str, rule: TopicRule, now: float) -> History:
        """Begin to keep what is pushed on a topic."""
        history = History(topic, now)
        self.bound(history, rule, now)
        return history

    def bound(self, history: History, rule: TopicRule, now: float) -> None:
        """Keep as much as a rule says, from now on."""
        history._limit, history._ttl_s = rule.history, rule.ttl_s
        self._shed(history, now)
        if history.offset:
            self._plan(history)

    def add(
        self, history: History, event: bytes, json: bytes, msgpack: bytes | None, needs: Requires, now: float
    ) -> None:
        """Keep a push, whose offset the history then has."""
        history.offset += 1
        kept = Kept(history.offset, event, json, msgpack, needs, now, next(self._numbers))
        history._kept.append(kept)
        history._bytes += kept.size
        history._touched_s = now
        self.bytes += kept.size
        self._order[kept.number] = history
        if history._bytes > MAX_TOPIC_BYTES or len(history._kept) > history._limit:
            self._shed(history, now)
        while self.bytes > MAX_BYTES:
            self._drop_oldest(next(iter(self._order.values())))
        if history._due == math.inf:
            self._plan(history)

    def since(self, history: History, at: str, now: float) -> list[Kept] | None:
        """What was pushed after a position; None if not all of that is here, or that is no position of this history."""
        epoch, _, text = at.rpartition(".")
        if epoch != history.epoch or not (text.isascii() and text.isdigit() and len(text) <= _LONGEST_OFFSET):
            return None
        self._shed(history, now)
        missed = history.offset - int(text)
        kept = len(history._kept)
        return list(islice(history._kept, kept - missed, None)) if 0 <= missed <= kept else None

    def rest(self, history: History, now: float) -> bool:
        """Nobody is in the topic any more: is there anything for which the history should go on?

        It does as long as its rule keeps pushes, so that who comes back to a quiet topic has missed nothing. Before the
        first push there is nothing to miss, so that nobody can fill the memory by walking through topics.
        """
        if not history.offset:
            return False
        history._touched_s = now
        if history._due == math.inf:  # else it is seen then that the topic was not quiet
            self._plan(history)
        return True

    def drop(self, history: History) -> None:
        """Forget all of it."""
        while history._kept:
            self._drop_oldest(history)
        history._due = math.inf

    def sweep(self, now: float) -> list[str]:
        """Forget what is over; which topics have nothing left for which to go on by themselves."""
        idle = []
        while self._agenda and self._agenda[0][0] <= now:
            due, _, history = heapq.heappop(self._agenda)
            if due != history._due:
                continue
            history._due = math.inf
            self._shed(history, now)
            if history._kept or history._touched_s + history._ttl_s > now:
                self._plan(history)
            else:
                idle.append(history.topic)
        return idle

    def _plan(self, history: History) -> None:
        """Look at a history when its oldest push is over, or it has been quiet for so long."""
        since = history._kept[0].at_s if history._kept else history._touched_s
        due = since + history._ttl_s
        if due != history._due:
            history._due = due
            heapq.heappush(self._agenda, (due, next(self._numbers), history))

    def _shed(self, history: History, now: float) -> None:
        """Forget what is over, or too much."""
        kept = history._kept
        while kept and (
            len(kept) > history._limit or history._bytes > MAX_TOPIC_BYTES or kept[0].at_s + history._ttl_s <= now
        ):
            self._drop_oldest(history)

    def _drop_oldest(self, history: History) -> None:
        kept = history._kept.popleft()
        history._bytes -= kept.size
        self.bytes -= kept.size
        del self._order[kept.number]
