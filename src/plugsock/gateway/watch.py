"""One view as one client watches it, under one id: what it was told last, and what it has to be told."""

from collections.abc import Callable

from plugsock.gateway.live import Live
from plugsock.gateway.open_call import refuse
from plugsock.gateway.peer import Peer
from plugsock.gateway.protected import guarded
from plugsock.gateway.routes import Route
from plugsock.gateway.seen import News, Trouble, Value
from plugsock.model import Fault, Requires


class Watch:
    """A view that is watched.

    Attributes:
        peer: Who watches.
        id: As the client wrote it.
        route: The view as it is in force.
        payload: The arguments as they came.
        format: Of these, and of the answer that ends it.
        needs: What the peer must be allowed to.
        is_mocked: What it is told is made up.
        live: What keeps it current; None while it is found out which that is.
        asked: How often that was asked: only what answers the latest question counts.
        sent: How many values, patches and faults were sent.
        ended: Hears when it has ended.
    """

    __slots__ = (
        "_base", "_told", "_wants_patches", "asked", "ended", "format", "id", "is_mocked", "live", "needs", "payload", "peer",
        "route", "sent",
    )  # fmt: skip

    def __init__(
        self,
        peer: Peer,
        id: bytes,
        route: Route,
        payload: bytes,
        format: int,
        needs: Requires,
        ended: Callable[["Watch"], None],
        *,
        patches: bool,
        is_mocked: bool,
    ) -> None:
        self.is_mocked = is_mocked
        self.peer = peer
        self.id = id
        self.route = route
        self.payload = payload
        self.format = format
        self.needs = needs
        self.live: Live | None = None
        self.asked = 0
        self.sent = 0
        self.ended = ended
        self._wants_patches = patches
        self._told: News | None = None
        self._base: Value | None = None
        """The value that the client has, as far as is known."""

    @property
    def is_open(self) -> bool:
        """Has it not ended?"""
        return self.peer.session.watches.get(self.id) is self

    @property
    def socket(self) -> str:
        """See `live.Watcher`."""
        return self.peer.id

    @property
    def is_here(self) -> bool:
        """See `live.Watcher`."""
        return self.peer.wire is not None

    @property
    def wants_msgpack(self) -> bool:
        """See `live.Watcher`."""
        return self.peer.binary

    @property
    def base(self) -> Value | None:
        """See `live.Watcher`."""
        return self._base if self._wants_patches else None

    def tell(self, news: News) -> None:
        """See `live.Watcher`; a client that takes no more now is told the newest once it does."""
        # Flat, because it runs once a watcher: with 2,000 of them it is most of what a change costs.
        peer = self.peer
        told = self._told
        if news is told:
            return
        if type(news) is Value:
            if type(told) is Value and news.json == told.json:
                self._told = self._base = news  # of another revision, say: the client has it already
                return
        elif type(news) is Trouble and type(told) is Trouble and news.is_same(told):
            return
        wire = peer.wire
        if wire is None:
            return
        if wire.is_jammed:
            peer.late.add(self)
            return
        binary = peer.binary
        if type(news) is Value:
            frame = self._patch(news, binary=binary) if self._wants_patches else None
            if frame is None:
                frame = news.item(self.id, binary, self.needs)
                if frame is None:
                    return
            self._base = news
        else:
            frame = guarded(b"fault %b %b" % (self.id, news.payload(binary=binary)), self.needs)
        self._told = news
        self.sent += 1
        peer.send(binary, frame)

    def _patch(self, news: Value, *, binary: bool) -> bytes | None:
        """The frame that tells the difference, if the client has what it is for."""
        patch = news.patches[binary] if news.base is not None and news.base is self._base else None
        return None if patch is None else guarded(b"patch %b %b" % (self.id, patch), self.needs)

    def catch_up(self) -> None:
        """See `peer.Late`."""
        if self.live is not None:
            self.live.refresh(self)

    def come_back(self, received: int) -> None:
        """Its client has another socket, and has received so many of what was sent."""
        if received != self.sent:
            self._told = self._base = None
            self.sent = received

    def detach(self) -> None:
        """It is kept current by nothing for now."""
        live, self.live = self.live, None
        self.peer.late.discard(self)
        if live is not None:
            live.leave(self)

    def end(self, reason: Fault | None) -> None:
        """See `live.Watcher`; None for a client that has gone for good, or does not know of it any more."""
        if not self.is_open:  # it has ended, and its id may be another's by now
            return
        del self.peer.session.watches[self.id]
        self.detach()
        self.ended(self)
        if reason is not None:
            refuse(self.peer, self.format == 1, self.id, reason)
