"""Has the other side read what was sent to it? It has once it answers a ping that was sent after that."""

import asyncio
import secrets
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import Final

from plugsock.gateway.conversation import Wire

PAYLOAD: Final = 8
"""Bytes of a ping's payload: random, so that nobody answers what they have not read."""


class Fences:
    """The pings of one connection that somebody waits for, in the order in which they were sent."""

    __slots__ = ("_passed",)

    def __init__(self) -> None:
        self._passed: dict[bytes, Callable[[], None]] = {}

    def add(self, passed: Callable[[], None]) -> bytes:
        """Somebody waits for one more; what its ping has to carry."""
        payload = secrets.token_bytes(PAYLOAD)
        self._passed[payload] = passed
        return payload

    @property
    def latest(self) -> bytes:
        """What any ping should carry now, since a client may answer only the last one that it got."""
        return next(reversed(self._passed), b"")

    def answered(self, payload: bytes) -> None:
        """A pong has come: it stands for all pings until then."""
        if payload in self._passed:
            for earlier in list(self._passed):
                self._passed.pop(earlier)()
                if earlier == payload:
                    break

    def end(self) -> None:
        """The connection has gone."""
        while self._passed:
            self._passed.pop(next(iter(self._passed)))()

    def __bool__(self) -> bool:
        return bool(self._passed)


async def fence(wires: Iterable[Wire], limit_s: float) -> None:
    """Wait until all that was sent on these connections has been read; whoever has not in time is cut off."""
    waiting = set(wires)
    done = asyncio.Event()

    def passed(wire: Wire) -> None:
        waiting.discard(wire)
        if not waiting:
            done.set()

    for wire in tuple(waiting):
        wire.fence(partial(passed, wire))
    if waiting:
        with suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                await done.wait()
    for wire in tuple(waiting):
        wire.cut()
