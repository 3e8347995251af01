"""Topics: who joins and leaves, by themselves or by a plug's word.

    join, hello, `socket.join` ──▶ in ── leave, `socket.leave`, socket gone, rights or rule gone ──▶ out

Whoever is in a topic has what its rule requires: that is looked at when somebody joins, when their rights change and
when the rule does. Every push is checked for every receiver all the same, see `publishing`, and who else is there is told
by `attendance`.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import msgspec
from msgspec import Struct

from plugsock.gateway.attendance import Attendance, Room
from plugsock.gateway.calls import Calls
from plugsock.gateway.open_call import refuse
from plugsock.gateway.peer import Peer
from plugsock.gateway.permission import lacking, no_longer
from plugsock.gateway.protected import guarded
from plugsock.gateway.publishing import Publishing
from plugsock.gateway.refusal import Refused
from plugsock.gateway.routes import Route
from plugsock.hub.away import Away
from plugsock.hub.history import Kept
from plugsock.hub.membership import Membership, Seat, needs_of
from plugsock.hub.peers import Peers
from plugsock.hub.rules import Rule, Rules
from plugsock.model import TOPIC, Fault, Member, Requires
from plugsock.ops.log import get_logger
from plugsock.rpc.frames import Join, Leave
from plugsock.wire.answer import fault, notice_frame, ok_frame

log = get_logger()

MOST_MISSED: Final = 4 * 1024 * 1024
"""Bytes that one `hello` brings of what was missed on all topics: as much as may be unsent on a socket. Of a topic for
which there is no room it is said that it can't be recovered."""

NO_VALUE: Final = fault(
    "forbidden", "No permission can be about this topic: `*` stands for 1 to 64 of A-Z a-z 0-9 _ / -"
)


class Position(Struct):
    """The answer to `join`."""

    epoch: str
    offset: int
    recovered: bool
    members: list[Member] | None


class Refusal(Struct):
    """Why a topic that `hello` named was not joined."""

    error: Fault


class Coming(Struct):
    """Somebody comes into a topic."""

    topic: Room
    is_new: bool
    """They were not in it."""
    is_news: bool
    """It changes what `Server.members` tells."""
    missed: list[Kept] | None = None
    """What they have missed; None if that can't be told."""


class Arrival(Struct):
    """What `hello` brings about topics."""

    told: dict[str, Position | Refusal]
    """For `welcome`, by topic."""
    coming: list[Coming]


class Topics:
    """All topics of the gateway.

    Args:
        peers: Who has a socket.
        calls: Those that plugs say something in, and the way to tell workers which topics a socket is in.
        limit: Of topics that one socket may be in.
        now: A clock that nobody sets, in seconds.

    Attributes:
        on_change: Hears the name of a topic whenever what `members` tells of it has changed.
        on_joined: Hears that a peer is in a topic, once.
        on_left: Hears that it is not any more, once.
    """

    def __init__(self, peers: Peers[Peer], calls: Calls, limit: int, now: Callable[[], float] = time.monotonic) -> None:
        self.on_change: Callable[[str], None] = lambda _: None
        self.on_joined: Callable[[Peer, str], None] = lambda _peer, _topic: None
        self.on_left: Callable[[Peer, str], None] = lambda _peer, _topic: None
        self._peers = peers
        self._calls = calls
        self._limit = limit
        self._now = now
        self._hub: Membership[Peer] = Membership()
        self._publishing = Publishing(self._hub, now)
        self.publish = self._publishing.publish
        self._attendance = Attendance()
        self._away = Away(limit)
        self._untold: set[Peer] = set()
        """Whose topics have changed in this turn of the loop, which workers hear at its end."""

    # What clients say.

    def join(self, peer: Peer, binary: bool, id: bytes, name: str, at: str) -> None:  # noqa: FBT001 - as frames are sent
        """Answer `join`, and send what was missed since a position, if all of that is here."""
        try:
            coming = self._let_in(peer, name, is_own=True)
        except Refused as refused:
            refuse(peer, binary, id, refused.reason)
            return
        topic = coming.topic
        coming.missed = self._publishing.missed(topic, at)
        position = self._position(peer, coming, binary=binary)
        self._answer(peer, binary, id, _encoders[binary](position), topic.needs or ())
        self._settled(peer, coming)

    def leave(self, peer: Peer, binary: bool, id: bytes, name: str) -> None:  # noqa: FBT001 - as frames are sent
        """Answer `leave`."""
        topic = self._hub.get(name)
        if topic is None or peer not in topic.members:
            refuse(peer, binary, id, peer.bar or fault("not_found", f"{name} was not joined."))
            return
        self._leave(peer, topic)
        self._answer(peer, binary, id, b"", ())

    def arrive(self, peer: Peer, named: Mapping[str, str | None]) -> Arrival:
        """Let somebody who says hello into the topics that they name, and into those that their session was in.

        They hear of it by `welcome`, then `follow` has to be called.
        """
        arrival = Arrival({}, [])
        room = MOST_MISSED
        before = self._away.take(peer.id)
        for name in dict.fromkeys((*before, *named)):
            seat = before.get(name)
            is_own, data = (True, None) if seat is None else (seat.is_own, seat.data)
            try:
                coming = self._let_in(peer, name, data, is_own=is_own)
            except Refused as refused:
                arrival.told[name] = Refusal(refused.reason)
                continue
            missed = self._publishing.missed(coming.topic, named.get(name) or "")
            size = sum(kept.size for kept in missed or ())
            if size <= room:
                room -= size
                coming.missed = missed
            arrival.told[name] = position = self._position(peer, coming)
            if position.members and coming.topic.needs:
                position.members = []  # a welcome is never taken back; the list follows by itself
            arrival.coming.append(coming)
        return arrival

    def follow(self, peer: Peer, arrival: Arrival) -> None:
        """Somebody was welcomed: send what they have missed."""
        for coming in arrival.coming:
            if coming.topic.has_presence and coming.topic.needs:
                self._attendance.list_for(peer, coming.topic)
            self._settled(peer, coming)

    # What plugs say.

    def put(self, emit: Join) -> None:
        """Put a socket into a topic; if it may not be there, that is only logged."""
        if self._calls.needs_of(emit.sequence, emit.socket) is None:  # of an ended call nothing reaches its caller
            return
        peer = self._peers.get(emit.socket)
        if peer is None:
            self._away.put(emit.socket, emit.topic, emit.data)
            return
        try:
            if not peer.is_admitted:
                raise Refused(peer.bar or fault("unauthorized", "Nobody knows yet who that is."))
            coming = self._let_in(peer, emit.topic, emit.data, is_own=False)
        except Refused as refused:
            log.warning(
                "a plug can't put a socket into a topic",
                topic=emit.topic, socket=emit.socket, code=refused.reason.code, reason=refused.reason.message,
            )  # fmt: skip
            return
        if coming.is_new:
            self._attendance.seated(peer, coming.topic)
        self._settled(peer, coming)

    def take_out(self, emit: Leave) -> None:
        """Take a socket out of a topic."""
        self._away.take_out(emit.socket, emit.topic)
        peer, topic = self._peers.get(emit.socket), self._hub.get(emit.topic)
        if peer is not None and topic is not None:
            self._put_out(peer, topic, fault("cancelled", f"A plug has taken you out of {topic.name}."))

    def members(self, name: str) -> list[Member]:
        """Who is in a topic, by id."""
        topic = self._hub.get(name)
        return [] if topic is None else [entry.plain() for entry in topic.presence.listing()]

    # What happens.

    def settle(self, routes: Iterable[Route]) -> None:
        """Put the rules that are announced now in force: who may not be in a topic any more leaves it.

        Who has joined by themselves leaves a topic that clients can't join any more; whom a plug has put in stays.
        """
        announced = (route.announcement for route in routes)
        rules = Rules(Rule(each.topic, each.requires) for each in announced if each.topic is not None)
        if rules.all == self._hub.rules.all:
            return
        for topic in self._hub.govern(rules, self._now()):
            gone = fault("gone", f"{topic.name} can't be joined any more.")
            for peer, seat in tuple(topic.members.items()):
                if not _may_be_in(peer, topic):
                    self._put_out(peer, topic)
                elif topic.rule is None and seat.is_own:
                    self._put_out(peer, topic, gone)
            self._attendance.changed(topic)
        self._publishing.sweep_later()

    def enforce(self, peer: Peer) -> int:
        """See `identities.Holding`; who has become somebody else is that in topics, too."""
        out = 0
        for topic in [topic for name in sorted(peer.topics) if (topic := self._hub.get(name)) is not None]:
            if peer not in topic.members:  # its socket has gone while it was told of another one
                break
            if not _may_be_in(peer, topic):
                self._put_out(peer, topic)
                out += 1
            elif self._hub.rename(peer, topic):
                self._attendance.changed(topic)
                self.on_change(topic.name)
        return out

    def gone(self, peer: Peer) -> None:
        """A socket has gone: its peer leaves everything, and comes into it again if its session goes on."""
        seats = {}
        for name in sorted(peer.topics):
            topic = self._hub.get(name)
            assert topic is not None
            seats[name] = self._leave(peer, topic)
        if peer.key:
            self._away.keep(peer.id, seats)  # its socket may have gone before its session goes on elsewhere

    def forget(self, peer: Peer) -> None:
        """Its session is over, too."""
        self._away.take(peer.id)
        self._untold.discard(peer)

    # How it is done.

    def _let_in(self, peer: Peer, name: str, data: bytes | None = None, *, is_own: bool) -> Coming:
        """Put somebody into a topic; `_settled` has to follow, when they have been told.

        Raises:
            Refused: They may not be there, or are in too many.
        """
        rule = self._hub.rule_of(name)
        if is_own and (rule is None or TOPIC.fullmatch(name) is None):
            raise Refused(fault("not_found", f"There is no topic {name}."))
        needs = needs_of(name, rule)
        if needs is None:
            raise Refused(NO_VALUE)
        if not peer.rights.meets(needs):
            raise Refused(lacking(peer, name, needs))
        if name not in peer.topics and len(peer.topics) >= self._limit:
            raise Refused(fault("limit", f"A socket may be in at most {self._limit} topics."))
        topic = self._hub.at(name, self._now())
        before = topic.presence.change
        is_new = self._hub.enter(peer, topic, data, is_own=is_own)
        self._attendance.changed(topic)
        if is_new:  # before anything is sent: a socket that takes no more may be gone by then, and has left
            self._tell_workers(peer)
            self.on_joined(peer, name)
        return Coming(topic, is_new, is_new or topic.presence.change != before)

    def _settled(self, peer: Peer, coming: Coming) -> None:
        """Somebody knows where they are: send what they have missed, and tell others."""
        self._publishing.catch_up(peer, coming.topic, coming.missed or ())
        if coming.is_news:
            self.on_change(coming.topic.name)

    def _leave(self, peer: Peer, topic: Room) -> Seat:
        seat = self._hub.leave(peer, topic, self._now())
        self._attendance.left(peer, topic)
        self._tell_workers(peer)
        self._publishing.sweep_later()
        self.on_left(peer, topic.name)
        self.on_change(topic.name)
        return seat

    def _put_out(self, peer: Peer, topic: Room, reason: Fault | None = None) -> None:
        """Take somebody out, and tell them; who has gone while others were told is out already."""
        if peer not in topic.members:
            return
        self._leave(peer, topic)
        peer.send(False, notice_frame(b"left", {"topic": topic.name, "reason": reason or _revoked(topic)}))

    def _position(self, peer: Peer, coming: Coming, *, binary: bool = False) -> Position:
        topic, history = coming.topic, coming.topic.history
        members = None
        if topic.has_presence:
            members = [entry.plain() if binary else entry.told() for entry in topic.presence.listing()]
            self._attendance.listed(peer, topic)
        epoch, offset = ("", 0) if history is None else (history.epoch, history.offset)
        return Position(epoch, offset, coming.missed is not None, members)

    def _answer(self, peer: Peer, binary: bool, id: bytes, payload: bytes, needs: Requires) -> None:  # noqa: FBT001
        """Give a frame its one answer, and keep that."""
        frame = ok_frame(id, payload) if payload else b"ok " + id
        frame = guarded(frame, needs)
        peer.session.keep(id, binary, frame)
        peer.send(binary, frame)

    def _tell_workers(self, peer: Peer) -> None:
        """The topics of a peer have changed: let workers hear it, once a turn of the loop."""
        if not self._untold:
            asyncio.get_running_loop().call_soon(self._introduce)
        self._untold.add(peer)

    def _introduce(self) -> None:
        untold, self._untold = self._untold, set()
        for peer in untold:
            if peer.introduced:
                self._calls.introduce(peer)


def _may_be_in(peer: Peer, topic: Room) -> bool:
    return topic.needs is not None and peer.rights.meets(topic.needs)


def _revoked(topic: Room) -> Fault:
    if topic.needs is None:
        return fault("revoked", NO_VALUE.message)
    return no_longer(topic.needs)


_encoders: Final = (msgspec.json.encode, msgspec.msgpack.encode)
"""By whether the frame is binary."""
