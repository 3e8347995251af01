"""The two sides of a connection: what it offers, and what it needs of whoever talks over it."""

from collections.abc import Callable
from typing import Protocol

from plugsock.gateway.handshake import Request


class Conversation(Protocol):
    """One end of the talk with one client: the server's session, or the plain echo of the conformance suites.

    Every method is called from the event loop and returns at once. An exception is a bug and closes the socket (1011).
    """

    def opened(self) -> None:
        """The handshake is done: from now on messages can be sent."""

    def received(self, binary: bool, message: bytes, /) -> None:  # noqa: FBT001 - by position: once a message
        """Take one whole message; a text (`binary` is false) has been checked to be UTF-8."""

    def congested(self, *, congested: bool) -> None:
        """The client reads too slowly (more than `Limits.high_water` bytes are unsent), or no longer so.

        Meanwhile nothing is received, because the connection does not read.
        """

    def cleared(self) -> None:
        """The client takes more again: nothing is left that it had not taken (see `Wire.is_jammed`)."""

    def closed(self, code: int) -> None:
        """The socket has gone; called exactly once after `opened`. 1006 if no close frame said why."""


class Wire(Protocol):
    """An open connection, as a conversation sees it."""

    request: Request
    """What opened it."""

    @property
    def is_open(self) -> bool:
        """Is what is sent now still delivered?"""

    is_jammed: bool
    """The client has not taken what was handed over: what is sent now waits, and `Conversation.cleared` follows."""

    @property
    def conversation(self) -> Conversation:
        """Who talks over it; may be replaced between two messages."""

    @conversation.setter
    def conversation(self, conversation: Conversation) -> None: ...

    @property
    def remote(self) -> str:
        """Address of the other side."""

    def send(self, binary: bool, payload: bytes) -> None:  # noqa: FBT001 - by position: once a message
        """Queue one message; nothing happens once the connection closes."""

    def withhold(self, may_see: Callable[[bytes], bool], instead: Callable[[bool, bytes], bytes | None]) -> None:
        """Take back what is queued and may not be seen any more, or put something else in its place.

        Args:
            may_see: May this message still be sent?
            instead: What is sent in its place, by (binary, message); None for nothing.
        """

    def fence(self, passed: Callable[[], None]) -> None:
        """Say when the other side has read all that was sent until now, or the connection has gone: once, or never."""

    def close(self, code: int, reason: str = "") -> None:
        """Close after everything that was sent before; nothing more is received."""

    def cut(self) -> None:
        """Close at once; what the other side has not got is thrown away, here and as far as can be in the kernel."""


Converse = Callable[[Wire], Conversation]
"""Says who talks over a connection that has just been opened."""
