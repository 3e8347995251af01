"""The open calls of all sockets: opened here, answered here exactly once, ended here when they are due.

This is the hot path: `open` and `answer` run once a call, so they are written flat and never look into a payload.
What they cost is measured in benchmarks/.
"""

from collections.abc import Callable
from time import perf_counter
from typing import Final

from msgspec import structs

from plugsock.gateway.admission import admit
from plugsock.gateway.deadlines import Deadlines
from plugsock.gateway.mocking import Mocking
from plugsock.gateway.open_call import Caller, OpenCall, filed, refuse, refuse_id, state_of
from plugsock.gateway.ordering import Ordering
from plugsock.gateway.permission import no_longer
from plugsock.gateway.protected import Protected
from plugsock.gateway.refusal import Refused
from plugsock.gateway.routes import Route, Routes
from plugsock.gateway.ticker import Ticker
from plugsock.model import Fault, Requires
from plugsock.ops.log import get_logger
from plugsock.rpc.frames import EXPLAIN, MOCK, OK, SILENT, VIEW, Details
from plugsock.rpc.link import Link
from plugsock.wire.answer import error_frame, fault
from plugsock.wire.header import Options

log = get_logger()

DEFAULT_CREDIT: Final = 32
"""Items of a stream that may come before the client says `more`."""


class Calls:
    """All open calls, by the sequence under which the worker knows them.

    Attributes:
        link: Where calls go.
        watchers: Those who wait for calls to end, while there are any: each hears of every call that ended.
        ended: Hears from the worker that a run has ended whose call was ended here before, by its sequence.
    """

    link: Link

    def __init__(self, routes: Routes, deadlines: Deadlines[OpenCall], limit: int, mocking: Mocking) -> None:
        self.by_sequence: dict[int, OpenCall] = {}
        self.watchers: set[Callable[[OpenCall], None]] = set()
        self._ordering: Ordering[OpenCall] = Ordering(self._start)
        self.ended = self._ordering.ended
        self._mocking = mocking
        self._routes = routes
        self._deadlines = deadlines
        self._limit = limit
        self._left: dict[int, OpenCall] = {}
        """Those that were answered here and run on, until their deadline: their callers hear nothing of them."""
        self._sequence = 0
        self._ticker = Ticker(deadlines, self._time_out)

    def open(self, caller: Caller, binary: bool, id: bytes, route: Route, payload: bytes) -> None:  # noqa: FBT001
        """Start a plain call without options and without a key, or refuse it with its one answer."""
        session = caller.session
        calls, highest = session.calls, session.highest
        # `Session.admit` says the same, with reasons; this flat copy of it saves 8 % of the gateway's part of a call.
        if (
            id in calls
            or id in session.watches
            or len(calls) >= self._limit
            or (len(id) <= len(highest) and (len(id) < len(highest) or id <= highest))
        ):
            refuse_id(caller, binary, id, self._limit)
            return
        if session.grows:
            session.highest = id
        if not caller.introduced:
            self.introduce(caller)
        self._sequence = sequence = self._sequence + 1
        lane = route.lane
        call = OpenCall(
            sequence, route.event, route.revision, binary, caller.id, 0, 0, DEFAULT_CREDIT, "", "", "",
            payload, id, caller, route, lane, perf_counter(), DEFAULT_CREDIT, (),
        )  # fmt: skip
        calls[id] = self.by_sequence[sequence] = lane.open[sequence] = call
        if not self._ticker.is_ticking:
            self._ticker.tick()
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
                refuse_id(caller, binary, id, self._limit)
            return
        try:
            needs, key = admit(self._ordering, caller, route, payload, int(binary))
        except Refused as refused:
            route.row.failed += 1
            if id:
                refuse(caller, binary, id, refused.reason)
            return
        if not caller.introduced:
            self.introduce(caller)
        self._sequence += 1
        lane = route.lane if options.timeout is None else self._deadlines.shorter(route.lane, options.timeout)
        is_mocked = self._mocking.is_now(route.event, caller.mocked, asked=options.mock)
        flags = EXPLAIN * options.explain | MOCK * is_mocked | SILENT * (not id)
        credit = DEFAULT_CREDIT if options.credit is None else options.credit
        call = OpenCall(
            self._sequence, route.event, "", binary, caller.id, 0, flags, credit, options.key, options.trace,
            key, payload, id, caller, route, lane, perf_counter(), credit, needs,
        )  # fmt: skip
        self.by_sequence[call.sequence] = call
        session.calls[filed(call)] = call
        if credit or route.is_call:
            lane.open[call.sequence] = call
            if not self._ticker.is_ticking:
                self._ticker.tick()
        self._begin(call)

    def run(
        self, caller: Caller, route: Route, payload: bytes, format: int, needs: Requires, *, is_mocked: bool = False
    ) -> None:
        """Start a run of a view, for which nobody is asked what they may: `caller` stands in for all who watch it.

        Its one answer goes to the caller's `send`, perhaps before this returns.

        Args:
            caller: Hears the answer.
            route: The view.
            payload: A `views.Asked`.
            format: Of the arguments in it.
            needs: What it takes to get what the run sends to the socket in whose name it runs.
            is_mocked: Its value is made up.
        """
        self._sequence += 1
        call = OpenCall(
            self._sequence, route.event, route.revision, format, caller.id, 0, VIEW | MOCK * is_mocked, 0, "", "", "",
            payload, b"1", caller, route, route.lane, perf_counter(), 0, needs,
        )  # fmt: skip
        self.by_sequence[call.sequence] = caller.session.calls[call.id] = call
        self._time(call)
        self.link.call(call)

    def answer(self, sequence: int, status: int, payload: bytes, ran_s: float, _details: Details | None) -> None:
        """The worker's one answer; dropped if the call was ended here before."""
        call = self.by_sequence.pop(sequence, None)
        if call is None:
            self._over(sequence)
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
        if call.needs:
            frame = Protected(frame, call.needs)
        if id:
            caller, binary = call.caller, call.format == 1
            session = caller.session
            del session.calls[id]
            if route.is_call or status != OK:  # of a stream, items may get lost that its end would say were all
                session.keep(id, binary, frame)
            caller.send(binary, frame)
        else:
            del call.caller.session.calls[filed(call)]
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
        frame = b"item %b %b" % (call.id, payload)
        call.caller.send(call.format == 1, Protected(frame, call.needs) if call.needs else frame)

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

    def end(self, call: OpenCall, reason: Fault, *, is_left: bool = False) -> None:
        """Answer a call here and now, and tell the worker, if it has it, that nobody waits any more.

        Args:
            call: The call.
            reason: Its answer.
            is_left: The worker is told nothing: what runs goes on to its end or its deadline, for nobody.
        """
        if self.drop(call, is_left=is_left) and call.id:
            refuse(call.caller, call.format == 1, call.id, reason)

    def drop(self, call: OpenCall, *, is_left: bool = False) -> bool:
        """Forget a call whose caller has gone for good; False if it has ended before. See `end` for `is_left`."""
        if self.by_sequence.pop(call.sequence, None) is None:
            return False
        call.route.row.failed += 1
        del call.caller.session.calls[filed(call)]
        runs = call.route.read_key is None or self._ordering.leave(call)
        if runs and is_left:
            self._left[call.sequence] = call
        else:
            call.lane.open.pop(call.sequence, None)
            if runs:
                self.link.cancel(call.sequence)
        if self.watchers:
            self._tell(call)
        return True

    def revoke(self, caller: Caller) -> list[OpenCall]:
        """Answer the calls that a caller is not allowed to any more; which those are.

        A stream ends. A plain call that runs is left to finish, since half of what it does may be worse than all of
        it; nothing of it reaches the caller any more.
        """
        ended = [call for call in caller.session.calls.values() if not caller.rights.meets(call.needs)]
        for call in ended:
            self.end(call, no_longer(call.needs), is_left=call.route.is_call)
        return ended

    def needs_of(self, sequence: int, socket: str) -> Requires | None:
        """What a socket must be allowed to, to get what a call sends to it; None if it gets nothing of it any more."""
        if not sequence:  # it has returned, and what goes on says this in nobody's name
            return ()
        left = self._left.get(sequence)
        call = self.by_sequence.get(sequence, left)
        if call is None or (call is left and call.caller.id == socket):
            return None
        return call.needs if call.caller.id == socket else ()

    def again(self, sequence: int) -> None:
        """A call has not begun, and a swap has changed its event's order or what that requires: let it begin by that."""
        call = self.by_sequence.get(sequence)
        if call is None:  # it was answered here, and now it never begins
            self._over(sequence)
            return
        route = self._routes.in_force(call.event)
        if route is None:
            return
        if call.flags & VIEW:  # whoever watches it is asked anew, and has it run then
            self.drop(call)
            return
        if call.route.read_key is not None:
            self._ordering.answered(call)  # the next one with its old key may go on
        try:
            needs, key = admit(self._ordering, call.caller, route, call.payload, call.format)
        except Refused as refused:
            call.route = structs.replace(route, read_key=None)  # it has no key that it could leave
            self.end(call, refused.reason)
            return
        call.route, call.order, call.needs, call.revision = route, key, needs, ""
        self._begin(call)

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
            try:
                call.needs, call.order = admit(self._ordering, call.caller, route, call.payload, call.format)
            except Refused as refused:
                self.end(call, refused.reason)
                return
            call.route = route
            if call.sequence not in call.lane.open:
                self._time(call)
        self._begin(call)

    def _over(self, sequence: int) -> None:
        """A run has ended whose call was answered here before."""
        if (left := self._left.pop(sequence, None)) is not None:
            left.lane.open.pop(sequence, None)
        self.ended(sequence)

    def _tell(self, call: OpenCall) -> None:
        for watcher in tuple(self.watchers):
            watcher(call)

    def introduce(self, caller: Caller) -> None:
        """Tell the worker who a caller is, before its first call and when that has changed."""
        caller.introduced = True
        caller.told = caller.rights.version
        self.link.socket(state_of(caller))

    def _time(self, call: OpenCall) -> None:
        """Let a call's deadline count from now; a stream's only if somebody waits for its next item."""
        if call.route.is_call or (call.asked > 0 and not call.caller.held):
            call.lane.restart(call, perf_counter())
            if not self._ticker.is_ticking:
                self._ticker.tick()
        else:
            call.lane.open.pop(call.sequence, None)

    def _time_out(self, call: OpenCall) -> None:
        log.warning("a call timed out", event=call.event, revision=call.revision, socket=call.socket)
        if self._left.pop(call.sequence, None) is not None:
            call.lane.open.pop(call.sequence, None)
            self.link.cancel(call.sequence)
            return
        message = f"{call.event} did not answer within {call.lane.timeout_s:g} s."
        self.end(call, fault("timeout", message, retry=call.route.announcement.idempotent))
