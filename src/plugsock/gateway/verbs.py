"""Everything a client may say besides a plain call, one function a verb."""

from collections.abc import Callable
from typing import Final

from plugsock.gateway.calls import Calls
from plugsock.gateway.hello import Reception
from plugsock.gateway.moments import Moments
from plugsock.gateway.open_call import refuse
from plugsock.gateway.peer import Peer
from plugsock.gateway.routes import Routes
from plugsock.gateway.topics import Topics
from plugsock.gateway.views import Views
from plugsock.model import Fault, Kind
from plugsock.wire.answer import bad_frame, fault
from plugsock.wire.header import MAX_CREDIT, BadFrame, ClientFrame, parse_client


class Verbs:
    """Takes frames apart and does what their verb says.

    Attributes:
        closing: The server drains: no call is begun any more.
    """

    def __init__(
        self, routes: Routes, calls: Calls, reception: Reception, views: Views, moments: Moments, topics: Topics
    ) -> None:
        self.closing = False
        self._routes = routes
        self._calls = calls
        self._reception = reception
        self._views = views
        self._moments = moments
        self._topics = topics
        self._table: Final[dict[bytes, Callable[[Peer, bool, ClientFrame], None]]] = {
            b"hello": self._hello,
            b"token": self._token,
            b"call": self._call,
            b"watch": self._watch,
            b"more": self._more,
            b"cancel": self._cancel,
            b"join": self._join,
            b"leave": self._leave,
            b"ping": self._ping,
        }

    def receive(self, peer: Peer, binary: bool, message: bytes) -> None:  # noqa: FBT001 - by position: once a frame
        """Take one frame; what can't be tied to a call is answered with `error 0`, and the socket stays."""
        try:
            frame = parse_client(message)
            if not peer.session.takes(frame.verb):
                raise BadFrame(_NOT_DUE[frame.verb], frame.id)
            if not peer.is_connected and peer.bar is None and frame.verb != b"hello":
                self._moments.connected(peer)
            self._table[frame.verb](peer, binary, frame)
            if frame.verb != b"hello":  # which takes the step itself, once it is welcome
                peer.session.step(frame.verb)
        except BadFrame as error:
            peer.send(binary, bad_frame(error.message, error.id, binary=binary))

    def _hello(self, peer: Peer, _binary: bool, frame: ClientFrame) -> None:  # noqa: FBT001
        if frame.name != b"plugsock":
            raise BadFrame("hello is said to plugsock: hello ID plugsock {...}", frame.id)
        self._reception.hear(peer, frame, self._routes.shapes)

    def _token(self, peer: Peer, _binary: bool, frame: ClientFrame) -> None:  # noqa: FBT001
        if frame.name != b"plugsock":
            raise BadFrame("token is said to plugsock: token ID plugsock {...}", frame.id)
        if (reused := peer.session.admit(frame.id)) is not None:
            raise BadFrame(reused, frame.id)
        self._reception.refresh(peer, frame)

    def _call(self, peer: Peer, binary: bool, frame: ClientFrame) -> None:  # noqa: FBT001
        id = b"" if frame.id == b"0" else frame.id
        route = self._routes.by_name.get(frame.name)
        if route is not None and (id or route.is_call):
            self._calls.open_with(peer, binary, id, route, frame.payload, frame.options)
        elif id:
            self._refuse(peer, binary, frame, self._missing(frame.name.decode()))

    def _missing(self, event: str) -> Fault:
        if self.closing:
            return fault("overloaded", "The server is shutting down.", after_ms=1000)
        if self._routes.is_gone(event):
            return fault("gone", f"{event} was removed.")
        return fault("not_found", f"There is no event {event}.")

    def _refuse(self, peer: Peer, binary: bool, frame: ClientFrame, reason: Fault) -> None:  # noqa: FBT001
        """Give a frame whose id is good its one answer."""
        if (reused := peer.session.admit(frame.id)) is not None:
            raise BadFrame(reused, frame.id)
        refuse(peer, binary, frame.id, peer.bar or reason)  # who is barred does not find out either what there is

    def _watch(self, peer: Peer, binary: bool, frame: ClientFrame) -> None:  # noqa: FBT001
        route = self._routes.by_name.get(frame.name)
        if route is None:
            self._refuse(peer, binary, frame, self._missing(frame.name.decode()))
        elif route.announcement.kind is not Kind.VIEW:
            self._refuse(peer, binary, frame, fault("not_found", f"{route.event} is no view: call it."))
        elif (reused := peer.session.admit(frame.id)) is not None:
            raise BadFrame(reused, frame.id)
        else:
            self._views.watch(peer, route, frame, int(binary))

    def _join(self, peer: Peer, binary: bool, frame: ClientFrame) -> None:  # noqa: FBT001
        if peer.bar is not None or self.closing:
            self._refuse(peer, binary, frame, self._missing(frame.name.decode()))
        elif (reused := peer.session.admit(frame.id)) is not None:
            raise BadFrame(reused, frame.id)
        else:
            self._topics.join(peer, binary, frame.id, frame.name.decode(), frame.options.at)

    def _leave(self, peer: Peer, binary: bool, frame: ClientFrame) -> None:  # noqa: FBT001
        if (reused := peer.session.admit(frame.id)) is not None:
            raise BadFrame(reused, frame.id)
        self._topics.leave(peer, binary, frame.id, frame.name.decode())

    def _more(self, peer: Peer, _binary: bool, frame: ClientFrame) -> None:  # noqa: FBT001
        if not frame.name.isdigit() or not 0 < int(frame.name) <= MAX_CREDIT:
            raise BadFrame(f"more takes a number of items from 1 to {MAX_CREDIT}.", frame.id)
        call = peer.session.calls.get(frame.id)
        if call is not None and not call.route.is_call:
            self._calls.more(call, int(frame.name))

    def _cancel(self, peer: Peer, _binary: bool, frame: ClientFrame) -> None:  # noqa: FBT001
        call = peer.session.calls.get(frame.id)
        if call is not None:
            self._calls.end(call, fault("cancelled", "The client asked for it."))
        else:
            self._views.cancel(peer, frame.id)

    def _ping(self, peer: Peer, binary: bool, _frame: ClientFrame) -> None:  # noqa: FBT001
        peer.send(binary, b"pong")


_NOT_DUE: Final = {
    b"hello": "hello is the first frame of a socket, or not said at all.",
    b"token": "token refreshes an identity; say hello first.",
}
