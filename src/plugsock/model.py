"""The nouns that every part of plugsock shares: no behaviour, no I/O."""

import abc
import enum
import re
from collections.abc import Sequence
from typing import Any, Final, Literal, Self, TypeAlias

import msgspec

JSON: Final = 0
MSGPACK: Final = 1

FORMATS: Final = ("json", "msgpack")
"""Names of the payload formats, by number: `FORMATS[JSON]` is `"json"`."""

ORDER_FIELD: Final = re.compile(r"[^{}]*\{([^{}]+)\}[^{}]*")
"""An `order` that is a text with one field of the payload in it: `{room}`, `room-{room}`; its group is the field."""


AUTHENTICATE: Final = "@authenticate"
"""The event that the function marked so answers; no client can write that name."""

PERMISSION: Final = re.compile(r"[A-Za-z0-9_.:/-]{1,128}")
"""What somebody may be allowed to; as long as the protocol allows a name to be."""

PERMISSION_FORM: Final = "1 to 128 of A-Z a-z 0-9 _ . : / -"
"""The same, for people."""

HELD: Final = re.compile(rf"{PERMISSION.pattern}|[A-Za-z0-9_.:/-]{{1,126}}[.:]\*|\*")
"""What somebody holds, or is denied: a permission, or a wildcard for all that begin so."""

Requires: TypeAlias = tuple[tuple[str, ...], ...]
"""Permissions: of each inner tuple at least one is needed. A permission may have one field of the payload in it:
`orders.read:{shop}`."""

TOPIC: Final = re.compile(r"(?!-\Z)[A-Za-z0-9_.:/-]{1,128}")
"""What a topic can be called; `-` stands for no topic where something is pushed."""

TOPIC_FORM: Final = "1 to 128 of A-Z a-z 0-9 _ . : / -, and not just -"
"""The same, for people."""

KEY: Final = re.compile(r"[A-Za-z0-9_.:-]+(/[A-Za-z0-9_.:-]+)*(/\*)?")
"""What can be said to have changed, or to have been read: a path. `orders/*` is all below `orders`, and is the same as
`orders`: whatever changes wakes who has read it, anything above it or anything below it."""

LONGEST_KEY: Final = 256
"""Characters of a key."""

MOMENTS: Final = ("on_connect", "on_disconnect", "on_join", "on_leave")
"""What happens to a socket and plugs can follow: a function marked `@on_join` answers the event `@on_join:chat.joined`."""


class AnyOf(msgspec.Struct, frozen=True):
    """Permissions of which one is enough; see `any_of`."""

    permissions: tuple[str, ...]


Required: TypeAlias = str | AnyOf | Sequence[str | AnyOf] | None
"""What an author can say behind `requires=`."""


class Kind(enum.StrEnum):
    """What an event answers with."""

    CALL = "call"
    """One result."""
    STREAM = "stream"
    """Any number of items, then the end."""
    VIEW = "view"
    """A value that is kept current while somebody watches."""
    TOPIC = "topic"
    """Nothing, because nobody can call it: it is a rule for topics."""
    MOMENT = "moment"
    """Nothing, likewise: it is run when something has happened to a socket."""


class Raw(bytes):
    """A payload as it came: nothing was decoded.

    Attributes:
        format: `"json"` for a text frame, `"msgpack"` for a binary frame (whose bytes may be anything).
    """

    format: Literal["json", "msgpack"] = "json"

    def __new__(cls, data: bytes = b"", format: Literal["json", "msgpack"] = "json") -> Self:
        """Wrap bytes and say which format they are in."""
        raw = super().__new__(cls, data)
        raw.format = format
        return raw


class Hello(msgspec.Struct, frozen=True):
    """What somebody who connects shows of themselves, for the function marked `@authenticate`."""

    token: str | None = None
    """From the `hello` or `token` frame, else the bearer token of the Authorization header."""
    headers: dict[str, str] = {}
    """Of the request that opened the socket, by their names in lower case."""
    cookies: dict[str, str] = {}
    """Empty unless the page comes from the server's own origin or an allowed one."""
    address: str = ""
    """The remote address."""
    origin: str | None = None
    """The page that connected; None for what is no browser."""


class User(msgspec.Struct, frozen=True):
    """Who is calling, as the authenticator said."""

    id: str
    permissions: frozenset[str] = frozenset()
    expires: float | None = None
    """Wall-clock second after which the identity is no longer good."""


class Socket(abc.ABC):
    """The caller of a plug: take it by annotating a parameter with `Socket`.

    Its words enqueue and return at once, so they can be used in `async def` and in plain functions alike.
    """

    __slots__ = ()

    id: str
    """Names this connection, for `Server.send` and `Server.kick`."""
    user: User | None
    """Who is calling; None for an anonymous socket."""

    @property
    @abc.abstractmethod
    def topics(self) -> frozenset[str]:
        """The topics that it is in, as far as this worker has heard."""

    @abc.abstractmethod
    def join(self, topic: str, data: Any = None) -> None:
        """Put this socket into a topic, whether or not clients may join that by themselves.

        What a rule for that topic `requires` is needed all the same: without it the socket stays outside.

        Args:
            topic: Its name; a topic is there as soon as somebody is in it.
            data: What `Server.members` tells of this member; said again, it takes the place of what was said before.
        """

    @abc.abstractmethod
    def leave(self, topic: str) -> None:
        """Take this socket out of a topic; nothing happens if it is in none of that name."""

    @abc.abstractmethod
    def send(self, event: str, data: Any = None) -> None:
        """Push an event to this socket; what is sent before the plug returns arrives before its answer."""

    @abc.abstractmethod
    def kick(self, code: int = 4502, reason: str = "") -> None:
        """Close this socket with a WebSocket close code (4000 to 4499: come back; 4500 to 4999: stay away)."""


class Reach(msgspec.Struct, frozen=True):
    """What a `grant` or `revoke` has changed at once: how many of each."""

    sockets: int = 0
    calls: int = 0
    streams: int = 0
    views: int = 0
    topics: int = 0


class Member(msgspec.Struct, frozen=True):
    """Somebody in a topic: a user, however many sockets of theirs are in it, or one anonymous socket."""

    id: str
    """The user's; of an anonymous socket a name by which nobody can send to it."""
    user: str | None
    """Who that is; None for somebody anonymous."""
    sockets: int = 1
    data: Any = None
    """What `Socket.join` has said of it last."""


class Fault(msgspec.Struct, omit_defaults=True):
    """What an `error` frame carries; see the table of codes in docs/protocol.md."""

    code: str
    message: str
    retry: bool = msgspec.field(default_factory=bool)  # a factory, because a client always wants to know
    after_ms: int | None = None
    ref: str | None = None
    path: str | None = None
    data: Any = None
    started: bool | None = None
    id: str | None = None


Audience: TypeAlias = Literal["everybody", "user", "socket"]
"""Whom a view runs for: once for all who watch it with the same arguments, for each user, or for each socket."""


class Watching(msgspec.Struct, frozen=True):
    """When a view runs again by itself, and for whom."""

    audience: Audience = "everybody"
    on: tuple[str, ...] = ()
    """Keys that it depends on whatever its arguments are."""
    every_s: float | None = None
    """Also after so long."""
    throttle_s: float = 0.0
    """From the start of one run to that of the next, at least."""


class TopicRule(msgspec.Struct, frozen=True):
    """What clients may do with the topics of a pattern, and what is kept of these."""

    pattern: str
    """A topic, or all that begin so: `room.*`, `orders:*`, `files/*`, `*`."""
    history: int = 0
    """So many of the latest pushes are kept for those who come back."""
    ttl_s: float = 60.0
    """For so long."""
    presence: bool = False
    """Members are told who else is there, who joins and who leaves."""


class Announcement(msgspec.Struct, frozen=True):
    """What a worker says about one event that it serves: all that the gateway ever knows of a plug."""

    event: str
    revision: str
    """Short hash over the plug's file and the helpers it imports."""
    kind: Kind
    input: str
    """The payload's shape for people: `(name: str, times: int = 1)`."""
    output: str
    """The result's shape for people: `list[str]`."""
    doc: str
    """First line of the docstring."""
    place: str
    """`file:line` of the function."""
    origin: Literal["folder", "embedded"] = "folder"
    timeout: float | None = None
    """Seconds; None is the server's default."""
    idempotent: bool = False
    raw: bool = False
    """Its only parameter is `Raw`: the payload is opaque."""
    in_thread: bool = False
    """A plain function: a call of it holds a thread for as long as it runs."""
    order: str = ""
    """Calls with the same key run one after the other: `socket`, `user` or a text with one field in it, `{room}`."""
    worker: str = ""
    """The named set of workers that its calls run on; empty for all others."""
    requires: Requires = ()
    """What a caller must be allowed to."""
    shape: str = ""
    """Hash over input and output shape, so that clients can tell whether what they were built for still holds."""
    view: Watching | None = None
    """Of a view."""
    topic: TopicRule | None = None
    """Of a rule for topics, which is announced as the event `@topic:room.*`."""
    is_shape: bool = False
    """Its function has no body yet."""

    @property
    def is_hidden(self) -> bool:
        """Is it none of a client's business: who says hello, what happens to a socket, a rule?"""
        return self.event.startswith("@")


class Problem(msgspec.Struct, frozen=True, order=True):
    """Something wrong with a file of the plugs folder."""

    file: str
    """As the user would type it."""
    line: int
    message: str
    """One sentence that says what is wrong and what would be right."""
    events: tuple[str, ...] = ()
    """Events that this keeps from being served, or keeps stale."""
    needs: tuple[str, ...] = ()
    """Requirements that the file names and that are not met: once they are installed, this is no problem any more."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"
