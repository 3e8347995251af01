"""The views that are watched: who watches which, and when each has to run again.

watch ── may they? ── which arguments are these? ── Live, shared by all who see the same ── item, item, ...
                                                      ▲
             changed keys, a swap, other rights, time ┘
"""

import asyncio
from collections.abc import Iterable, Mapping
from functools import partial
from typing import TypeAlias

from plugsock.gateway.calls import Calls
from plugsock.gateway.live import FINAL, FIRST_RETRY_S, Live
from plugsock.gateway.mocking import Mocking
from plugsock.gateway.moving import Moving
from plugsock.gateway.naming import Naming
from plugsock.gateway.open_call import refuse
from plugsock.gateway.peer import Peer
from plugsock.gateway.permission import no_longer, permitted
from plugsock.gateway.refusal import Refused
from plugsock.gateway.routes import Change, Route, Routes
from plugsock.gateway.seen import Trouble
from plugsock.gateway.watch import Watch
from plugsock.hub.changes import Changes
from plugsock.model import Fault, Kind, Watching
from plugsock.wire.answer import fault
from plugsock.wire.header import ClientFrame

_Key: TypeAlias = tuple[object, ...]
"""Event, revision, the arguments' name, is it made up, and for whom: whoever has the same sees the same."""


class Views:
    """All of them.

    Args:
        routes: Which views there are.
        calls: Run them.
        limit: Views that one socket may watch.
        mocking: Which of them are made up.
    """

    def __init__(self, routes: Routes, calls: Calls, limit: int, mocking: Mocking) -> None:
        self._mocking = mocking
        self._routes = routes
        self._calls = calls
        self._limit = limit
        self._naming = Naming(calls)
        self._changes: Changes[Live] = Changes()
        self._lives: dict[_Key, Live] = {}
        self._watches: dict[str, dict[Watch, None]] = {}
        """By event."""
        self._moving = Moving(self._attach_again)

    # What clients say.

    def watch(self, peer: Peer, route: Route, frame: ClientFrame, format: int) -> None:
        """Keep a view open for somebody, or refuse it with its one answer; the id is good."""
        session = peer.session
        try:
            if len(session.watches) >= self._limit:
                raise Refused(fault("limit", f"At most {self._limit} views may be watched on a socket."))
            needs = permitted(peer, route, frame.payload, format)
        except Refused as refused:
            refuse(peer, format == 1, frame.id, refused.reason)
            return
        options = frame.options
        is_mocked = self._mocking.is_now(route.event, peer.mocked, asked=options.mock)
        watch = Watch(
            peer,
            frame.id,
            route,
            frame.payload,
            format,
            needs,
            self._ended,
            patches=options.patch,
            is_mocked=is_mocked,
        )
        session.watches[frame.id] = watch
        self._watches.setdefault(route.event, {})[watch] = None
        self._attach(watch)

    def cancel(self, peer: Peer, id: bytes) -> None:
        """Somebody watches a view no more; nothing happens if they have not."""
        watch = peer.session.watches.get(id)
        if watch is not None:
            watch.end(fault("cancelled", "The client asked for it."))

    # What happens.

    def touch(self, keys: Iterable[str]) -> None:
        """These have changed: whoever has read them runs again."""
        for live in self._changes.touch(keys):
            live.wake()

    def swapped(self, change: Change) -> None:
        """A swap has changed these events: what is watched of them runs again, on what is in force now."""
        self._naming.forget(frozenset(change.changed))
        for event in change.changed:
            watches = list(self._watches.get(event, ()))
            for watch in watches:
                watch.detach()
            route = self._routes.in_force(event)
            self._moving.add([watch for watch in watches if self._move(watch, route)])

    def enforce(self, peer: Peer) -> int:
        """The rights of a peer have changed: end what it may not see, and run again what depends on them."""
        lost = [watch for watch in peer.session.watches.values() if not peer.rights.meets(watch.needs)]
        for watch in lost:
            watch.end(no_longer(watch.needs))
        personal = [watch for watch in peer.session.watches.values() if _audience(watch.route) != "everybody"]
        for watch in personal:  # all of them first, else one would find what another has not left yet
            watch.detach()
        for watch in personal:
            self._attach(watch)
        return len(lost)

    def come_back(self, peer: Peer, received: Mapping[bytes, int]) -> None:
        """A peer has another socket: tell it what has changed since, and forget what it does not name."""
        for id, watch in list(peer.session.watches.items()):
            if id not in received:
                watch.end(None)
            else:
                watch.come_back(received[id])
                if watch.live is not None:
                    watch.live.refresh(watch)

    def forget(self, peer: Peer) -> None:
        """A peer has gone for good."""
        for watch in list(peer.session.watches.values()):
            watch.end(None)

    def close(self, reason: Fault) -> None:
        """The server drains: everything ends."""
        for watches in list(self._watches.values()):
            for watch in list(watches):
                watch.end(reason)

    # How a watch finds what keeps it current.

    def _attach(self, watch: Watch) -> None:
        if _audience(watch.route) != "everybody" and not watch.peer.introduced:
            self._calls.introduce(watch.peer)
        watch.asked += 1
        self._naming.name(watch.route, watch.payload, watch.format, partial(self._named, watch, watch.asked))

    def _named(self, watch: Watch, asked: int, name: bytes | Fault) -> None:
        if not watch.is_open or watch.asked != asked:
            return
        if isinstance(name, Fault):
            self._unnamed(watch, name)
            return
        route = watch.route
        key: _Key = (route.event, route.revision, name, watch.is_mocked, *_whom(watch))
        live = self._lives.get(key)
        if live is None:
            live = Live(
                self._calls,
                self._changes,
                route,
                watch.payload,
                watch.format,
                watch.needs,
                is_mocked=watch.is_mocked,
            )
            live.over = partial(self._lives.pop, key, None)
            self._lives[key] = live
        watch.live = live
        live.enter(watch)

    def _unnamed(self, watch: Watch, reason: Fault) -> None:
        """Its arguments don't fit, or that can't be found out now."""
        if (watch.sent or reason.retry) and reason.code not in FINAL:
            watch.tell(Trouble(reason))
            wait_s = (reason.after_ms or 0) / 1000 or FIRST_RETRY_S
            asyncio.get_running_loop().call_later(wait_s, self._attach_again, watch, watch.asked)
        else:
            watch.end(reason)

    def _attach_again(self, watch: Watch, asked: int) -> None:
        if watch.is_open and watch.asked == asked:
            self._attach(watch)

    def _move(self, watch: Watch, route: Route | None) -> bool:
        """What somebody watches was swapped: may they watch what is in force now?"""
        if route is None or route.announcement.kind is not Kind.VIEW:
            watch.end(fault("gone", f"{watch.route.event} was removed."))
            return False
        try:
            needs = () if route.needs is None else route.needs.of(watch.payload, watch.format)
        except Refused as refused:
            watch.end(refused.reason)
            return False
        watch.route, watch.needs = route, needs
        if not watch.peer.rights.meets(needs):
            watch.end(no_longer(watch.needs))
        return watch.is_open

    def _ended(self, watch: Watch) -> None:
        watches = self._watches[watch.route.event]
        del watches[watch]
        if not watches:
            del self._watches[watch.route.event]


def _audience(route: Route) -> str:
    return (route.announcement.view or Watching()).audience


def _whom(watch: Watch) -> tuple[object, ...]:
    """For whom it runs: two users are two, and so are two tokens of one user."""
    audience, peer = _audience(watch.route), watch.peer
    if audience == "everybody":
        return ()
    if audience == "socket":
        return (peer.id,)
    user = peer.user
    return (None,) if user is None else (user.id, user.expires, *peer.rights.listing())
