"""The last moments of a TCP connection: everything has been said, the other side has to hang up."""

import asyncio

from plugsock.gateway.context import Context


class Linger(asyncio.Protocol):
    """Closes the sending half and reads on, to throw away, until the other side has closed too.

    Closing at once while something unread has come would reset the connection, and the last frame or page could be lost
    on its way.
    """

    __slots__ = ("_context", "_transport", "due")

    def __init__(self, context: Context, transport: asyncio.Transport) -> None:
        self._context = context
        self._transport = transport
        self.due = context.loop.time() + context.limits.close_s

    @classmethod
    def over(cls, context: Context, transport: asyncio.Transport) -> None:
        """Take over a transport for its last moments."""
        linger = cls(context, transport)
        transport.set_protocol(linger)
        if transport.is_closing():  # the last write failed: the other side has gone already
            return
        context.members.add(linger)
        if transport.can_write_eof():
            transport.write_eof()
        else:
            transport.close()

    def tick(self, now: float) -> None:  # noqa: ARG002 - its only time is up
        """Wait no longer."""
        self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - how does not matter any more
        """The other side has hung up."""
        self._context.leave(self)
