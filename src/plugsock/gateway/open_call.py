"""A call from its start to its one answer, and whoever made it."""

from collections.abc import Callable
from typing import Protocol

from plugsock.gateway.deadlines import Lane
from plugsock.gateway.routes import Route
from plugsock.hub.rights import Rights
from plugsock.model import Fault, Requires, User
from plugsock.rpc.frames import Call, SocketState
from plugsock.wire.answer import bad_frame, error_frame, fault, fault_payload
from plugsock.wire.session import Session


class Caller(Protocol):
    """Whoever holds the session that a call came from."""

    id: str
    session: "Session[OpenCall]"
    held: bool
    """Too much is unsent: its streams are not asked for more."""
    introduced: bool
    """The worker knows it."""
    told: int
    """The version of its rights that the worker knows."""
    user: User | None
    rights: Rights
    bar: Fault | None
    """Why it may call nothing at all now; None if it may."""
    topics: set[str]
    """Those that it is in."""
    mocked: tuple[str, ...]
    """Patterns of the events to which it wants made-up answers."""

    send: Callable[[bool, bytes], None]
    """Hands a frame to the socket, as (binary, frame); dropped while there is none."""


class OpenCall(Call, gc=False, eq=False):
    """A call together with what the gateway needs to answer it; its `revision` is empty while it waits for its key."""

    id: bytes
    """As the client wrote it; empty if nobody waits (`call 0`)."""
    caller: Caller
    route: Route
    lane: "Lane[OpenCall]"
    started: float
    """When its deadline began to count, by `time.perf_counter`."""
    asked: int
    """Items of a stream that the client still waits for; the deadline counts only while there are any."""
    needs: Requires
    """What its caller must be allowed to, to get what comes of it."""


def filed(call: OpenCall) -> bytes:
    """What a call is filed under in its session; one that nobody waits for gets a key that no client can write."""
    return call.id or b"0.%d" % call.sequence


def refuse(caller: Caller, binary: bool, id: bytes, reason: Fault) -> None:  # noqa: FBT001 - as in `send`
    """Send the one answer of a call that did not run to its end, and keep it."""
    frame = error_frame(id, fault_payload(reason, binary=binary))
    caller.session.keep(id, binary, frame)
    caller.send(binary, frame)


def refuse_id(caller: Caller, binary: bool, id: bytes, limit: int) -> None:  # noqa: FBT001 - as in `send`
    """Give an id that can't be opened its one answer; if nothing is wrong with it, there are `limit` open ones."""
    refusal = caller.session.admit(id)
    if refusal is not None:
        caller.send(binary, bad_frame(refusal, id, binary=binary))
    else:
        refuse(caller, binary, id, fault("limit", f"At most {limit} calls may be open on a socket."))


def state_of(caller: Caller) -> SocketState:
    """What a worker knows of a caller."""
    user, rights, topics = caller.user, caller.rights, sorted(caller.topics)
    if user is None:
        return SocketState(caller.id, None, [], None, 0, topics)
    return SocketState(caller.id, user.id, rights.listing(), user.expires, rights.version, topics)
