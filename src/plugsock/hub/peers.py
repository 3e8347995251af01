"""Everybody who holds a socket open, by id; what is told to all of them is encoded once."""

from collections.abc import Callable, Iterator
from typing import Generic, Protocol, TypeVar

from plugsock.hub.rights import Rights
from plugsock.model import Requires


class Peer(Protocol):
    """What the hub asks of somebody who is here."""

    id: str
    binary: bool
    """Pushes go to it as MessagePack in binary frames."""
    is_admitted: bool
    """It gets what everybody gets."""
    rights: Rights
    """What it may do."""

    send: Callable[[bool, bytes], None]
    """Hands a frame to its socket, as (binary, frame)."""

    def kick(self, code: int, reason: str) -> None:
        """Close its socket."""


P = TypeVar("P", bound=Peer)


class Peers(Generic[P]):
    """The peers by id.

    Attributes:
        on_binary: Hears when the first one wants MessagePack, and when the last one no longer does.
    """

    def __init__(self) -> None:
        self._by_id: dict[str, P] = {}
        self._binary = 0
        self.on_binary: Callable[[bool], None] = lambda _: None

    def __len__(self) -> int:
        return len(self._by_id)

    @property
    def want_binary(self) -> bool:
        """Does anybody here want MessagePack?"""
        return bool(self._binary)

    def __iter__(self) -> Iterator[P]:
        return iter(tuple(self._by_id.values()))

    def add(self, peer: P) -> None:
        """A socket opened."""
        self._by_id[peer.id] = peer
        self._count(peer.binary)

    def remove(self, peer: P) -> None:
        """Its socket has gone; nothing happens if it is not here."""
        if self._by_id.get(peer.id) is peer:
            del self._by_id[peer.id]
            self._count(-peer.binary)

    def get(self, id: str) -> P | None:
        """The peer of an id, if its socket is open."""
        return self._by_id.get(id)

    def speak(self, peer: P, *, binary: bool) -> None:
        """Somebody who is here wants pushes as MessagePack, or as JSON."""
        self._count(binary - peer.binary)
        peer.binary = binary

    def broadcast(self, text: bytes, binary: bytes | None = None, needs: Requires = ()) -> None:
        """Hand one frame to everybody who is admitted and may see it.

        Args:
            text: For most.
            binary: For those who want MessagePack, where there is one.
            needs: What its receivers must be allowed to.
        """
        for peer in self:
            if not peer.is_admitted or (needs and not peer.rights.meets(needs)):
                continue
            if peer.binary and binary is not None:
                peer.send(True, binary)
            else:
                peer.send(False, text)

    def _count(self, change: int) -> None:
        before, self._binary = self._binary, self._binary + change
        if bool(before) is not bool(self._binary):
            self.on_binary(bool(self._binary))
