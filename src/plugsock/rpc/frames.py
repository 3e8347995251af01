"""What gateway and worker say to each other.

Gateway to worker: `Call`, then for an open call `cancel` and `more`; for a socket `SocketState`.
Worker to gateway: a status and payload bytes for a call, `Emit` for what a plug says on its own, `Staged` for a swap.
All are arrays of plain values, so that a process link can send them as they are and an inline link not at all.
"""

from typing import Final, Literal, TypeAlias

from msgspec import Struct

from plugsock.model import Announcement, Member, Problem, Reach, Requires

OK: Final = 0
ERROR: Final = 1

EXPLAIN: Final = 1
"""Flag of a call: say where its time went."""
MOCK: Final = 2
"""Flag of a call: a made-up answer is wanted."""
SILENT: Final = 4
"""Flag of a call: nobody waits for the answer (`call 0`)."""
VIEW: Final = 8
"""Flag of a call: it is a view's, for those who watch it. Its payload is a `views.Asked`, what comes back a `views.Told`;
only what keeps it from running at all is answered with a fault."""


class Call(Struct, array_like=True, gc=False):
    """One run of a plug.

    Built once a call on the hot path: construct it by position. It never holds a reference cycle for longer than the
    call is open, so the garbage collector need not look at it (`gc=False`).
    """

    sequence: int
    """Unique in this gateway's life; every answer names it."""
    event: str
    revision: str
    """The plug revision that must run it."""
    format: int
    """`model.JSON` or `model.MSGPACK`: of the payload and of everything that comes back."""
    socket: str
    """Id of the socket that called."""
    rights: int
    """Version of the caller's rights that the gateway checked."""
    flags: int
    credit: int
    """How many items a stream may emit before it hears `more`."""
    key: str
    """Idempotency key, or empty."""
    trace: str
    """W3C traceparent, or empty."""
    order: str
    """The key that the gateway put it in order by, or empty; a worker refuses a call whose payload says another."""
    payload: bytes


class Details(Struct, array_like=True):
    """What is said of a run beyond its answer, for a call with `EXPLAIN`."""

    waited_s: float
    decoded_s: float
    encoded_s: float


class SocketState(Struct, array_like=True):
    """What a worker knows of a socket; sent again when it changes, never per call."""

    id: str
    user: str | None
    permissions: list[str]
    expires: float | None
    rights: int
    topics: list[str] = []


class Send(Struct, array_like=True, tag_field="type", tag=True):
    """`push` to one socket. `json` is always there, `msgpack` only while a socket wants it (`Link.formats`)."""

    socket: str
    event: str
    json: bytes
    msgpack: bytes | None
    sequence: int
    """The call it came from, 0 for none: after `cancel` a worker says nothing more of a call."""
    needs: Requires = ()
    """What its receiver must be allowed to."""


class Broadcast(Struct, array_like=True, tag_field="type", tag=True):
    """`push` to every socket."""

    event: str
    json: bytes
    msgpack: bytes | None
    sequence: int
    needs: Requires = ()


class Publish(Struct, array_like=True, tag_field="type", tag=True):
    """`push` to every socket in a topic."""

    topic: str
    event: str
    json: bytes
    msgpack: bytes | None
    sequence: int
    needs: Requires = ()


class Join(Struct, array_like=True, tag_field="type", tag=True):
    """Put a socket into a topic."""

    socket: str
    topic: str
    data: bytes | None
    """What members are told of it, as JSON; None if nothing is said."""
    sequence: int


class Leave(Struct, array_like=True, tag_field="type", tag=True):
    """Take a socket out of a topic."""

    socket: str
    topic: str
    sequence: int


class Touch(Struct, array_like=True, tag_field="type", tag=True):
    """Something has changed that views may have read."""

    keys: list[str]
    sequence: int = 0
    """Never a call's: what has changed has changed, whatever became of the call."""


class Kick(Struct, array_like=True, tag_field="type", tag=True):
    """Close a socket."""

    socket: str
    code: int
    reason: str
    sequence: int


class KickUser(Struct, array_like=True, tag_field="type", tag=True):
    """Close all sockets of a user."""

    user: str
    code: int
    reason: str
    sequence: int


Emit: TypeAlias = Send | Broadcast | Publish | Join | Leave | Touch | Kick | KickUser
"""Something a plug said on its own; enqueued, in order, in front of the answer of the call it came from."""


class Grant(Struct, array_like=True, tag_field="type", tag=True):
    """Let a user have a permission, until it is revoked."""

    user: str
    permission: str


class Revoke(Struct, array_like=True, tag_field="type", tag=True):
    """Deny a user a permission, until it is granted."""

    user: str
    permission: str
    fence_s: float | None = None
    """Also wait until each socket that it reached has answered a ping, at most so long; those that don't are closed."""


class Members(Struct, array_like=True, tag_field="type", tag=True):
    """Who is in a topic?"""

    topic: str


Request: TypeAlias = Grant | Revoke | Members
"""What a plug asks the gateway for and waits until it is done."""


class Reply(Struct, array_like=True):
    """The gateway's answer to a `Request`: what it reached, or who is there, or why it was not done."""

    reach: Reach
    error: str = ""
    members: list[Member] = []


DocumentName: TypeAlias = Literal["schema", "asyncapi", "types"]
"""JSON Schema, AsyncAPI and TypeScript: in what words the shapes of all plugs are told."""


class Document(Struct, array_like=True, frozen=True):
    """What plugs look like from outside, as a worker tells it that has them."""

    content: bytes
    """Empty if there is none."""
    problems: list[Problem]
    """What is missing in it, and why."""


class File(Struct, array_like=True, frozen=True):
    """One file of the plugs folder as it was read; the fields are those of `loader.source.Source`."""

    module: str
    path: str
    file: str
    data: bytes
    is_package: bool
    is_helper: bool
    origin: Literal["folder", "embedded"]
    is_implicit: bool


class Group(Struct, array_like=True, frozen=True):
    """Modules that move together in a swap, as one worker staged them or failed to."""

    id: str
    """Hash over the sorted (module, sha256 of its bytes): the same on every worker."""
    events: list[Announcement]
    """What the group serves once it is committed."""
    gone: list[str]
    """Events that the old group served and the new one does not."""
    problems: list[Problem]
    """Why it could not be staged; empty if it was."""
    traces: list[str] = []
    """For each problem the traceback of the author's own frames, for the log; empty if there is none."""
    modules: list[str] = []
    """All of it, those that are deleted by it included."""
    files: list[File] = []
    """What it was staged from, so that another worker can be brought to the same state whatever the folder holds."""


class Staged(Struct, array_like=True, frozen=True):
    """Everything one look at the folder found, even if that is nothing."""

    stage: int
    """Names this look in `commit`."""
    groups: list[Group]
    problems: list[Problem]
    """All that is wrong with the folder now, old and new."""
    asked: bool = False
    """The answer to a `Link.look` with `force`."""
