"""The nouns that every part of plugsock shares: no behaviour, no I/O."""

import abc
import enum
import re
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


class Kind(enum.StrEnum):
    """What an event answers with."""

    CALL = "call"
    """One result."""
    STREAM = "stream"
    """Any number of items, then the end."""
    VIEW = "view"
    """A value that is kept current while somebody watches."""


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

    @abc.abstractmethod
    def send(self, event: str, data: Any = None) -> None:
        """Push an event to this socket; what is sent before the plug returns arrives before its answer."""

    @abc.abstractmethod
    def kick(self, code: int = 4502, reason: str = "") -> None:
        """Close this socket with a WebSocket close code (4000 to 4499: come back; 4500 to 4999: stay away)."""


class Everybody(abc.ABC):
    """What `Server` and `blocking.Server` have in common: one-way words, like those of `Socket`."""

    __slots__ = ()

    @abc.abstractmethod
    def broadcast(self, event: str, data: Any = None) -> None:
        """Push an event to every open socket; it is encoded once."""

    @abc.abstractmethod
    def send(self, socket_id: str, event: str, data: Any = None) -> None:
        """Push an event to one socket; nothing happens if it has gone."""

    @abc.abstractmethod
    def kick(self, socket: str | None = None, *, user: str | None = None, code: int = 4502, reason: str = "") -> None:
        """Close one socket, or all that a user has now; nothing happens if there are none.

        Args:
            socket: The socket's `id`.
            user: The user's `id`, in place of a socket.
            code: As in `Socket.kick`.
            reason: Up to 123 bytes that say why.
        """


class Reach(msgspec.Struct, frozen=True):
    """What a `grant` or `revoke` has changed at once: how many of each."""

    sockets: int = 0
    calls: int = 0
    streams: int = 0


class Server(Everybody):
    """Everybody else: an `async def` takes it by annotating a parameter with `Server`.

    Its words that ask for something are awaited; a plain function takes `plugsock.blocking.Server`.
    """

    __slots__ = ()

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
