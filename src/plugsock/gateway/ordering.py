"""Calls with the same key run one after the other: who has a key, and who waits for it.

    enter ─▶ has the key ─ answered ──────────────────────▶ the next one, a turn of the loop later
         │               └ ended here ─ the run is over ──▶ likewise: until then it may still do something
         └─▶ waits ─ ended here ─▶ was never there

A key is an event's own: two events whose `order` renders to the same text do not wait for each other, like the same key
in two topics of Kafka, or the same id in two classes of Orleans' grains.
"""

import asyncio
from collections.abc import Callable
from typing import Final, Generic, Protocol, TypeAlias, TypeVar

from plugsock.gateway.refusal import unreadable
from plugsock.model import User
from plugsock.rpc import fields

MOST: Final = 1000
"""Calls that wait for one key. At a millisecond each the last of them waits a second; a queue that is longer is one that
never becomes empty."""


class Caller(Protocol):
    """Whoever calls, as far as it matters here."""

    id: str
    user: User | None


ReadKey: TypeAlias = Callable[[Caller, bytes, int], str]
"""Renders a call's key from who calls and its payload, as (caller, payload, format)."""


class Ordered(Protocol):
    """A call with a key; two of them are never equal."""

    sequence: int
    event: str
    order: str
    """Its key."""


T = TypeVar("T", bound=Ordered)

Place: TypeAlias = tuple[str, str]
"""An event, and a key of it."""


def key_reader(order: str) -> ReadKey | None:
    """What reads the keys of an event that announces this order; None if its calls run as they come.

    What it returns raises `Refused` if a payload lacks the field, or has neither a text nor a whole number there.
    """
    if not order:
        return None
    template = fields.parse(order)
    if template.field is None:
        return _socket if order == "socket" else _user
    read, path = fields.reader(template), f"$.{template.field}"

    def read_field(_caller: Caller, payload: bytes, format: int) -> str:
        try:
            return read(payload, format)
        except ValueError as error:
            raise unreadable(error, path) from None

    return read_field


def _socket(caller: Caller, _payload: bytes, _format: int) -> str:
    return caller.id


def _user(caller: Caller, _payload: bytes, _format: int) -> str:
    """Of all sockets of a user the same; of who has not said who they are the socket's, which is like no user's."""
    return f"socket {caller.id}" if caller.user is None else f"user {caller.user.id}"


class _Line(Generic[T]):
    """One key that somebody has."""

    __slots__ = ("holder", "waiting")

    def __init__(self, holder: int) -> None:
        self.holder = holder
        """Sequence of the call that has it, or had it until a moment ago; 0 while it is passed on."""
        self.waiting: dict[T, None] = {}


class Ordering(Generic[T]):
    """All keys that are in use.

    Args:
        start: Hears that a call's turn has come. It lets the call `enter` again, by the same or another key, or ends it.
    """

    def __init__(self, start: Callable[[T], None]) -> None:
        self._start = start
        self._lines: dict[Place, _Line[T]] = {}
        self._ending: dict[int, Place] = {}
        """Runs that nobody waits for any more, and that still have their keys."""

    def is_full(self, event: str, key: str) -> bool:
        """Do too many wait for this key?"""
        line = self._lines.get((event, key))
        return line is not None and len(line.waiting) >= MOST

    def enter(self, call: T) -> bool:
        """Take the call's key, or wait until `start` says that it is free; has the call got it?"""
        place = call.event, call.order
        line = self._lines.get(place)
        if line is None:
            self._lines[place] = _Line(call.sequence)
        elif line.holder:
            line.waiting[call] = None
            return False
        else:
            line.holder = call.sequence
        return True

    def answered(self, call: T) -> None:
        """The call has run to its end."""
        self._pass_on((call.event, call.order))

    def leave(self, call: T) -> bool:
        """Nobody waits for the call any more: does it run? Then it has its key until it has `ended`."""
        place = call.event, call.order
        line = self._lines[place]
        if line.holder == call.sequence:
            self._ending[call.sequence] = place
            return True
        line.waiting.pop(call, None)
        return False

    def ended(self, sequence: int) -> None:
        """A run that was left has come to its end; nothing happens if it had no key."""
        place = self._ending.pop(sequence, None)
        if place is not None:
            self._pass_on(place)

    def _pass_on(self, place: Place) -> None:
        if self._lines[place].waiting:
            # Not at once: whoever ends one call may be about to end those that wait behind it, and a link that answers
            # while it is being told of a call would make this a recursion.
            asyncio.get_running_loop().call_soon(self._next, place)
        else:
            del self._lines[place]

    def _next(self, place: Place) -> None:
        """Start the first one that waits and still wants this key."""
        line = self._lines[place]
        line.holder = 0
        while line.waiting and not line.holder:
            call = next(iter(line.waiting))
            del line.waiting[call]
            self._start(call)
        if not line.holder:
            del self._lines[place]
