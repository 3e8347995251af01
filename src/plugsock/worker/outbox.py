"""Brings what threads have to say to the loop: in order, and with one wake-up for many words."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from typing import Any


class Outbox:
    """A queue of calls to be made on the loop; `post` may be called in any thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.waiting: deque[tuple[Callable[..., None], tuple[Any, ...]]] = deque()
        """What has been posted and not been done; empty when `drain` need not be called."""
        self._loop = loop
        self._thread = threading.get_ident()
        self._woken = False
        self._draining = False

    @property
    def on_loop(self) -> bool:
        """Is this the loop's own thread?"""
        return threading.get_ident() == self._thread

    def post(self, function: Callable[..., None], *args: Any) -> None:
        """Have a function called on the loop, after all that was posted before."""
        self.waiting.append((function, args))
        if not self._woken:
            self._woken = True
            try:
                self._loop.call_soon_threadsafe(self._wake)
            except RuntimeError:
                self._woken = False
                self.waiting.clear()  # the loop is closed: a thread has outlived the server

    def drain(self) -> None:
        """Do now what was posted until now; on the loop."""
        if self._draining:
            return
        self._draining = True
        try:
            for _ in range(len(self.waiting)):
                function, args = self.waiting.popleft()
                function(*args)
        finally:
            self._draining = False
            if self.waiting and not self._woken:  # one of them has raised: the others are not held up by that
                self._woken = True
                self._loop.call_soon(self._wake)

    def _wake(self) -> None:
        # In this order: what is posted from here on wakes the loop again, what was posted before is done now.
        self._woken = False
        self.drain()
