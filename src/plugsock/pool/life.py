"""The life of a worker from its registration on: one table of states and events, and one function that fires an event.

docs/workers.md draws `NEXT` and repeats `MEANING`.
"""

import enum
from typing import Final


class State(enum.Enum):
    """Where a worker is in its life; see `MEANING`."""

    JOINING = "joining"
    READY = "ready"
    DRAINING = "draining"
    ENDING = "ending"
    GONE = "gone"

    @property
    def votes(self) -> bool:
        """Does a swap wait for what it says?"""
        return self is READY

    @property
    def counts(self) -> bool:
        """Does it hold a place of its set, so that no other has to be started for that?"""
        return self in {JOINING, READY}


class Event(enum.Enum):
    """What happens to a worker."""

    CAUGHT_UP = "its catalogue equals the committed one"
    FELL_BEHIND = "it has missed a commit"
    RELIEVED = "it is to be replaced, or there are too many"
    EMPTIED = "its last call has ended, or may wait no longer"
    KILLED = "its process was told to die"
    LOST = "its process or its connection has ended"


JOINING, READY, DRAINING, ENDING, GONE = State

MEANING: Final[dict[State, str]] = {
    JOINING: "It has registered and is brought to what is committed; it gets no calls yet.",
    READY: "It serves what is committed: it gets calls, and swaps wait for its vote.",
    DRAINING: "It gets no more calls and has no vote; those that it has may end.",
    ENDING: "It was told to stop, or killed; whatever it still does is lost.",
    GONE: "Its process has ended.",
}
"""Each state in a sentence."""

NEXT: Final[dict[State, dict[Event, State]]] = {
    JOINING: {
        Event.CAUGHT_UP: READY,
        Event.RELIEVED: ENDING,
        Event.KILLED: ENDING,
        Event.LOST: GONE,
    },
    READY: {
        Event.FELL_BEHIND: DRAINING,
        Event.RELIEVED: DRAINING,
        Event.KILLED: ENDING,
        Event.LOST: GONE,
    },
    DRAINING: {
        Event.EMPTIED: ENDING,
        Event.KILLED: ENDING,
        Event.LOST: GONE,
    },
    ENDING: {
        Event.KILLED: ENDING,  # it did not stop
        Event.LOST: GONE,
    },
    GONE: {},
}
"""Where an event leads; one that is not here can't happen in that state, and changes nothing."""


def step(state: State, event: Event) -> State | None:
    """The state after an event; None if the event means nothing in this state."""
    return NEXT[state].get(event)
