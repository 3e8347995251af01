"""One worker as the pool sees it: what it is doing, what it serves, and how much more it takes."""

from collections.abc import Sequence, Sized
from typing import Final, Protocol

from msgspec import Struct

from plugsock.ops.log import get_logger
from plugsock.ops.shared import Shared
from plugsock.pool.committed import MOST_QUICK, MOST_SLOW, QUICK, SLOW_S, Committed, Entry
from plugsock.pool.health import Health
from plugsock.pool.life import Event, State, step
from plugsock.pool.link import ProcessLink
from plugsock.pool.sizes import ASYNC_PLACES
from plugsock.pool.vitals import Vitals
from plugsock.rpc.frames import Call, Details, Document, Emit, Group, Request, SocketState, Staged
from plugsock.rpc.link import PoolSink
from plugsock.rpc.page import STAGING, STARTED, TAKEN_BACK, THREADS, Page, is_started, private

log = get_logger()

GRACE_S: Final = 2.0
"""A call that was ended may take so long to come to its end, beyond the time that it had anyway."""


class Running(Struct, gc=False):
    """A call that a worker has."""

    call: Call
    entry: Entry
    kind: int
    """Of the place that it has, see `Entry.kind`."""
    member: "Member"
    serial: int
    """What the worker knows it by: its calls are numbered in the order in which they reach it."""
    since: float
    """When it was handed over, or has sent its last item; as exact as the supervisor's clock."""
    begun: int = 0
    """How often it had begun on other workers, which have ended."""
    has_spoken: bool = False
    """Something that it said has left: it can't be run again."""
    end_by: float | None = None
    """Nobody waits for it any more; when it must have come to its end."""


class Office(Protocol):
    """What all members share: the pool."""

    now: float
    running: dict[int, Running]
    states: dict[str, SocketState]
    committed: Committed
    sink: PoolSink

    def waiting(self, crew: str) -> Sized:
        """What waits for any of its workers: empty as long as nothing does."""

    def freed(self, member: "Member") -> None:
        """It may have room for one more call."""

    def introduce(self, member: "Member", socket: str) -> None:
        """It is about to get a call of this socket."""

    def keep(self, running: Running) -> None:
        """A call with a key begins."""

    def let_go(self, running: Running) -> None:
        """A call with a key has ended, and the gateway knows."""

    def move(self, running: Running) -> None:
        """A worker has given a call back that it had not begun."""

    def ask(self, member: "Member", number: int, serial: int, request: Request) -> None:
        """A plug of it asks the gateway for something."""

    def documented(self, member: "Member", number: int, document: Document) -> None:
        """It has told what its plugs look like."""

    def staged(self, member: "Member", staged: Staged) -> None:
        """It has looked at the folder."""

    def changed(self, paths: Sequence[str]) -> None:
        """Its folder has changed."""

    def outdated(self, reason: str) -> None:
        """Something has changed that only new processes can take over."""

    def relieve(self, member: "Member", reason: str) -> None:
        """Let another one take its place."""

    def lost(self, member: "Member", reason: str) -> None:
        """Its connection has ended."""


class Member:
    """A worker that has registered, and the owner of its link.

    Attributes:
        number: Names it to people.
        crew: The set that it belongs to.
        version: Of what is committed, as far as it has followed; see `Committed`.
        revision: The same, for people.
        serving: Event -> revision, while it joins.
        failed: Groups that it could not stage, by id.
        looks: How many looks at the folder it has been told of and not answered.
        open: Its calls, by serial.
        met: The sockets that it was told of.
        is_behind: It has not begun what it was given a moment ago.
        is_silent: Its heartbeats do not come.
        is_taken_back: It must not begin any more what it had not begun a moment ago.
        stands_for: For how many ticks it has begun nothing at all though there was something.
        reason: Why it is being replaced.
        stuck: The calls that have not come to their end in time.
        killed_for: Of these the one that it is killed for, see `blame`.
        is_old: It is one of those that are all replaced.
        is_cut: Its connection has ended.
        is_wanted: Its end is: it was told to stop.
        is_sentenced: It is ended because it does not speak the language.
        is_explained: A plug is to blame for its end, or somebody else has killed it.
        born: When its process was asked for.
        ready_at: When it became ready; 0 if it never did.
    """

    def __init__(
        self, number: int, crew: str, pid: int, office: Office, shared: Shared, *, threads: int, is_ours: bool
    ) -> None:
        self.number = number
        self.crew = crew
        self.pid = pid
        self.page: Page = shared.view
        self.threads = threads
        self.is_ours = is_ours
        self.link: ProcessLink
        self.state = State.JOINING
        self.health = Health(office.now)
        self.vitals = Vitals(pid)
        self.version = -1
        self.revision = ""
        self.serving: dict[str, str] = {}
        self.failed: dict[str, Group] = {}
        self.looks = 0
        self.open: dict[int, Running] = {}
        self.served = 0
        self.lost_threads = 0
        self.met: set[str] = set()
        self.is_behind = False
        self.is_silent = False
        self.is_taken_back = False
        self.stands_for = 0
        self.is_old = False
        self.is_cut = False
        self.is_wanted = False
        self.is_sentenced = False
        self.is_explained = False
        self.born = 0.0
        self.ready_at = 0.0
        self.killed_for: int | None = None
        self.reason = ""
        self.stuck: set[int] = set()
        self.since = office.now
        self._office = office
        self._shared = shared
        self._running = office.running
        self._states = office.states
        self._answer = office.sink.answer
        self._active = office.committed.active
        self._waiting = office.waiting(crew)
        self._taken: dict[str, int] = {}
        self._free = [ASYNC_PLACES, threads, MOST_QUICK]
        self._most = [MOST_SLOW, max(1, threads // 2), MOST_SLOW]
        self._serial = 0
        self._stood_at = 0
        self._took_back_at = 0.0
        self._due = 0

    def __repr__(self) -> str:
        return f"<worker {self.number}, {self.state.value}>"

    @property
    def votes(self) -> bool:
        """Does a swap wait for what it says?"""
        return self.state.votes and not self.is_silent

    @property
    def is_importing(self) -> bool:
        """Is it about to execute a module, so that this may be why it is silent, or has ended?"""
        return self.page[STAGING] != 0

    def fire(self, event: Event) -> bool:
        """Something has happened to it; False if nothing follows from that in the state that it is in."""
        state = step(self.state, event)
        if state is None or state is self.state:
            return False
        self.state = state
        self.since = self._office.now
        return True

    # Handing out calls: see `crew.Places`.

    def has_room(self, entry: Entry) -> bool:
        """Does it take one more call of this event?"""
        kind = entry.kind
        most = entry.window or self._most[kind]
        return self._free[kind] > 0 and self._taken.get(entry.event, 0) < most and not self.link.is_congested

    def start(self, call: Call, entry: Entry, *, begun: int = 0) -> None:
        """Take a call."""
        self._serial = serial = self._serial + 1
        event, kind = entry.event, entry.kind
        running = Running(call, entry, kind, self, serial, self._office.now, begun)
        self.open[serial] = self._running[call.sequence] = running
        self._taken[event] = self._taken.get(event, 0) + 1
        self._free[kind] -= 1
        if self._states:
            self._office.introduce(self, call.socket)
        if call.order:
            self._office.keep(running)
        self.link.call(call, serial)

    def _end(self, running: Running) -> None:
        """Its place is free."""
        event = running.entry.event
        self._free[running.kind] += 1
        taken = self._taken[event] - 1
        if taken:
            self._taken[event] = taken
        else:
            del self._taken[event]
        self._running.pop(running.call.sequence, None)
        if self.stuck:
            self.stuck.discard(running.serial)

    def _over(self, running: Running) -> None:
        if running.call.order:
            self._office.let_go(running)
        self._office.freed(self)

    # What it says: see `link.Owner`.

    def answer(self, sequence: int, status: int, payload: bytes, ran_s: float, details: Details | None) -> None:
        """A call has ended."""
        running = self.open.pop(sequence, None)
        if running is None:
            self._misbehaved(f"it has answered {sequence}, which it was not asked")
            return
        # Longer than others and flat, because it runs once a call, where a function more costs 1 % of the whole.
        call, entry = running.call, running.entry
        event, taken = entry.event, self._taken
        self._free[running.kind] += 1
        if taken[event] > 1:
            taken[event] -= 1
        else:
            del taken[event]
        del self._running[call.sequence]
        if self.stuck:
            self.stuck.discard(sequence)
        self.served += 1
        if ran_s:  # it was not refused
            if not entry.answered:
                self._active.append(entry)
            entry.answered += 1
            entry.ran_s += ran_s
        try:
            if running.end_by is None:
                self._answer(call.sequence, status, payload, ran_s, details)
            else:  # the answer was on its way when the call was ended
                self._office.sink.ended(call.sequence)
        finally:  # whatever goes wrong there, others wait
            if call.order:
                self._office.let_go(running)
            if self._waiting:
                self._office.freed(self)

    def item(self, sequence: int, payload: bytes) -> None:
        """A stream's next value."""
        running = self.open.get(sequence)
        if running is None:
            self._misbehaved(f"it has sent an item of {sequence}, which it was not asked")
        elif running.end_by is None:
            running.since = self._office.now
            running.has_spoken = True
            self._office.sink.item(running.call.sequence, payload)

    def emit(self, emit: Emit) -> None:
        """A plug said something on its own; not in the name of a call that was ended."""
        serial = emit.sequence
        if serial:
            running = self.open.get(serial)
            if running is None or running.end_by is not None:
                return
            running.has_spoken = True
            emit.sequence = running.call.sequence  # by which the gateway knows the call
        self._office.sink.emit(emit)

    def ask(self, number: int, sequence: int, request: Request) -> None:
        """A plug asks the gateway for something and waits."""
        self._office.ask(self, number, sequence, request)

    def ended(self, sequence: int) -> None:
        """A call has come to its end that was ended before."""
        running = self.open.get(sequence)
        if running is None or running.end_by is None:
            self._misbehaved(f"it has ended {sequence} by itself")
            return
        del self.open[sequence]
        self._end(running)
        running.entry.slow_down()
        try:
            self._office.sink.ended(running.call.sequence)
        finally:
            self._over(running)

    def returned(self, sequence: int) -> None:
        """It has not begun a call that was taken back."""
        running = self.open.get(sequence)
        if running is not None:  # else it was moved already
            self._office.move(self.withdraw(running))

    def changed(self, paths: Sequence[str]) -> None:
        """Its folder may have changed."""
        self._office.changed(paths)

    def staged(self, staged: Staged) -> None:
        """It has looked at the folder."""
        if self.state is State.JOINING:
            self._shared.forget_path()
        self._office.staged(self, staged)

    def documented(self, number: int, document: Document) -> None:
        """It has told what its plugs look like."""
        self._office.documented(self, number, document)

    def beat(self, lag_s: float, lost_threads: int) -> None:
        """Its event loop is alive."""
        self.health.beat(self._office.now, lag_s)
        self.lost_threads = lost_threads

    def outdated(self, reason: str) -> None:
        """Something has changed that only new processes can take over; all workers say so, and one is enough."""
        if not self.is_old:
            self._office.outdated(reason)

    def leave(self) -> None:
        """Somebody has asked it to end."""
        self._office.relieve(self, "it was asked to end")

    def lost(self, reason: str | None) -> None:
        """The connection has ended."""
        self._office.lost(self, reason or "")

    def _misbehaved(self, how: str) -> None:
        self.is_sentenced = True
        log.error("a worker misbehaves and is ended", worker=self.number, how=how)
        self.link.close()

    # What the supervisor looks at.

    def cancel(self, running: Running) -> None:
        """Nobody waits for one of its calls any more."""
        if running.end_by is None:
            now = self._office.now
            running.end_by = max(now, running.since + running.entry.timeout_s) + GRACE_S
            self.link.cancel(running.serial)

    def overdue(self, now: float) -> list[Running]:
        """The calls that were ended and have not come to their end in time."""
        return [one for one in self.open.values() if one.end_by is not None and now > one.end_by]

    def notice(self) -> None:
        """Has it begun what it had when this was asked the last time, and still has? What was refused never begins."""
        page, due = self.page, self._due
        begun = page[STARTED], max(page[THREADS::2])
        # One that was taken something back has nothing left to begin, so only a heartbeat shows that it goes on.
        self.is_behind = self.health.heard < self._took_back_at or any(
            begun[one.entry.in_thread] < one.serial <= due
            for one in self.open.values()
            if not (one.entry.in_thread and one.entry.is_stream)  # it begins when somebody takes an item, perhaps never
        )
        self._due = self._serial
        self.stands_for = self.stands_for + 1 if self.is_behind and page[STARTED] == self._stood_at else 0
        self._stood_at = page[STARTED]
        self.is_taken_back = self.is_taken_back and self.stands_for > 0
        self._slow_down()

    def _slow_down(self) -> None:
        """Of which events are there calls that take long?"""
        for one in self.open.values():  # the oldest first
            if self._office.now - one.since < SLOW_S:
                break
            if one.kind == QUICK:
                one.entry.slow_down()

    def take_back(self) -> None:
        """Let it begin nothing any more of what it has not begun."""
        self.page[TAKEN_BACK] = self._serial
        self.is_taken_back = True
        self._took_back_at = self._office.now

    def taken_back(self) -> list[Running]:
        """What it has not begun and never will, some time after `take_back`; it has them no more."""
        started, last = self.page[STARTED], self.page[TAKEN_BACK]
        return [self.withdraw(running) for running in list(self.open.values()) if started < running.serial <= last]

    def withdraw(self, running: Running) -> Running:
        """It has a call no more, and had not begun it."""
        del self.open[running.serial]
        self._end(running)
        return running

    def forgive(self, now: float) -> None:
        """Time has passed in which nobody could listen to it, see `Health.forgive`."""
        self.health.forgive(now)
        for running in self.open.values():
            if running.end_by is not None:
                running.end_by = max(running.end_by, now + GRACE_S)

    def close_page(self) -> None:
        """Nobody looks at its page any more."""
        self.page = private()
        self._shared.close()

    def has_started(self, running: Running) -> bool:
        """Had the first step of a call begun? Certain once the process has ended."""
        return is_started(self.page, running.serial, in_thread=running.entry.in_thread)
