"""Tells the members of topics who has joined and who has left: not one by one, but what a moment has brought.

    notice presence {"topic":"room.kitchen","joined":[{"id":"ada","user":"ada","sockets":1,"data":null}],"left":["bob"]}

A member that was given the list with the answer to its `join` is told only of what came after that; one that a plug has
put in is told first of everybody.
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

import msgspec

from plugsock.gateway.peer import Peer
from plugsock.gateway.protected import guarded
from plugsock.hub.membership import Topic

BATCH_S: Final = 0.05
"""What happens within so long is told at once. Nobody takes it for late, and a hall that fills costs 20 notices a second."""

_NOTHING: Final = -1
"""Stands for the change that somebody has heard of who was told of nobody yet."""

Room: TypeAlias = Topic[Peer]


class Attendance:
    """What is still to be told, by topic."""

    def __init__(self) -> None:
        self._due: dict[Room, dict[Peer, int]] = {}
        """For each topic that has news, the latest change that newcomers have heard of."""

    def changed(self, topic: Room) -> None:
        """Something about who is there may have changed."""
        if topic.presence.has_changed and topic not in self._due:
            self._due[topic] = {}
            asyncio.get_running_loop().call_later(BATCH_S, self._tell, topic)

    def listed(self, peer: Peer, topic: Room) -> None:
        """Somebody who is in a topic is given the list of all who are there now."""
        if (heard := self._due.get(topic)) is not None:
            heard[peer] = topic.presence.change

    def list_for(self, peer: Peer, topic: Room) -> None:
        """Give somebody the list of all who are there now, as if they had just joined."""
        peer.send(False, _notice(topic, _everybody(topic), ()))
        self.listed(peer, topic)

    def seated(self, peer: Peer, topic: Room) -> None:
        """Somebody was put into a topic and knows nobody there."""
        if (heard := self._due.get(topic)) is not None:
            heard[peer] = _NOTHING

    def left(self, peer: Peer, topic: Room) -> None:
        """Somebody has left."""
        self.changed(topic)
        if (heard := self._due.get(topic)) is not None:
            heard.pop(peer, None)

    def _tell(self, topic: Room) -> None:
        heard = self._due.pop(topic)
        news = topic.presence.take()
        needs = topic.needs
        if needs is None or not topic.has_presence or not topic.members:
            return
        for_all = _notice(topic, news.joined, news.left)
        everybody = _notice(topic, _everybody(topic), ()) if _NOTHING in heard.values() else b""
        for peer in tuple(topic.members):
            change = heard.get(peer)
            if change is None:
                frame = for_all
            elif change == _NOTHING:
                frame = everybody
            else:
                joined, left = news.after(change)
                frame = _notice(topic, joined, left) if joined or left else b""
            if frame and peer.rights.meets(needs):
                peer.send(False, frame)


def _everybody(topic: Room) -> list[bytes]:
    return [msgspec.json.encode(entry.told()) for entry in topic.presence.listing()]


def _notice(topic: Room, joined: Iterable[bytes], left: Sequence[str]) -> bytes:
    """Put a notice together of members that are encoded already, and once for all who hear the same."""
    frame = b'notice presence {"topic":"%b","joined":[%b],"left":%b}' % (
        topic.name.encode(),
        b",".join(joined),
        msgspec.json.encode(left),
    )
    return guarded(frame, topic.needs or ())
