"""What a plain function takes, where an `async def` would await: the same words, and each waits until it is done.

    from plugsock import blocking, plug

    @plug
    def promote(server: blocking.Server, user: str) -> None:
        server.grant(user, "orders.approve")

An `async def` takes `plugsock.Server`.
"""

import abc

from plugsock.everybody import Everybody
from plugsock.model import Member, Reach


class Server(Everybody):
    """Everybody else: a plain function takes it by annotating a parameter with `blocking.Server`.

    It is for the thread that the function runs in, and for those that it starts: an event loop would stand still.
    """

    __slots__ = ()

    @abc.abstractmethod
    def members(self, topic: str) -> list[Member]:
        """See `plugsock.Server.members`."""

    @abc.abstractmethod
    def grant(self, user: str, permission: str) -> Reach:
        """See `plugsock.Server.grant`."""

    @abc.abstractmethod
    def revoke(self, user: str, permission: str, *, fence: float | None = None) -> Reach:
        """See `plugsock.Server.revoke`."""
