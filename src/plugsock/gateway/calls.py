"""The open calls of all sockets: opened here, answered here exactly once, ended here when they are due.

This is the hot path: `open` and `answer` run once a call, so they are written flat and never look into a payload.
What they cost is measured in benchmarks/.
"""

import asyncio
from collections.abc import Callable
from time import perf_counter
from typing import Final, Protocol

from msgspec import structs

from plugsock.gateway.deadlines import Deadlines, Lane
from plugsock.gateway.ordering import NoKey, Ordering
from plugsock.gateway.routes import Route, Routes
from plugsock.model import Fault
from plugsock.ops.log import get_logger
from plugsock.rpc.frames import EXPLAIN, MOCK, OK, SILENT, Call, Details, SocketState
from plugsock.rpc.link import Link
from plugsock.wire.answer import bad_frame, error_frame, fault, fault_payload
from plugsock.wire.header import Options
from plugsock.wire.session import Session

log = get_logger()

DEFAULT_CREDIT: Final = 32
"""Items of a stream that may come before the client says `more`."""

AGAIN_MS: Final = 1000
"""When to try again a call for whose key too many wait."""


class Caller(Protocol):
    """Whoever holds the session that a call came from."""

    id: str
    session: "Session[OpenCall]"
    held: bool
    """Too much is unsent: its streams are not asked for more."""
    introduced: bool
    """The worker knows it."""

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


class Calls:
    """All open calls, by the sequence under which the worker knows them.

    Attributes:
        link: Where calls go.
        watchers: Those who wait for calls to end, while there are any: each hears of every call that ended.
        ended: Hears from the worker that a run has ended whose call was ended here before, by its sequence.
    """

    link: Link

    def __init__(self, routes: Routes, deadlines: "Deadlines[OpenCall]", limit: int) -> None:
        self.by_sequence: dict[int, OpenCall] = {}
        self.watchers: set[Callable[[OpenCall], None]] = set()
        self._ordering: Ordering[OpenCall] = Ordering(self._start)
        self.ended = self._ordering.ended
        self._routes = routes
        self._deadlines = deadlines
        self._limit = limit
        self._sequence = 0
        self._ticking = False

    def open(self, caller: Caller, binary: bool, id: bytes, route: Route, payload: bytes) -> None:  # noqa: FBT001
        """Start a plain call without options and without a key, or refuse it with its one answer."""
        session = caller.session
        calls, highest = session.calls, session.highest
        # `Session.admit` says the same, with reasons; this flat copy of it saves 8 % of the gateway's part of a call.
        if (
            id in calls
            or len(calls) >= self._limit
            or (len(id) <= len(highest) and (len(id) < len(highest) or id <= highest))
        ):
            self._refuse(caller, binary, id)
            return
        if session.grows:
            session.highest = id
        if not caller.introduced:
            self._introduce(caller)
        self._sequence = sequence = self._sequence + 1
        lane = route.lane
        call = OpenCall(
            sequence, route.event, route.revision, binary, caller.id, 0, 0, DEFAULT_CREDIT, "", "", "",
            payload, id, caller, route, lane, perf_counter(), DEFAULT_CREDIT,
        )  # fmt: skip
        calls[id] = self.by_sequence[sequence] = lane.open[sequence] = call
        if not self._ticking:
            self._tick()
        self.link.call(call)

    def open_with(
        self,
        caller: Caller,
        binary: bool,  # noqa: FBT001 - as in `open`
        id: bytes,
        route: Route,
        payload: bytes,
        options: Options,
    ) -> None:
        """Start a call with options or a key, a stream, or what nobody waits for (its id is empty)."""
        session = caller.session
        if len(session.calls) >= self._limit or (id and session.admit(id) is not None):
            if id:
                self._refuse(caller, binary, id)
            return
        key = self._key(route, caller.id, payload, int(binary))
        if isinstance(key, Fault):
            route.row.failed += 1
            if id:
                refuse(caller, binary, id, key)
            return
        if not caller.introduced:
            self._introduce(caller)
        self._sequence += 1
        lane = route.lane if options.timeout is None else self._deadlines.shorter(route.lane, options.timeout)
        flags = EXPLAIN * options.explain | MOCK * options.mock | SILENT * (not id)
        credit = DEFAULT_CREDIT if options.credit is None else options.credit
        call = OpenCall(
            self._sequence, route.event, "", binary, caller.id, 0, flags, credit, options.key, options.trace,
            key, payload, id, caller, route, lane, perf_counter(), credit,
        )  # fmt: skip
        self.by_sequence[call.sequence] = call
        session.calls[_filed(call)] = call
        if credit or route.is_call:
            lane.open[call.sequence] = call
            if not self._ticking:
                self._tick()
        self._begin(call)

    def answer(self, sequence: int, status: int, payload: bytes, ran_s: float, _details: Details | None) -> None:
        """The worker's one answer; dropped if the call was ended here before."""
        call = self.by_sequence.pop(sequence, None)
        if call is None:
            self.ended(sequence)
            return
        id = call.id
        call.lane.open.pop(sequence, None)
        route = call.route
        row = route.row
        row.ran_s += ran_s
        row.bytes_in += len(call.payload)
        row.bytes_out += len(payload)
        if status == OK:
            row.answered += 1
            frame = b"".join((b"ok ", id, b" ", payload)) if payload else b"ok " + id
        else:
            row.failed += 1
            frame = error_frame(id, payload)
        if id:
            caller, binary = call.caller, call.format == 1
            session = caller.session
            del session.calls[id]
            session.keep(id, binary, frame)
            caller.send(binary, frame)
        else:
            del call.caller.session.calls[_filed(call)]
        if route.read_key is not None:
            self._ordering.answered(call)
        if self.watchers:
            self._tell(call)

    def item(self, sequence: int, payload: bytes) -> None:
        """A stream's next value; its deadline counts anew for the one after it, if that was asked for."""
        call = self.by_sequence.get(sequence)
        if call is None:
            return
        call.asked -= 1
        row = call.route.row
        row.items += 1
        row.bytes_out += len(payload)
        self._time(call)
        call.caller.send(call.format == 1, b"item %b %b" % (call.id, payload))

    def more(self, call: OpenCall, count: int) -> None:
        """The client takes further items of a stream."""
        is_timed = call.asked > 0
        call.asked += count
        if call.revision:
            self.link.more(call.sequence, count)
        else:
            call.credit += count
        if not is_timed:
            self._time(call)

    def hold(self, caller: Caller) -> None:
        """The caller's `held` has changed: ask its streams for no more, or go on; their deadlines likewise."""
        self.link.hold(caller.id, held=caller.held)
        for call in caller.session.calls.values():
            if not call.route.is_call:
                self._time(call)

    def end(self, call: OpenCall, reason: Fault) -> None:
        """Answer a call here and now, and tell the worker, if it has it, that nobody waits any more."""
        if self.drop(call) and call.id:
            refuse(call.caller, call.format == 1, call.id, reason)

    def drop(self, call: OpenCall) -> bool:
        """Forget a call whose caller has gone for good; False if it has ended before."""
        if self.by_sequence.pop(call.sequence, None) is None:
            return False
        call.route.row.failed += 1
        call.lane.open.pop(call.sequence, None)
        del call.caller.session.calls[_filed(call)]
        if call.route.read_key is None or self._ordering.leave(call):
            self.link.cancel(call.sequence)
        if self.watchers:
            self._tell(call)
        return True

    def again(self, sequence: int) -> None:
        """A call has not begun, and a swap has put its event in another order: let it begin by that."""
        call = self.by_sequence.get(sequence)
        route = None if call is None else self._routes.in_force(call.event)
        if call is None or route is None:
            return
        if call.route.read_key is not None:
            self._ordering.answered(call)  # the next one with its old key may go on
        key = self._key(route, call.socket, call.payload, call.format)
        if isinstance(key, Fault):
            call.route = structs.replace(route, read_key=None)  # it has no key that it could leave
            self.end(call, key)
            return
        call.route, call.order, call.revision = route, key, ""
        self._begin(call)

    def _key(self, route: Route, socket: str, payload: bytes, format: int) -> str | Fault:
        """What puts a call in order, empty if nothing does; or why it can't be."""
        if route.read_key is None:
            return ""
        try:
            key = route.read_key(socket, payload, format)
        except NoKey as error:
            return error.reason
        if self._ordering.is_full(route.event, key):
            return fault("overloaded", f"Too many calls of {route.event} wait for this key.", after_ms=AGAIN_MS)
        return key

    def _begin(self, call: OpenCall) -> None:
        """Give a call to the worker, unless it has to wait for its key."""
        route = call.route
        if route.read_key is None or self._ordering.enter(call):
            call.revision = route.revision
            self.link.call(call)

    def _start(self, call: OpenCall) -> None:
        """A call has waited and its turn has come: it runs on what is in force now, as if it had been sent now."""
        route = self._routes.in_force(call.event)
        if route is None:
            self.end(call, fault("gone", f"{call.event} was removed."))
            return
        if not (route.is_call or call.id):  # a stream that nobody listens to
            self.drop(call)
            return
        if route is not call.route:
            key = self._key(route, call.socket, call.payload, call.format)
            if isinstance(key, Fault):
                self.end(call, key)
                return
            call.order = key
            call.route = route
            if call.sequence not in call.lane.open:
                self._time(call)
        self._begin(call)

    def _tell(self, call: OpenCall) -> None:
        for watcher in tuple(self.watchers):
            watcher(call)

    def _refuse(self, caller: Caller, binary: bool, id: bytes) -> None:  # noqa: FBT001 - as in `open`
        """Give an id that can't be opened its one answer."""
        refusal = caller.session.admit(id)
        if refusal is not None:
            caller.send(binary, bad_frame(refusal, id, binary=binary))
        else:
            refuse(caller, binary, id, fault("limit", f"At most {self._limit} calls may be open on a socket."))

    def _introduce(self, caller: Caller) -> None:
        caller.introduced = True
        self.link.socket(SocketState(caller.id, None, [], None, 0))

    def _time(self, call: OpenCall) -> None:
        """Let a call's deadline count from now; a stream's only if somebody waits for its next item."""
        if call.route.is_call or (call.asked > 0 and not call.caller.held):
            call.lane.restart(call, perf_counter())
            if not self._ticking:
                self._tick()
        else:
            call.lane.open.pop(call.sequence, None)

    def _tick(self) -> None:
        """End what is due, and look again while anything is open."""
        due, again = self._deadlines.due(perf_counter())
        try:
            for call in due:
                idempotent = call.route.announcement.idempotent
                message = f"{call.event} did not answer within {call.lane.timeout_s:g} s."
                log.warning("a call timed out", event=call.event, revision=call.revision, socket=call.socket)
                self.end(call, fault("timeout", message, retry=idempotent))
        finally:  # whatever goes wrong with one of them, there are others
            self._ticking = bool(self._deadlines)
            if self._ticking:
                asyncio.get_running_loop().call_later(max(0.0, again - perf_counter()), self._tick)


def _filed(call: OpenCall) -> bytes:
    """What a call is filed under in its session; one that nobody waits for gets a key that no client can write."""
    return call.id or b"0.%d" % call.sequence


def refuse(caller: Caller, binary: bool, id: bytes, reason: Fault) -> None:  # noqa: FBT001 - as in `send`
    """Send the one answer of a call that did not run to its end, and keep it."""
    frame = error_frame(id, fault_payload(reason, binary=binary))
    caller.session.keep(id, binary, frame)
    caller.send(binary, frame)
