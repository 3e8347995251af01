"""The gateway: owns every socket, routes every call, and never imports a plug.

It puts the parts of this package together and is the sink of its worker: what the worker says arrives here.
"""

import asyncio
from collections.abc import Callable

import msgspec

from plugsock.errors import PlugsockError
from plugsock.gateway.authenticator import Authenticator
from plugsock.gateway.calls import Calls
from plugsock.gateway.conversation import Wire
from plugsock.gateway.deadlines import Deadlines
from plugsock.gateway.hello import Reception
from plugsock.gateway.identities import Identities
from plugsock.gateway.open_call import OpenCall
from plugsock.gateway.peer import Peer
from plugsock.gateway.permission import may_know_of
from plugsock.gateway.protected import Protected
from plugsock.gateway.routes import Change, Routes
from plugsock.gateway.swaps import Swaps
from plugsock.gateway.verbs import Verbs
from plugsock.hub.peers import Peers
from plugsock.hub.sessions import Sessions
from plugsock.model import Reach
from plugsock.ops.ledger import Ledger
from plugsock.ops.log import get_logger
from plugsock.ops.tasks import Tasks
from plugsock.rpc.frames import Broadcast, Emit, Grant, Kick, KickUser, Reply, Request, Send, Staged
from plugsock.rpc.link import Link
from plugsock.settings import Settings
from plugsock.wire import codes
from plugsock.wire.answer import notice_frame, push_frame
from plugsock.wire.session import LOST

log = get_logger()

GRANTS = "grants.json"
"""The file in the data directory that keeps what was granted and denied."""

_SWEEP_S = 1.0
"""How often sessions that nobody took up again are looked for, while there are any."""


class Gateway:
    """Everything between the sockets and the worker.

    Attributes:
        ready: Set once the plugs are loaded.
        on_left: Hears when a socket has gone.
    """

    def __init__(self, settings: Settings) -> None:
        """Put everything together.

        Raises:
            PlugsockError: What was granted and denied earlier can't be read.
        """
        deadlines: Deadlines[OpenCall] = Deadlines()
        self.ledger = Ledger()
        self.peers: Peers[Peer] = Peers()
        self.sessions: Sessions[Peer] = Sessions()
        self.routes = Routes(deadlines, self.ledger, settings.timeout_s)
        self.calls = Calls(self.routes, deadlines, settings.max_open)
        self.swaps = Swaps(self.routes, self.calls, self._tell, settings.auth)
        self.identities = Identities(settings.auth, self.routes, self.calls, settings.data / GRANTS)
        authenticator = Authenticator(self.routes, self.calls)
        reception = Reception(settings, self.peers, self.sessions, self.identities, authenticator)
        self.verbs = Verbs(self.routes, self.calls, reception)
        self._tasks = Tasks("questions")
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
        self.identities.arrived(peer)

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
            self._send(emit)
        elif isinstance(emit, Broadcast):
            binary = _push(emit, binary=True) if self.peers.want_binary else None
            self.peers.broadcast(_push(emit, binary=False), binary)
        elif isinstance(emit, Kick):
            peer = self.peers.get(emit.socket)
            if peer is not None:
                peer.kick(emit.code, emit.reason)
        elif isinstance(emit, KickUser):
            self.identities.kick(emit.user, emit.code, emit.reason)

    def ask(self, number: int, sequence: int, request: Request) -> None:  # noqa: ARG002 - of which call, workers know
        """A plug asks for something, and waits until it is done."""
        self._tasks.spawn("answer a plug", self._answer(number, request))

    async def _answer(self, number: int, request: Request) -> None:
        identities = self.identities
        try:
            if isinstance(request, Grant):
                reach = await identities.grant(request.user, request.permission)
            else:
                reach = await identities.revoke(request.user, request.permission, request.fence_s)
            reply = Reply(reach)
        except PlugsockError as error:
            reply = Reply(Reach(), str(error))
        except Exception:  # whatever it is, a plug waits for an answer
            log.exception("what a plug asked for failed")
            reply = Reply(Reach(), "it failed; the server's log has the reason")
        self.link.told(number, reply)

    def _send(self, emit: Send) -> None:
        """Push something to one socket, which may see it as long as it may see the answer of the call that said it."""
        peer = self.peers.get(emit.socket)
        needs = self.calls.needs_of(emit.sequence, emit.socket)
        if peer is None or needs is None:
            return
        frame = _push(emit, binary=peer.binary)
        peer.send(peer.binary, Protected(frame, needs) if needs else frame)

    def staged(self, staged: Staged) -> None:
        """The worker looked at the folder."""
        self.swaps.staged(staged)
        if self.identities.settle():
            for peer in self.peers:
                if peer.user is None:
                    self.identities.bar(peer)
                    peer.kick(codes.NO_HELLO, codes.MEANINGS[codes.NO_HELLO])
        self.ready.set()

    def _tell(self, change: Change) -> None:
        if not change.requires:
            self.peers.broadcast(self._changed(change, change.changed))
            return
        for peer in self.peers:
            known = [event for event in change.changed if may_know_of(peer, change.requires.get(event, ()))]
            if known and peer.is_admitted:
                peer.send(False, self._changed(change, known))

    def _changed(self, change: Change, events: list[str]) -> bytes:
        data = {"changed": events, "shapes": self.routes.shapes, "breaking": change.breaking}
        return notice_frame(b"plugs", data)

    def _forget(self, peer: Peer) -> None:
        self.identities.forget(peer)
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
