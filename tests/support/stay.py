"""One topic as one client is in it: what it has seen, and whether it missed anything without a word."""

from dataclasses import dataclass
from typing import Any

from support.truth import Truth

HISTORY = 8
"""Pushes that a topic keeps."""

Place = tuple[str, int]
"""Epoch and offset."""


@dataclass(slots=True)
class Stay:
    """A topic.

    Attributes:
        inside: Is the client in it? None while it can't know.
        place: What it has seen last since it came in; None if nothing.
        last: What it had seen last when it left.
        is_pending: Something was said about it, and not answered.
    """

    topic: str
    truth: Truth
    inside: bool | None = False
    place: Place | None = None
    last: Place | None = None
    is_pending: bool = False

    def begin(self, answer: dict[str, Any], said: Place | None) -> None:
        """It was joined, by a client that said that it was there."""
        here = answer["epoch"], answer["offset"]
        missing = here[1] - said[1] if said is not None and said[0] == here[0] else -1
        if answer["recovered"]:
            self.truth.count("recovered")
            if missing < 0:
                self._complain(f"was recovered from {said} to {here}")
            self.place = said
        else:
            if 0 <= missing <= HISTORY:
                self._complain(f"could have been recovered from {said} to {here}")
            if said is not None:
                self.truth.count("holes")
            self.place = here
        self.inside = True

    def again(self, answer: dict[str, Any]) -> None:
        """It was joined once more: all that was before has come before."""
        here = answer["epoch"], answer["offset"]
        if self.place is not None and self.place != here:
            self._complain(f"was at {self.place}, and is said to be at {here}")
        self.place = here

    def push(self, epoch: str, offset: int, token: int) -> None:
        """Something was pushed."""
        if self.inside is False:
            self._complain(f"pushed {epoch}.{offset} to somebody who has left")
        elif self.place is not None and (epoch, offset) != (self.place[0], self.place[1] + 1):
            self._complain(f"pushed {epoch}.{offset} after {self.place}")
        self.place = epoch, offset
        self.truth.pushed(self.topic, epoch, offset, token)

    def leave(self) -> None:
        """It was left."""
        self.last, self.place, self.inside = self.place or self.last, None, False

    def _complain(self, what: str) -> None:
        self.truth.wrong.append(f"{self.topic} {what}")
