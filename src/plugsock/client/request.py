"""What a client has asked for, from when it was said first to its one end, over however many connections."""

import asyncio
from collections.abc import Callable
from typing import Final

from plugsock.client.exchange import Asker

ANEW: Final = {b"join", b"token"}
"""Verbs that do no harm when they are said twice; after a lost connection they are said again, whatever became of
them."""


class Request:
    """One frame that opens an id, and what has to be known to say it again.

    Args:
        verb: `call`, `watch`, `join` or `token`.
        asker: Whoever is told what is said of it.
        options: What stands behind the name, without the timeout: `b"credit=4"`.
        payload: Its payload.
        binary: Is that MessagePack?
        timeout_s: Seconds that it may take; None leaves them to the server.

    Attributes:
        id: What it is known by on the wire now; empty before it was said.
        count: Items, patches and faults that came.
        is_named: The client has come back, and has asked what became of it.
    """

    __slots__ = (
        *("_deadline", "_options", "_timer", "asker", "binary", "count", "id", "is_named", "payload"),
        *("timeout_s", "verb"),
    )

    def __init__(
        self,
        verb: bytes,
        asker: Asker,
        *,
        options: bytes = b"",
        payload: bytes = b"",
        binary: bool = False,
        timeout_s: float | None = None,
    ) -> None:
        self.verb = verb
        self.asker = asker
        self.payload = payload
        self.binary = binary
        self.timeout_s = timeout_s
        self.id = b""
        self.count = 0
        self.is_named = False
        self._options = options
        self._timer: asyncio.TimerHandle | None = None
        self._deadline = None if timeout_s is None else asyncio.get_running_loop().time() + timeout_s

    def name(self) -> bytes:
        """The event with its options, as it is to be said now; who has waited for a connection has less time left."""
        name = self.asker.event.encode()
        if self.timeout_s is None:
            return b"%b?%b" % (name, self._options) if self._options else name
        left_s = self.timeout_s if self._timer is None else self._left_s()
        options = b"timeout=%.3f" % max(left_s, 0.001)
        return b"%b?%b" % (name, options + b"&" + self._options if self._options else options)

    def wait(self, late: Callable[["Request"], None]) -> None:
        """There is no connection, so that no server keeps the time."""
        if self.timeout_s is None:
            return
        loop = asyncio.get_running_loop()
        if self.count:  # an item of a stream, which has its own
            self._deadline = loop.time() + self.timeout_s
        self.rest()
        self._timer = loop.call_later(self._left_s(), late, self)

    def rest(self) -> None:
        """There is a server that keeps the time, or there is no need to."""
        if self._timer is not None:
            self._timer.cancel()

    def _left_s(self) -> float:
        assert self._deadline is not None
        return max(0.0, self._deadline - asyncio.get_running_loop().time())
