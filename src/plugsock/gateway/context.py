"""What all connections of a listener share."""

import asyncio
from typing import Protocol

from plugsock.gateway.conversation import Converse, Wire
from plugsock.gateway.handshake import Handshake
from plugsock.gateway.limits import Limits
from plugsock.gateway.turn import Turn


def remote(transport: asyncio.BaseTransport) -> str:
    """Address of the other side of a TCP connection, for people."""
    name = transport.get_extra_info("peername")
    return f"{name[0]}:{name[1]}" if name else "unknown"


class Member(Protocol):
    """Whoever holds a TCP connection at the moment."""

    due: float
    """When the sweep should look at it, on the loop's clock."""

    def tick(self, now: float) -> None:
        """Its time has come."""


class Context:
    """What all connections of a listener share.

    Attributes:
        members: Everything that holds a TCP connection, in whatever phase.
        wires: Those whose WebSocket is open.
        turn: Collects what is sent in one turn of the loop.
        emptied: Set whenever the last member leaves.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, limits: Limits, handshake: Handshake, converse: Converse
    ) -> None:
        self.loop = loop
        self.limits = limits
        self.handshake = handshake
        self.converse = converse
        self.members: set[Member] = set()
        self.wires: set[Wire] = set()
        self.turn = Turn(loop)
        self.emptied = asyncio.Event()

    def leave(self, member: Member) -> None:
        """A member has let go of its connection."""
        self.members.discard(member)
        if not self.members:
            self.emptied.set()

    def sweep(self) -> None:
        """Look at every member whose time has come: the only timer there is, however many connections."""
        now = self.loop.time()
        for member in list(self.members):
            if member.due <= now:
                member.tick(now)
