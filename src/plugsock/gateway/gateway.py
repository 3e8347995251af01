"""The gateway: owns every socket, routes every call, and never imports a plug.

It puts the parts of this package together and is the sink of its worker: what the worker says arrives here.
"""

import asyncio
from collections.abc import Callable
from functools import partial

from plugsock.errors import PlugsockError
from plugsock.gateway.authenticator import Authenticator
from plugsock.gateway.calls import Calls
from plugsock.gateway.conversation import Wire
from plugsock.gateway.deadlines import Deadlines
from plugsock.gateway.documents import Documents
from plugsock.gateway.hello import Reception
from plugsock.gateway.identities import Identities
from plugsock.gateway.mocking import Mocking
from plugsock.gateway.moments import Moments
from plugsock.gateway.open_call import OpenCall
from plugsock.gateway.peer import Peer
from plugsock.gateway.permission import may_know_of
from plugsock.gateway.protected import guarded
from plugsock.gateway.pushes import as_msgpack
from plugsock.gateway.routes import Change, Routes
from plugsock.gateway.swaps import Swaps
from plugsock.gateway.topics import Topics
from plugsock.gateway.verbs import Verbs
from plugsock.gateway.views import Views
from plugsock.hub.peers import Peers
from plugsock.hub.rights import EVERYBODY, NOBODY
from plugsock.hub.sessions import Sessions
from plugsock.model import Kind, Reach
from plugsock.ops.ledger import Ledger
from plugsock.ops.log import get_logger
from plugsock.ops.tasks import Tasks
from plugsock.rpc.frames import (
    Broadcast,
    Emit,
    Grant,
    Join,
    Kick,
    KickUser,
    Leave,
    Members,
    Publish,
    Reply,
    Request,
    Send,
    Staged,
    Touch,
)
from plugsock.rpc.link import Link
from plugsock.rpc.views import MEMBERS
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
        mocking = Mocking(settings)
        self.routes = Routes(deadlines, self.ledger, settings.timeout_s, mocking.may_be)
        self.calls = Calls(self.routes, deadlines, settings.max_open, mocking)
        self.swaps = Swaps(self.routes, self.calls, self._swapped, settings.auth)
        nobody = EVERYBODY if mocking.is_all and settings.auth == "none" else NOBODY
        self.identities = Identities(settings.auth, self.routes, self.calls, settings.data / GRANTS, nobody=nobody)
        self.topics = self.identities.topics = Topics(self.peers, self.calls, settings.max_watches)
        self.views = self.identities.views = Views(self.routes, self.calls, settings.max_watches, mocking)
        self.moments = Moments(self.routes, self.calls)
        self.identities.on_admitted = self.moments.admitted
        authenticator = Authenticator(self.routes, self.calls)
        self.topics.on_joined, self.topics.on_left = self.moments.joined, self.moments.left
        self.topics.on_change = lambda topic: self.views.touch([MEMBERS + topic])
        reception = Reception(
            settings,
            self.peers,
            self.sessions,
            self.identities,
            authenticator,
            self.views,
            self.moments,
            self.topics,
            mocking,
        )
        self.verbs = Verbs(self.routes, self.calls, reception, self.views, self.moments, self.topics)
        self.documents = Documents(self.routes)
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
        self.documented = self.documents.told

    def attach(self, link: Link) -> None:
        """Send calls through a link from now on."""
        self.link = self.calls.link = self.swaps.link = self.documents.link = link
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
        self.topics.gone(peer)
        self.moments.disconnected(peer)
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
            self._broadcast(emit)
        elif isinstance(emit, Publish):
            self.topics.publish(emit)
        elif isinstance(emit, Join):
            self.topics.put(emit)
        elif isinstance(emit, Leave):
            self.topics.take_out(emit)
        elif isinstance(emit, Touch):
            self.views.touch(emit.keys)
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
            if isinstance(request, Members):
                reply = Reply(Reach(), members=self.topics.members(request.topic))
            elif isinstance(request, Grant):
                reply = Reply(await identities.grant(request.user, request.permission))
            else:
                reply = Reply(await identities.revoke(request.user, request.permission, request.fence_s))
        except PlugsockError as error:
            reply = Reply(Reach(), str(error))
        except Exception:  # whatever it is, a plug waits for an answer
            log.exception("what a plug asked for failed")
            reply = Reply(Reach(), "it failed; the server's log has the reason")
        self.link.told(number, reply)

    def _send(self, emit: Send) -> None:
        """Push something to one socket, which may see it as long as it may see the answer too, if the call was its own."""
        peer = self.peers.get(emit.socket)
        needs = self.calls.needs_of(emit.sequence, emit.socket)
        if peer is None or needs is None:
            return
        needs += emit.needs
        if peer.rights.meets(needs):
            peer.send(peer.binary, guarded(_push(emit, binary=peer.binary), needs))

    def _broadcast(self, emit: Broadcast) -> None:
        needs = emit.needs
        binary = guarded(_push(emit, binary=True), needs) if self.peers.want_binary else None
        self.peers.broadcast(guarded(_push(emit, binary=False), needs), binary, needs)

    def staged(self, staged: Staged) -> None:
        """The worker looked at the folder."""
        self.swaps.staged(staged)
        self.moments.settle()
        self.topics.settle(self.routes.of_kind(Kind.TOPIC))
        if self.identities.settle():
            for peer in self.peers:
                if peer.user is None:
                    self.identities.bar(peer)
                    peer.kick(codes.NO_HELLO, codes.MEANINGS[codes.NO_HELLO])
        self.ready.set()

    def _swapped(self, change: Change) -> None:
        self._tell(change)
        self.views.swapped(change)

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
        self.topics.forget(peer)
        self.views.forget(peer)
        for call in list(peer.session.calls.values()):
            self.calls.drop(call)
        self.moments.when_over(peer, partial(self._forget_on_workers, peer))

    def _forget_on_workers(self, peer: Peer) -> None:
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
        payload = as_msgpack(emit.json, emit.msgpack)
    return push_frame(b"-", emit.event.encode(), payload)
