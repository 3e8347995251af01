"""Everybody else, as plugs speak to them: `Server`, and what it has in common with `plugsock.blocking.Server`."""

import abc
from typing import Any

from plugsock.model import Member, Reach, Required


class Everybody(abc.ABC):
    """What `Server` and `blocking.Server` have in common: one-way words, like those of `Socket`."""

    __slots__ = ()

    @abc.abstractmethod
    def publish(self, topic: str, event: str, data: Any = None, *, requires: Required = None) -> None:
        """Push an event to every socket in a topic; it is encoded once, and kept if a rule for the topic says so.

        Args:
            topic: Its name.
            event: What the push is called.
            data: Anything that can be encoded.
            requires: Who lacks this does not get it, beside what the topic's rule requires.
        """

    @abc.abstractmethod
    def broadcast(self, event: str, data: Any = None, *, requires: Required = None) -> None:
        """Push an event to every open socket, or to those whose user has what is required; it is encoded once."""

    @abc.abstractmethod
    def send(self, socket_id: str, event: str, data: Any = None, *, requires: Required = None) -> None:
        """Push an event to one socket; nothing happens if it has gone, or its user lacks what is required."""

    @abc.abstractmethod
    def changed(self, *keys: str) -> None:
        """Say that something has changed: views that depend on it run again. A call that was ended can say so, too.

        Args:
            keys: Paths such as `orders/42`: that wakes views on it, on `orders`, and on anything below it.
        """

    @abc.abstractmethod
    def reads(self, *keys: str) -> None:
        """Say in a view what its value depends on, beside what `@view(on=...)` says: it runs again when that changes.

        Args:
            keys: As in `changed`.
        """

    @abc.abstractmethod
    def kick(self, socket: str | None = None, *, user: str | None = None, code: int = 4502, reason: str = "") -> None:
        """Close one socket, or all that a user has now; nothing happens if there are none.

        Args:
            socket: The socket's `id`.
            user: The user's `id`, in place of a socket.
            code: As in `Socket.kick`.
            reason: Up to 123 bytes that say why.
        """


class Server(Everybody):
    """Everybody else: an `async def` takes it by annotating a parameter with `Server`.

    Its words that ask for something are awaited; a plain function takes `plugsock.blocking.Server`.
    """

    __slots__ = ()

    @abc.abstractmethod
    async def members(self, topic: str) -> list[Member]:
        """Who is in a topic now, by id. In a view, it depends on that: it runs again when somebody joins or leaves.

        Raises:
            ValueError: No topic can be called so; nothing was asked.
            CallEnded: The call was ended before or meanwhile.
            PlugsockError: The gateway has gone.
        """

    @abc.abstractmethod
    async def grant(self, user: str, permission: str) -> Reach:
        """Let a user have a permission from now on, whatever a token says, until it is revoked.

        It is kept before this returns, and outlives a restart. It takes back a denial of exactly the same; what
        another denial covers stays denied.

        Args:
            user: The user's `id`.
            permission: `orders.read`; `orders.*` is all that begins with `orders.`, `*` is everything.

        Raises:
            ValueError: There is no such user or permission; nothing was asked.
            CallEnded: The call was ended before or meanwhile: whether it was done is not known.
            PlugsockError: It was not done, the text says why; or the gateway has gone.
        """

    @abc.abstractmethod
    async def revoke(self, user: str, permission: str, *, fence: float | None = None) -> Reach:
        """Deny a user a permission from now on, whatever a token says, until it is granted.

        It is kept before this returns, and outlives a restart; nothing that needs the permission goes out to that user
        after it.

        Args:
            user: The user's `id`.
            permission: As in `grant`.
            fence: Wait at most so many seconds until each socket that it reached has answered a ping, too, and close
                those that don't.

        Raises:
            ValueError: As in `grant`.
            CallEnded: As in `grant`.
            PlugsockError: As in `grant`.
        """
