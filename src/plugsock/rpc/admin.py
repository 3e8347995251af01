"""What somebody on the same machine may say to a running server, and what it answers.

One JSON object a line, one answer a request: it can be typed by hand (`socat - UNIX-CONNECT:...`).

    {"do":"list"}     →   {"is":"listing","url":"ws://127.0.0.1:8765","pid":4711,"events":[…],"problems":[…]}
    {"do":"swap"}     →   {"is":"swapped","changed":["chat.send"],"gone":[],"problems":[]}
    {"do":"ps"}       →   {"is":"processes","workers":[…]}
    {"do":"reload"}   →   {"is":"reloaded","workers":2}
    {"do":"join"}     →   {"is":"address","address":"127.0.0.1:43671","key":"…"}
    {"do":"stop"}     →   {"is":"stopping"}
    {"do":"who"}      →   {"is":"present","users":[…],"anonymous":3,"shapes":{…}}
    {"do":"grant","user":"ada","permission":"orders.read"}
                      →   {"is":"granted","reach":{"sockets":1,"calls":0,"streams":0},"standing":[]}
    {"do":"revoke","user":"ada","permission":"orders.*"}
                      →   {"is":"revoked","reach":{"sockets":1,"calls":2,"streams":0}}
    {"do":"kick","user":"ada"}
                      →   {"is":"kicked","sockets":1}

Where the socket can't be kept to one user by the file system, each request carries `key`.
"""

from typing import Annotated, Final, TypeAlias, TypeVar

import msgspec
from msgspec import Meta, Struct

from plugsock.model import Announcement, Problem, Reach

T = TypeVar("T")

QUARANTINED: Final = "quarantined:"
"""How a problem begins whose events are not run, because they have killed workers."""

REQUEST_LIMIT: Final = 4096
"""Bytes of a request's line; none needs a tenth of it."""


class Request(Struct, frozen=True, tag_field="do", kw_only=True, omit_defaults=True):
    """What a command asks for."""

    key: str = ""
    """The one-time key of the data directory, where the way in is a port; empty for a Unix socket."""


class List(Request, frozen=True, tag="list"):
    """What is served, and what is wrong?"""


class Swap(Request, frozen=True, tag="swap"):
    """Look at the plugs folder now, and answer when what was found is served."""

    allow_open: bool = False
    """Also do what takes away the last that keeps strangers out."""


class Ps(Request, frozen=True, tag="ps"):
    """Which workers are there, and how do they do?"""


class Reload(Request, frozen=True, tag="reload"):
    """Replace every worker, new ones beside the old, and answer when that is done."""


class Join(Request, frozen=True, tag="join"):
    """Where does a worker that was started by hand connect?"""


class Stop(Request, frozen=True, tag="stop"):
    """Stop as after SIGTERM: let open calls end first."""


class Grant(Request, frozen=True, tag="grant"):
    """Let a user have a permission, or all that a wildcard stands for, until it is revoked."""

    user: str
    permission: str


class Revoke(Request, frozen=True, tag="revoke"):
    """Deny a user a permission, or all that a wildcard stands for, until the same is granted."""

    user: str
    permission: str


class Kick(Request, frozen=True, tag="kick"):
    """Close all sockets that a user has now."""

    user: str
    code: Annotated[int, Meta(ge=4000, le=4999)] = 4502
    """Of the WebSocket's close: below 4500 the client comes back."""
    reason: str = ""


class Who(Request, frozen=True, tag="who"):
    """Who is here, and who was granted or denied something?"""


class Reply(Struct, frozen=True, tag_field="is", kw_only=True):
    """What the server answers."""


class Listing(Reply, frozen=True, tag="listing"):
    """The committed events in the order of their names, and the folder's problems."""

    url: str
    pid: int
    events: list[Announcement]
    problems: list[Problem]
    """`Problem.events` names the events that serve an older revision because of it."""


class Swapped(Reply, frozen=True, tag="swapped"):
    """What a look at the folder changed."""

    changed: list[str]
    """Events that are new, or on a new revision."""
    gone: list[str]
    problems: list[Problem]


class WorkerRow(Struct, frozen=True, kw_only=True):
    """What is known of one worker."""

    number: int
    set: str = ""
    """The named set that it belongs to; empty for all others."""
    pid: int
    state: str
    """A word of the life of a worker: `ready`, `draining`."""
    share: float
    """Of all calls that workers have answered since the server started, its part: 0 to 1."""
    calls: int
    """In flight."""
    places: int
    """Async calls that it takes at once."""
    threads: int
    """Calls of plain functions that it takes at once."""
    lost_threads: int
    """Threads that hold a call which was ended, and do not come back."""
    revision: str
    """Short hash of its catalogue: workers that serve the same show the same."""
    lag_s: float
    """How late its event loop was when it last told."""
    memory: int
    """Bytes."""
    restarts: int
    """How often the worker in its place was replaced."""
    served: int
    """Calls so far."""


class Processes(Reply, frozen=True, tag="processes"):
    """The workers in the order of their numbers."""

    workers: list[WorkerRow]


class Reloaded(Reply, frozen=True, tag="reloaded"):
    """Every worker that the server has started is a new one."""

    workers: int
    """How many have been replaced: those that were there when it was asked."""


class JoinAddress(Reply, frozen=True, tag="address"):
    """Where a worker connects, and what it has to know there."""

    address: str
    """Path of a Unix socket, or `127.0.0.1:PORT`."""
    key: str


class Granted(Reply, frozen=True, tag="granted"):
    """A grant is kept and in force."""

    reach: Reach
    standing: list[str]
    """Denials that take away all or some of it: they win over whatever is granted."""


class Revoked(Reply, frozen=True, tag="revoked"):
    """A denial is kept and in force: nothing that needs the permission goes out to the user any more."""

    reach: Reach


class Kicked(Reply, frozen=True, tag="kicked"):
    """The sockets of a user are being closed."""

    sockets: int


class UserRow(Struct, frozen=True, kw_only=True):
    """What is known of one user."""

    user: str
    sockets: int
    """Open now."""
    permissions: list[str]
    """What the user may do, on all sockets together; what is denied of it has a `!` in front."""
    expires: float | None
    """When the first of its tokens ends, in seconds since 1970; None if none does."""
    granted: list[str]
    denied: list[str]
    """Both at run time: they are kept, whatever tokens say."""
    shapes: list[str] = []
    """The hashes of the shapes that its open sockets were built for, as far as they said so in `hello`."""


class Present(Reply, frozen=True, tag="present"):
    """Users in the order of their ids: who is here, and who was granted or denied something."""

    users: list[UserRow]
    anonymous: int
    """Sockets of nobody that is known."""
    anonymous_shapes: list[str] = []
    """What these were built for."""
    shapes: dict[str, int] = {}
    """How many open sockets were built for each hash, of all that said so."""


class Stopping(Reply, frozen=True, tag="stopping"):
    """The server drains and ends."""


class Refused(Reply, frozen=True, tag="refused"):
    """The request was not understood, not allowed, or did not work; one sentence."""

    message: str


Asked: TypeAlias = List | Swap | Ps | Reload | Join | Grant | Revoke | Kick | Who | Stop
Answered: TypeAlias = (
    Listing | Swapped | Processes | Reloaded | JoinAddress | Granted | Revoked | Kicked | Present | Stopping | Refused
)

_requests: Final[msgspec.json.Decoder[Asked]] = msgspec.json.Decoder(Asked)
_replies: Final[msgspec.json.Decoder[Answered]] = msgspec.json.Decoder(Answered)


def encode(message: Request | Reply) -> bytes:
    """One line, newline included."""
    return msgspec.json.encode(message) + b"\n"


def decode_request(line: bytes) -> Asked:
    """Read a request's line.

    Raises:
        ValueError: It is none; the text may go into `Refused`.
    """
    return _decode(_requests, line)


def decode_reply(line: bytes) -> Answered:
    """Read an answer's line.

    Raises:
        ValueError: It is none.
    """
    return _decode(_replies, line)


def _decode(decoder: msgspec.json.Decoder[T], line: bytes) -> T:
    try:
        return decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as wrong:
        raise ValueError(str(wrong)) from wrong
