"""Runs what plugs do when something happens to a socket: `@on_connect`, `@on_disconnect`, `@on_join` and `@on_leave`.

    first word ─▶ on_connect ─▶ on_join ⇄ on_leave ─▶ on_disconnect ─▶ the worker forgets the socket
                      ▲                                     │
                      └── the session goes on, elsewhere ───┘

A peer is connected from its first word on, since it is known then who that is: from its welcome on if it says hello, else
from its first frame on, which must be one that it may say. It is disconnected when its socket has gone, or when its
session goes on over another connection, and then it is connected anew. So of one peer these two take turns, whichever
plugs were loaded when: a hook that came later hears of the end of what it has not seen begin. Who never says anything,
and only listens, is never connected; nor is who was not let in.

What happens to one peer is run in the order in which it happened, each when all before it was answered, and the
functions for one moment in the order of their names. A hook that fails, or takes too long, does not keep the next from
running. Between a hook and the calls of its peer there is no order.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Final, Literal, TypeAlias

import msgspec

from plugsock.gateway.calls import Calls
from plugsock.gateway.deputy import Deputy
from plugsock.gateway.peer import Peer
from plugsock.gateway.routes import Route, Routes
from plugsock.model import Fault, Kind
from plugsock.ops.log import get_logger
from plugsock.wire.header import NO_OPTIONS, parse_server
from plugsock.wire.session import NEW

log = get_logger()

MOST: Final = 1000
"""Moments that wait for one peer. As many calls may wait for one key, see `ordering.MOST`."""

Moment: TypeAlias = Literal["on_connect", "on_disconnect", "on_join", "on_leave"]

_NOTHING_TO_ADD: Final = frozenset({"plug_error", "timeout", "unauthorized"})
"""Answers that are in the log already, and that of a hook which takes a `User`, about somebody who is none."""

_fault: Final = msgspec.json.Decoder(Fault)
_topic: Final = msgspec.json.Encoder()


class _Line:
    """What is still to be run for one peer."""

    __slots__ = ("events", "payload", "then", "waiting")

    def __init__(self) -> None:
        self.waiting: deque[tuple[Moment, bytes]] = deque()
        self.events: deque[str] = deque()
        """The functions that are left of the moment that is being run, and its payload."""
        self.payload = b""
        self.then: list[Callable[[], None]] = []


class Moments:
    """What happens to sockets, for plugs that want to know; it is true while anything runs or waits.

    Attributes:
        on_idle: Hears when nothing runs or waits any more.
    """

    def __init__(self, routes: Routes, calls: Calls) -> None:
        self.on_idle: Callable[[], None] = lambda: None
        self._routes = routes
        self._calls = calls
        self._hooks: dict[str, list[str]] = {}
        """By moment, the events of its functions in the order of their names; empty where no plug has a hook."""
        self._lines: dict[Peer, _Line] = {}
        self._unheard: dict[Peer, set[str]] = {}
        """Topics whose joining was left out, and so is the leaving."""

    def __bool__(self) -> bool:
        return bool(self._lines)

    def settle(self) -> None:
        """Find out anew what plugs want to know."""
        self._hooks = {}
        for event in sorted(route.event for route in self._routes.of_kind(Kind.MOMENT)):
            self._hooks.setdefault(event[1:].partition(":")[0], []).append(event)

    def has_hooks(self, moment: Moment) -> bool:
        """Does any plug want to know of this?"""
        return moment in self._hooks

    # What happens.

    def connected(self, peer: Peer) -> None:
        """A peer has said its first word; nothing runs within this very step."""
        peer.is_connected = True
        if self._hooks:
            self._happened(peer, "on_connect")

    def admitted(self, peer: Peer) -> None:
        """A peer may speak from now on; what it said before, if it did, was its first word."""
        if peer.session.state is not NEW:
            self.connected(peer)

    def disconnected(self, peer: Peer) -> None:
        """The socket of a peer has gone, or goes on in other hands; it has left all topics before."""
        if peer.is_connected:
            peer.is_connected = False
            self._unheard.pop(peer, None)
            if self._hooks:
                self._happened(peer, "on_disconnect")

    def joined(self, peer: Peer, topic: str) -> None:
        """A peer is in a topic."""
        if self._hooks and not self._is_too_much(peer, topic):
            self._happened(peer, "on_join", _topic.encode({"topic": topic}))

    def left(self, peer: Peer, topic: str) -> None:
        """A peer is in a topic no more."""
        if self._hooks and not self._was_too_much(peer, topic):
            self._happened(peer, "on_leave", _topic.encode({"topic": topic}))

    def when_over(self, peer: Peer, then: Callable[[], None]) -> None:
        """Do something when all that has happened to a peer was run: perhaps at once."""
        line = self._lines.get(peer)
        if line is None:
            then()
        else:
            line.then.append(then)

    # How it is run.

    def _happened(self, peer: Peer, moment: Moment, payload: bytes = b"{}") -> None:
        if moment not in self._hooks:
            return
        line = self._lines.get(peer)
        if line is None:
            line = self._lines[peer] = _Line()
            self._go_on(peer, line)
        line.waiting.append((moment, payload))

    def _is_too_much(self, peer: Peer, topic: str) -> bool:
        """Do so many moments wait that plugs are not told of this topic?"""
        line = self._lines.get(peer)
        if line is None or len(line.waiting) < MOST:
            self._was_too_much(peer, topic)
            return False
        unheard = self._unheard.setdefault(peer, set())
        if not unheard:
            log.warning("too much happens to a socket: plugs are not told of all topics it joins", socket=peer.id)
        unheard.add(topic)
        return True

    def _was_too_much(self, peer: Peer, topic: str) -> bool:
        """Were plugs not told that a peer has joined this topic?"""
        unheard = self._unheard.get(peer)
        if unheard is None or topic not in unheard:
            return False
        unheard.discard(topic)
        if not unheard:
            del self._unheard[peer]
        return True

    def _go_on(self, peer: Peer, line: _Line) -> None:
        # Not at once: a peer is connected before it is welcomed, and a link may answer while it is being told.
        asyncio.get_running_loop().call_soon(self._next, peer, line)

    def _next(self, peer: Peer, line: _Line) -> None:
        """Run the next function; after the last one nothing is left of the line."""
        while line.events or line.waiting:
            if not line.events:
                moment, line.payload = line.waiting.popleft()
                line.events.extend(self._hooks.get(moment, ()))
            elif (route := self._routes.in_force(line.events.popleft())) is not None:
                self._run(peer, line, route)
                return
        del self._lines[peer]
        for then in line.then:
            then()
        if not self._lines:
            self.on_idle()

    def _run(self, peer: Peer, line: _Line, route: Route) -> None:
        if not peer.introduced:
            self._calls.introduce(peer)
        deputy = Deputy(partial(self._answered, peer, line, route.event), peer.id)
        deputy.user, deputy.rights = peer.user, peer.rights
        self._calls.open_with(deputy, False, b"1", route, line.payload, NO_OPTIONS)

    def _answered(self, peer: Peer, line: _Line, event: str, _binary: bool, frame: bytes) -> None:  # noqa: FBT001
        self._go_on(peer, line)
        answer = parse_server(frame)
        if answer.verb == b"error":
            reason = _fault.decode(answer.payload)
            if reason.code not in _NOTHING_TO_ADD:
                log.error("a hook failed", event=event, code=reason.code, socket=peer.id, reason=reason.message)
