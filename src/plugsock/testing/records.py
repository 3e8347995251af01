"""What plugs say while they are tested, written down for the test to look at."""

from typing import Any

import msgspec
from msgspec import Struct

from plugsock.model import Member, Reach, Requires, User
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
    Revoke,
    Send,
    Touch,
)


class Sent(Struct, frozen=True):
    """Something a plug pushed."""

    event: str
    data: Any = None
    socket: str | None = None
    """Whom to; None for a broadcast."""
    requires: Requires = ()
    """What its receivers must be allowed to: of each inner tuple at least one."""


class Published(Struct, frozen=True):
    """Something a plug pushed to all who are in a topic."""

    topic: str
    event: str
    data: Any = None
    requires: Requires = ()
    """As in `Sent`."""


class Joined(Struct, frozen=True):
    """A topic that a plug put its caller into."""

    topic: str
    data: Any = None


class Kicked(Struct, frozen=True):
    """A socket that a plug closed, or a user whose sockets it closed."""

    socket: str | None
    """None where it was a user."""
    code: int
    reason: str
    user: str | None = None


class Granted(Struct, frozen=True):
    """A permission that a plug gave to a user."""

    user: str
    permission: str


class Revoked(Struct, frozen=True):
    """A permission that a plug took from a user."""

    user: str
    permission: str
    fence: float | None = None


class Records:
    """All that is written down; see `client.Client` for the lists.

    Args:
        member: By which name the one socket that there is would be in topics.
        user: Who calls.

    Attributes:
        topics: What members are told of the one socket that there is, by the topics that it is in.
    """

    def __init__(self, member: str, user: User | None) -> None:
        self.sent: list[Sent] = []
        self.published: list[Published] = []
        self.joined: list[Joined] = []
        self.left: list[str] = []
        self.changed: list[str] = []
        self.reads: list[str] = []
        self.kicked: list[Kicked] = []
        self.rights: list[Granted | Revoked] = []
        self.topics: dict[str, Any] = {}
        self._member = member
        self._user = None if user is None else user.id

    def add(self, emit: Emit) -> None:
        """Write down what a plug said."""
        match emit:
            case Send():
                self.sent.append(Sent(emit.event, _data(emit.json), emit.socket, emit.needs))
            case Broadcast():
                self.sent.append(Sent(emit.event, _data(emit.json), requires=emit.needs))
            case Publish():
                self.published.append(Published(emit.topic, emit.event, _data(emit.json), emit.needs))
            case Join():
                self._join(emit.topic, None if emit.data is None else _data(emit.data))
            case Leave():
                self.left.append(emit.topic)
                self.topics.pop(emit.topic, None)
            case Touch():
                self.changed += emit.keys
            case Kick():
                self.kicked.append(Kicked(emit.socket, emit.code, emit.reason))
            case KickUser():
                self.kicked.append(Kicked(None, emit.code, emit.reason, emit.user))

    def answer(self, request: Request) -> Reply:
        """Write down what a plug asked for, and answer it."""
        match request:
            case Grant():
                self.rights.append(Granted(request.user, request.permission))
            case Revoke():
                self.rights.append(Revoked(request.user, request.permission, request.fence_s))
            case Members() if request.topic in self.topics:
                return Reply(Reach(), members=[Member(self._member, self._user, 1, self.topics[request.topic])])
        return Reply(Reach())

    def _join(self, topic: str, data: Any) -> None:
        self.joined.append(Joined(topic, data))
        if data is not None or topic not in self.topics:
            self.topics[topic] = data


def _data(json: bytes) -> Any:
    return msgspec.json.decode(json)
