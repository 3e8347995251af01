"""Runs calls.

    start ─ look up the revision ─ bind ─┬─ async: first step at once; a task if it waits ─┐
                                         ├─ plain: in a thread                             ├─ encode ─ answer
                                         └─ a generator of either kind: as a stream        ┘

`start` is the hot path: what an async plug that does not wait takes from its call to its answer, measured in
benchmarks/. What only other calls need is kept out of it, above all the `Run` that keeps account of one that goes on.

Whose code runs is marked on the page (`rpc.page`): here for first steps and the decoding before them, in `marks` for
what goes on, in `threads` for what runs there.
"""

import asyncio
import sys
from collections.abc import Callable, Collection, Coroutine
from contextvars import Context
from functools import partial
from time import perf_counter
from typing import Any, Final, TypeAlias

from plugsock.everybody import Everybody
from plugsock.loader.signature import LONGEST_NULL
from plugsock.model import JSON, Kind, User
from plugsock.ops.log import get_logger
from plugsock.rpc.frames import MOCK, OK, VIEW, Call
from plugsock.rpc.link import Sink
from plugsock.rpc.page import STARTED, Page, private
from plugsock.worker.begun import Beside, Stream, Waiting
from plugsock.worker.bind import REFUSALS, bad_payload
from plugsock.worker.eager import Done
from plugsock.worker.marks import PageMarks
from plugsock.worker.mocked import Mocking
from plugsock.worker.mouth import Mouth, Voice
from plugsock.worker.outbox import Outbox
from plugsock.worker.outcome import END, Answers, Outcome, Run
from plugsock.worker.peers import Peers
from plugsock.worker.repeats import COLON, refuse_repeats
from plugsock.worker.stream import AsyncStream, Credit, ThreadStream
from plugsock.worker.table import ASYNC_CALL, ASYNC_STREAM, THREAD_CALL, THREAD_STREAM, Served, Table
from plugsock.worker.threads import CAPACITY, Threads
from plugsock.worker.views import ViewCall, opened
from plugsock.worker.words import CallerSocket, server_of

if sys.version_info >= (3, 12):
    from plugsock.worker.eager import Starter, Suspended
else:
    from plugsock.worker.eager_311 import Starter, Suspended

AGAIN_MS: Final = 1000
"""When to try again a call that found no thread: threads come back as fast as the plugs that hold them."""

STOP_S: Final = 1.0
"""On `stop`, plugs have so long to end after they were cancelled."""

Enter: TypeAlias = Callable[[], Any]
"""Calls the plug with all that it takes."""

log = get_logger()


class Runner:
    """Runs calls on the loop that it is made on, and in threads.

    Args:
        sink: Where answers, items and words go.
        table: Which function runs which call.
        threads: For plain functions, at most.
        dev: Tracebacks come along in answers.
        fault: What goes wrong with made-up answers, as the setting says it.
        page: Where to mark which call's code runs; by default one that nobody reads.

    Attributes:
        peers: What is known of the sockets that call.
        mouth: What plugs say goes through here.
        batch_began: Say this before a number of calls is started in a row, if somebody reads the page.
        batch_ended: Say this after them, and before the loop does anything else.
    """

    def __init__(
        self,
        sink: Sink,
        table: Table,
        *,
        threads: int = CAPACITY,
        dev: bool = False,
        fault: str = "",
        page: "Page | None" = None,
    ) -> None:
        loop = asyncio.get_running_loop()
        self._page = page = private() if page is None else page
        marks = PageMarks(page)
        self.batch_began, self.batch_ended = marks.batch_began, marks.batch_ended
        self._outbox = outbox = Outbox(loop)
        self.peers = Peers()
        self.mouth = Mouth(sink, outbox)
        self._mocking = Mocking(self.mouth, fault)
        self._serving = table.serving
        self._answer = sink.answer
        self._answers = Answers(sink, outbox, dev=dev)
        self._starter = Starter(loop, marks)
        self._step = self._starter.step
        self._threads = Threads(outbox, page, threads)
        self._open = self._answers.open
        self._streams: dict[str, dict[int, Stream]] = {}
        self._held: set[str] = set()
        self._begin = {
            THREAD_CALL: self._thread_call,
            ASYNC_STREAM: self._async_stream,
            THREAD_STREAM: self._thread_stream,
        }

    @property
    def lost_threads(self) -> int:
        """How many threads run calls that were ended."""
        return self._threads.lost

    def start(self, call: Call) -> None:
        """Begin a call; it is answered once, perhaps before this returns."""
        # Longer than others and flat, because it runs once a call, where a function more costs 3 % of the whole.
        # All are marked, because of all of them the plug's own types may run code while the payload is decoded.
        self._page[STARTED] = call.sequence
        arrived = 0.0
        if call.flags:
            arrived = perf_counter()
            if call.flags & VIEW:
                call = opened(call)
        try:
            served = self._serving[call.revision][call.event]
        except KeyError:
            self._answers.refuse(call, "gone", f"{call.event} is not served in revision {call.revision} any more.")
            return
        payload, format = call.payload, call.format
        try:
            if len(payload) > LONGEST_NULL:
                value = served.decode[format](payload)
                if payload.count(COLON) > served.sure_fields and format == JSON:
                    refuse_repeats(payload)
            else:
                value = served.bind(payload, format)
        except REFUSALS as error:
            self._answers.misfit(call, bad_payload(error))
            return
        except BaseException as error:  # code of the plug's own types, which decoding runs
            self._answers.failed(call, error)
            return
        began = perf_counter()
        if arrived or not served.is_common:
            self._start(Run(call, served, began), value, arrived)
            return
        # Called out of locals, for `a.b()` is made for methods: where b is an attribute, it costs the more. 0.06 µs in all.
        step, enter, encode, answer = self._step, served.enter, served.encode, self._answer
        try:
            result = step(enter(value))
            if type(result) is Suspended:
                run = Run(call, served, began)
                self._suspended(run, result.go_on(self._answers.finish, run))
                return
            ran_s = perf_counter() - began
            payload = encode(result, format)
        except BaseException as error:  # of the plug, or of what it returned while that is encoded
            self._answers.finish(Run(call, served, began), None, error)
            return
        if self._outbox.waiting:
            self._outbox.drain()
        answer(call.sequence, OK, payload, ran_s, None)

    def cancel(self, sequence: int) -> None:
        """End a run that nobody waits for; what is not open is ignored."""
        opened = self._open.get(sequence)
        if opened is not None and not opened.run.is_over:
            run = opened.run
            run.is_over = True
            if run.voice is not None:
                self.mouth.hush(run.voice)
            if opened.cancel():
                self._ended(run, END)

    def more(self, sequence: int, count: int) -> None:
        """A stream may go on for so many further items."""
        opened = self._open.get(sequence)
        if opened is not None and (stream := self._streams.get(opened.run.call.socket, {}).get(sequence)) is not None:
            stream.more(count)

    def hold(self, socket: str, *, held: bool) -> None:
        """Streams of a socket wait, or go on."""
        if held:
            self._held.add(socket)
        else:
            self._held.discard(socket)
        for stream in self._streams.get(socket, {}).values():
            stream.hold(held=held)

    def forget(self, socket: str) -> None:
        """A socket has gone."""
        self.peers.forget(socket)
        self._held.discard(socket)

    def runs_any(self, plugs: Collection[Served]) -> bool:
        """Does any of these still run, answered or not?"""
        return any(opened.run.served in plugs for opened in self._open.values())

    async def stop(self) -> None:
        """End every run, of which nothing more is said; those that don't end are left behind, with a word in the log."""
        self._answers.is_stopped = True
        for sequence in list(self._open):
            self.cancel(sequence)
        self.mouth.close()
        tasks = {opened.task for opened in self._open.values() if opened.task is not None}
        await asyncio.wait({*tasks, self._threads.at_rest()}, timeout=STOP_S)
        if self._open:
            log.warning("plugs did not end when they were cancelled", calls=len(self._open))
        self._starter.close()
        self._threads.close()

    def _start(self, run: Run, value: Any, arrived: float) -> None:
        """Begin a call that `start` has not the means for."""
        call, served = run.call, run.served
        if arrived:
            run.decoded_s = run.began - arrived
        if served.differs is not None and (fault := served.differs(call, value)) is not None:
            self._answers.misfit(call, fault)
            return
        if isinstance(call, ViewCall) and call.asked.only_named:
            self._answers.name(run, value)
            return
        if call.flags & MOCK:
            self._make_up(run, value)
            return
        if served.signature.user_required and self.peers.user(call.socket) is None:
            self._answers.refuse(call, "unauthorized", f"{call.event} is for users who have said who they are.")
            return
        handed_in = self._handed_in(run) if served.needs else ()
        if served.style == ASYNC_CALL:
            self._open[call.sequence] = Waiting(run)  # what it says may end it before it suspends: a kick of its own
            self._run_async(served.enter(value, *handed_in), self._answers.finish, run)
        else:
            self._begin[served.style](run, partial(served.enter, value, *handed_in))

    def _make_up(self, run: Run, value: Any) -> None:
        """Answer in the place of the plug."""
        call, served, mocking = run.call, run.served, self._mocking
        if served.signature.kind is Kind.STREAM:
            self._async_stream(run, partial(mocking.items, call, served, value))
        else:
            self._open[call.sequence] = Waiting(run)
            self._run_async(mocking.answer(call, served, value), self._answers.finish, run)

    def _handed_in(self, run: Run) -> tuple[CallerSocket | None, Everybody | None, User | None]:
        """The Socket, Server and User of a plug that takes any."""
        needs, id, peers = run.served.needs, run.call.socket, self.peers
        run.voice = voice = Voice(run.call.sequence, is_view=bool(run.call.flags & VIEW))
        is_guarded = bool(run.served.plug.announcement.requires)
        socket = CallerSocket(id, peers, self.mouth, voice, is_guarded=is_guarded) if "socket" in needs else None
        server = server_of(self.mouth, voice, is_async=run.served.signature.is_async) if "server" in needs else None
        return socket, server, peers.user(id)

    def _run_async(self, coro: Coroutine[Any, Any, Any], done: Done[Run], run: Run) -> None:
        try:
            result = self._step(coro)
        except BaseException as error:  # the plug's: each becomes an answer
            done(run, None, error)
            return
        if type(result) is Suspended:
            self._suspended(run, result.go_on(done, run))
        else:
            done(run, result, None)

    def _suspended(self, run: Run, task: "asyncio.Task[None]") -> None:
        sequence = run.call.sequence
        opened = self._open.setdefault(sequence, Waiting(run))
        opened.task = task
        if run.is_over:
            task.cancel()

    def _thread_call(self, run: Run, enter: Enter) -> None:
        if not self._is_refused(run.call):
            job = self._threads.submit(run.call.sequence, partial(self._in_thread, run, enter))
            self._open[run.call.sequence] = Beside(run, job, self._threads)

    def _in_thread(self, run: Run, enter: Enter) -> None:
        submitted, run.began = run.began, perf_counter()
        run.waited_s = run.began - submitted
        value = error = None
        try:
            value = Context().run(enter)
        except BaseException as raised:  # the plug's: each becomes an answer
            error = raised
        outcome = self._answers.of(run, value, error)
        self._answers.outbox.post(self._ended, run, outcome)

    def _async_stream(self, run: Run, enter: Enter) -> None:
        stream = AsyncStream(run, enter(), self._credit(run.call), self._answers)
        self._keep(stream)
        self._run_async(stream.pump(), self._streamed, run)

    def _streamed(self, run: Run, _value: None, error: BaseException | None) -> None:
        self._ended(run, END if error is None else self._answers.of(run, None, error))

    def _thread_stream(self, run: Run, enter: Enter) -> None:
        if not self._is_refused(run.call):
            credit = self._credit(run.call)
            self._keep(ThreadStream(run, enter, credit, self._threads, self._answers, self._ended))

    def _credit(self, call: Call) -> Credit:
        return Credit(call.credit, is_held=call.socket in self._held)

    def _is_refused(self, call: Call) -> bool:
        """Refuse what needs a thread while too few are left."""
        refused = self._threads.is_overloaded
        if refused:
            self._answers.refuse(call, "overloaded", "Too many plugs hold a thread: try again later.", AGAIN_MS)
        return refused

    def _keep(self, stream: Stream) -> None:
        call = stream.run.call
        self._open[call.sequence] = stream
        self._streams.setdefault(call.socket, {})[call.sequence] = stream

    def _ended(self, run: Run, outcome: Outcome) -> None:
        call = run.call
        streams = self._streams.get(call.socket)
        if streams is not None and streams.pop(call.sequence, None) is not None and not streams:
            del self._streams[call.socket]
        self._answers.give(run, outcome)
