"""The gateway: owns every socket, routes every call, and never imports a plug.

It puts the parts of this package together and is the sink of its worker: what the worker says arrives here.
"""

import asyncio
from collections.abc import Callable

import msgspec

from plugsock.gateway.calls import Calls, OpenCall
from plugsock.gateway.conversation import Wire
from plugsock.gateway.deadlines import Deadlines
from plugsock.gateway.hello import Reception
from plugsock.gateway.peer import Peer
from plugsock.gateway.routes import Change, Routes
from plugsock.gateway.swaps import Swaps
from plugsock.gateway.verbs import Verbs
from plugsock.hub.peers import Peers
from plugsock.hub.sessions import Sessions
from plugsock.ops.ledger import Ledger
from plugsock.rpc.frames import Broadcast, Emit, Kick, Send, Staged
from plugsock.rpc.link import Link
from plugsock.settings import Settings
from plugsock.wire.answer import notice_frame, push_frame
from plugsock.wire.session import LOST

_SWEEP_S = 1.0
"""How often sessions that nobody took up again are looked for, while there are any."""


class Gateway:
    """Everything between the sockets and the worker.

    Attributes:
        ready: Set once the plugs are loaded.
        on_left: Hears when a socket has gone.
    """

    def __init__(self, settings: Settings) -> None:
        deadlines: Deadlines[OpenCall] = Deadlines()
        self.ledger = Ledger()
        self.peers: Peers[Peer] = Peers()
        self.sessions: Sessions[Peer] = Sessions()
        self.routes = Routes(deadlines, self.ledger, settings.timeout_s)
        self.calls = Calls(self.routes, deadlines, settings.max_open)
        self.swaps = Swaps(self.routes, self.calls, self._tell)
        self.verbs = Verbs(self.routes, self.calls, Reception(settings, self.peers, self.sessions))
        self.ready = asyncio.Event()
        self.on_left: Callable[[], None] = lambda: None
        self._sweeping = False
        # One attribute instead of one more Python call for what happens once a call and once a frame.
        self.receive = self.verbs.receive
        self.answer = self.calls.answer
        self.item = self.calls.item
        self.ended = self.calls.ended
        self.again = self.calls.again
        self.changed = self.swaps.changed

    def attach(self, link: Link) -> None:
        """Send calls through a link from now on."""
        self.link = self.calls.link = self.swaps.link = link
        self.peers.on_binary = lambda wanted: link.formats(msgpack=wanted)

    def converse(self, wire: Wire) -> Peer:
        """Somebody connects: who leads the conversation?"""
        return Peer(self, wire)

    def joined(self, peer: Peer) -> None:
        """A peer's socket has opened."""
        self.peers.add(peer)

    def left(self, peer: Peer) -> None:
        """A peer's socket has gone: keep what it may come back for, end everything else."""
        self.peers.remove(peer)
        if peer.key:
            peer.end_streams()
            peer.session.state = LOST
            for oldest in self.sessions.lost(peer.key, asyncio.get_running_loop().time()):
                self._forget(oldest)
            self._sweep_later()
        else:
            self._forget(peer)
        self.on_left()

    def emit(self, emit: Emit) -> None:
        """A plug sent, broadcast or kicked."""
        if isinstance(emit, Send):
            peer = self.peers.get(emit.socket)
            if peer is not None:
                peer.send(peer.binary, _push(emit, binary=peer.binary))
        elif isinstance(emit, Broadcast):
            binary = _push(emit, binary=True) if self.peers.want_binary else None
            self.peers.broadcast(_push(emit, binary=False), binary)
        elif isinstance(emit, Kick):
            peer = self.peers.get(emit.socket)
            if peer is not None:
                peer.kick(emit.code, emit.reason)

    def staged(self, staged: Staged) -> None:
        """The worker looked at the folder."""
        self.swaps.staged(staged)
        self.ready.set()

    def _tell(self, change: Change) -> None:
        data = {"changed": change.changed, "shapes": self.routes.shapes, "breaking": change.breaking}
        self.peers.broadcast(notice_frame(b"plugs", data))

    def _forget(self, peer: Peer) -> None:
        for call in list(peer.session.calls.values()):
            self.calls.drop(call)
        if peer.introduced:
            self.link.forget(peer.id)

    def _sweep_later(self) -> None:
        if not self._sweeping:
            self._sweeping = True
            asyncio.get_running_loop().call_later(_SWEEP_S, self._sweep)

    def _sweep(self) -> None:
        self._sweeping = False
        for peer in self.sessions.expire(asyncio.get_running_loop().time()):
            self._forget(peer)
        if self.sessions.waiting:
            self._sweep_later()


def _push(emit: Send | Broadcast, *, binary: bool) -> bytes:
    payload: bytes = emit.json
    if binary:
        # The worker encodes MessagePack only while it knows of a socket that wants it: this one said so a moment ago.
        payload = emit.msgpack if emit.msgpack is not None else msgspec.msgpack.encode(msgspec.json.decode(emit.json))
    return push_frame(b"-", emit.event.encode(), payload)
