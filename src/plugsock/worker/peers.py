"""What a worker knows of the sockets that call: sent once and when it changes, not with every call."""

from typing import Final

from plugsock.model import User
from plugsock.rpc.frames import SocketState

_NONE: Final[frozenset[str]] = frozenset()


class Peers:
    """Who is behind each socket, and which topics it is in."""

    def __init__(self) -> None:
        self._users: dict[str, User] = {}
        self._topics: dict[str, frozenset[str]] = {}

    def put(self, state: SocketState) -> None:
        """A socket opened, or something about it changed."""
        self.forget(state.id)
        if state.user is not None:
            self._users[state.id] = User(state.user, frozenset(state.permissions), state.expires)
        if state.topics:
            self._topics[state.id] = frozenset(state.topics)

    def forget(self, socket: str) -> None:
        """A socket has gone."""
        self._users.pop(socket, None)
        self._topics.pop(socket, None)

    def user(self, socket: str) -> User | None:
        """Who is calling; None for an anonymous socket."""
        return self._users.get(socket)

    def topics(self, socket: str) -> frozenset[str]:
        """The topics that it is in."""
        return self._topics.get(socket, _NONE)
