"""What a client and the server know of each other: which verbs are due, which ids are open, what was answered last.

A session outlives its socket if it began with `hello`: a client that lost the socket names the ids that are open for
it, and learns what became of each. Pure: no clock, no socket; `gateway` drives it.
"""

import enum
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Final, Generic, TypeVar

MAX_ANSWERS: Final = 64
MAX_ANSWER_BYTES: Final = 256 * 1024
"""A session keeps its last answers for a client that comes back, this many or this much of them."""

SMALL: Final = MAX_ANSWER_BYTES // MAX_ANSWERS
"""Answers up to this many bytes can't be too much together, so only among larger ones is anything added up."""


class State(enum.Enum):
    """Where a session is; the names are those of the picture in docs/protocol.md."""

    NEW = "new"
    """Nothing was said yet."""
    ANONYMOUS = "anonymous"
    """The first frame was not `hello`: no resume, and any id that is not open may be used."""
    OPEN = "open"
    """`hello` was answered with `welcome`."""
    LOST = "lost"
    """The socket went; kept for a while."""


NEW, ANONYMOUS, OPEN, LOST = State
"""The states by name alone: looking at an enum's attribute costs as much as a dict's whole operation."""

_TALK: Final = (b"call", b"watch", b"more", b"cancel", b"join", b"leave", b"ping")

NEXT: Final[dict[State, dict[bytes, State]]] = {
    NEW: {b"hello": OPEN, **dict.fromkeys(_TALK, ANONYMOUS)},
    ANONYMOUS: dict.fromkeys(_TALK, ANONYMOUS),
    OPEN: {b"token": OPEN, **dict.fromkeys(_TALK, OPEN)},
    LOST: {b"hello": OPEN},
}
"""Which verbs a state takes and where they lead; a verb that is not here is refused and changes nothing. A lost session
takes the `hello` that its resume key came with, over another socket."""

Open = TypeVar("Open")


Answer = tuple[bytes, bool, bytes]
"""A terminal frame that was sent, as (id, binary, frame): kept for a client that may not have got it."""


_NONE: Final[deque[Answer]] = deque(maxlen=0)
"""The answers of all sessions that keep none."""


class Outcome(enum.Enum):
    """What became of an id that a client asks about, where no answer is kept."""

    RUNNING = "running"
    NOT_RECEIVED = "not_received"
    UNKNOWN = "unknown_outcome"


class Session(Generic[Open]):
    """Ids that grow, calls that are open, answers that may be asked for again.

    Attributes:
        state: See `State`.
        calls: What is open, by the client's id.
        watches: The views that are watched, likewise.
        grows: `hello` was said: ids must grow, and answers are kept.
        highest: The highest id seen since ids must grow.
    """

    __slots__ = ("_answers", "_mixed", "calls", "grows", "highest", "state", "watches")

    def __init__(self) -> None:
        self.state = NEW
        self.calls: dict[bytes, Open] = {}
        self.watches: dict[bytes, Any] = {}
        self.grows = False
        self.highest = b""
        self._answers: deque[Answer] = _NONE
        self._mixed = False
        """There is an answer among the kept ones that is not small."""

    def takes(self, verb: bytes) -> bool:
        """Is a verb due in this state?"""
        return verb in NEXT[self.state]

    def step(self, verb: bytes) -> None:
        """Go where a verb leads; a verb that is not due changes nothing."""
        self.state = NEXT[self.state].get(verb, self.state)
        if self.state is OPEN and not self.grows:
            self.grows = True
            self._answers = deque(maxlen=MAX_ANSWERS)

    def admit(self, id: bytes) -> str | None:
        """Say why an id can't be opened, or None and remember it."""
        if id in self.calls or id in self.watches:
            return "This id is still open."
        if self.grows:
            highest = self.highest
            if len(id) <= len(highest) and (len(id) < len(highest) or id <= highest):
                return f"Ids grow within a session; the last was {highest.decode()}."
            self.highest = id
        return None

    def reach(self, ids: Iterable[bytes]) -> None:
        """These are used, whether or not they were received: further ones are higher."""
        self.highest = max((self.highest, *ids), key=lambda each: (len(each), each))

    def keep(self, id: bytes, binary: bool, frame: bytes) -> None:  # noqa: FBT001 - by position: once an answer
        """Remember a terminal frame, if anybody can ask for it again."""
        if self.grows and len(frame) <= MAX_ANSWER_BYTES:
            answers = self._answers
            answers.append((id, binary, frame))
            if len(frame) > SMALL or self._mixed:
                self._bound(answers)

    def withhold(self, may_see: Callable[[bytes], bool], instead: Callable[[bool, bytes], bytes | None]) -> None:
        """Put something else in the place of answers that may not be seen any more."""
        if any(not may_see(frame) for _, _, frame in self._answers):
            others = (
                (id, binary, frame if may_see(frame) else instead(binary, frame)) for id, binary, frame in self._answers
            )
            self._answers = deque(
                ((id, binary, frame) for id, binary, frame in others if frame is not None), maxlen=MAX_ANSWERS
            )

    def _bound(self, answers: deque[Answer]) -> None:
        """Drop the oldest answers until the rest is small enough."""
        size = sum(len(frame) for _, _, frame in answers)
        while size > MAX_ANSWER_BYTES:
            size -= len(answers.popleft()[2])
        self._mixed = any(len(frame) > SMALL for _, _, frame in answers)

    def outcome(self, id: bytes) -> Answer | Outcome:
        """What became of an id: its answer, or why there is none."""
        if id in self.calls or id in self.watches:
            return Outcome.RUNNING
        for answer in self._answers:
            if answer[0] == id:
                return answer
        if (len(id), id) > (len(self.highest), self.highest):
            return Outcome.NOT_RECEIVED
        return Outcome.UNKNOWN
