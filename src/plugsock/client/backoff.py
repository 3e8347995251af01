"""How long to wait before the next try to come back."""

import random
from collections.abc import Callable
from typing import Final

FIRST_S: Final = 0.5
LONGEST_S: Final = 20.0
"""Phoenix waits up to 5 s, Socket.IO up to 5 s, Centrifugo up to 20 s: a server that is down is not helped by more."""


class Backoff:
    """Pauses of full jitter: anything from nothing to a limit that doubles with each failure.

    All clients of a server lose it at once; so that they do not come back at once, no pause has a least length.

    Args:
        first_s: The limit of the first pause.
        longest_s: The limit of all of them.
        draw: Takes a number between two.
    """

    def __init__(
        self,
        first_s: float = FIRST_S,
        longest_s: float = LONGEST_S,
        draw: Callable[[float, float], float] | None = None,
    ) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._draw = random.uniform if draw is None else draw
        self._limit_s = first_s

    def pause(self, open_s: float = 0.0, told_s: float | None = None) -> float:
        """Seconds to wait.

        Args:
            open_s: How long the connection held that went. Longer than the limit, and all begins anew; shorter ones
                don't count, or a server that accepts and drops would be stormed.
            told_s: What the server has said, which gives every client a slot of its own.
        """
        if open_s > self._limit_s:
            self._limit_s = self._first_s
        limit_s, self._limit_s = self._limit_s, min(self._longest_s, 2 * self._limit_s)
        return self._draw(0.0, limit_s) if told_s is None else told_s
