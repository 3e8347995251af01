"""Something that a client has sent under an id, and what may become of it."""

import asyncio
from dataclasses import dataclass
from typing import Any

import msgspec

from support.shown import Shown
from support.stay import Place, Stay
from support.truth import Fate

ITEMS = 3
"""Of each stream."""


@dataclass(slots=True)
class Asked:
    """It has no answer yet.

    Attributes:
        is_lost: The connection has gone since.
        is_blind: It went before it was welcomed. So nobody can say in which session this was asked, and that it was not
            received in another one means nothing.
        is_over: The session has gone since, as far as the client knows.
        items: That came, of a stream.
        said: Where a `join` said that it was.
        answer: Whoever waits for it.
    """

    verb: str
    name: str
    args: Any
    binary: bool
    fate: Fate | None = None
    shown: Shown | None = None
    stay: Stay | None = None
    said: Place | None = None
    is_lost: bool = False
    is_blind: bool = False
    is_over: bool = False
    is_cancelled: bool = False
    items: int = 0
    answer: asyncio.Future | None = None

    @property
    def is_of_this_session(self) -> bool:
        """Is it sure that the session that goes on has heard of it, if it was received?"""
        return not (self.is_blind or self.is_over)

    def frame(self, id: int) -> bytes:
        """What is sent."""
        head = f"{self.verb} {id} {self.name}".encode()
        if self.args is None:
            return head
        return b"%b %b" % (head, (msgspec.msgpack if self.binary else msgspec.json).encode(self.args))

    def is_whole(self, result: Any) -> bool:
        """Is this what its call returns?"""
        return self.items == ITEMS if self.name == "work.flow" else result == self.fate.token

    def may_hear(self, outcome: str) -> bool:
        """Can this be said now? What was lost with its session has been received, for all that anybody knows."""
        if outcome == "not_received":
            return self.is_lost and (self.is_blind or not self.is_over)
        return outcome != "unknown_outcome" or self.is_lost

    def may_end(self, outcome: str, *, kills: int) -> bool:
        """Can a call end like this, whatever the network does?"""
        return (self.is_cancelled and outcome == "cancelled") or (kills > 0 and outcome == "worker_lost")

    def may_still_run(self, outcome: str) -> bool:
        """Can what was ended like this still do something to the session?"""
        return outcome in {"cancelled", "worker_lost"} or (outcome == "unknown_outcome" and not self.is_over)
