"""What is pushed to those who are in a topic: now, and when they come back to it.

    push room.kitchen chat.message?at=Xk3f9QaL.119 {...}

A push is encoded once for each format that somebody wants, and says where it is in the history if there is one.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

from plugsock.gateway.attendance import Room
from plugsock.gateway.peer import Peer
from plugsock.gateway.protected import guarded
from plugsock.gateway.pushes import as_msgpack
from plugsock.hub.history import Kept
from plugsock.hub.membership import Membership
from plugsock.model import Requires
from plugsock.rpc.frames import Publish
from plugsock.wire.answer import push_frame

_SWEEP_S: Final = 1.0
"""How often it is looked whether what is kept is over, while there is any."""


class Publishing:
    """Pushes to topics.

    Args:
        hub: Who is in them, and what is kept.
        now: A clock that nobody sets, in seconds.
    """

    def __init__(self, hub: Membership[Peer], now: Callable[[], float]) -> None:
        self._hub = hub
        self._now = now
        self._is_sweeping = False

    def publish(self, emit: Publish) -> None:
        """Push an event to everybody who is in a topic and has what it takes."""
        topic = self._hub.get(emit.topic)
        if topic is None and self._hub.keeps(emit.topic):
            topic = self._hub.at(emit.topic, self._now())
        if topic is None or topic.needs is None:  # nobody is there
            return
        event = emit.event.encode()
        if (history := topic.history) is not None:
            self._hub.histories.add(history, event, emit.json, emit.msgpack, emit.needs, self._now())
            self.sweep_later()
            event = _placed(event, history.epoch, history.offset)
        name, needs = emit.topic.encode(), topic.needs + emit.needs
        text = _frame(name, event, emit.json, needs)
        packed = b""
        # Once a member: flat, and no more than what is needed to know whether it may have this.
        for peer in tuple(topic.members):  # a socket that takes no more may be closed, and gone, at once
            if needs and not peer.rights.meets(needs):
                continue
            if peer.binary:
                packed = packed or _frame(name, event, as_msgpack(emit.json, emit.msgpack), needs)
                peer.send(True, packed)
            else:
                peer.send(False, text)

    def missed(self, topic: Room, at: str) -> list[Kept] | None:
        """What was pushed since a position; None if that can't be told, or none is named."""
        if topic.history is None or not at:
            return None
        return self._hub.histories.since(topic.history, at, self._now())

    def catch_up(self, peer: Peer, topic: Room, missed: Iterable[Kept]) -> None:
        """Send somebody what they have missed, as far as they may see it."""
        name, history = topic.name.encode(), topic.history
        for kept in missed:
            assert history is not None
            needs = (topic.needs or ()) + kept.needs
            if peer.rights.meets(needs):
                payload = as_msgpack(kept.json, kept.msgpack) if peer.binary else kept.json
                peer.send(peer.binary, _frame(name, _placed(kept.event, history.epoch, kept.offset), payload, needs))

    def sweep_later(self) -> None:
        """Forget what is kept when it is over, if anything is."""
        if not self._is_sweeping and self._hub.histories:
            self._is_sweeping = True
            asyncio.get_running_loop().call_later(_SWEEP_S, self._sweep)

    def _sweep(self) -> None:
        self._is_sweeping = False
        self._hub.sweep(self._now())
        self.sweep_later()


def _placed(event: bytes, epoch: str, offset: int) -> bytes:
    return b"%b?at=%b.%d" % (event, epoch.encode(), offset)


def _frame(topic: bytes, event: bytes, payload: bytes, needs: Requires) -> bytes:
    return guarded(push_frame(topic, event, payload), needs)
