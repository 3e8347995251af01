"""How the workers are, and how they go: listens for their heartbeats, ends those that have to be ended, buries the dead.

What a worker leaves behind is judged when its process has ended, for only then is nothing changed any more: which calls
had begun, which of them is to blame, and what can be run elsewhere.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol

from plugsock.ops.log import get_logger
from plugsock.pool import blame
from plugsock.pool.burial import Burial
from plugsock.pool.health import SILENT_S, Verdict
from plugsock.pool.life import Event, State
from plugsock.pool.member import Member, Running
from plugsock.pool.pool import Pool
from plugsock.pool.program import KILL
from plugsock.rpc import page as pages
from plugsock.rpc.join import DUMP_SIGNAL

log = get_logger()

STUCK_DRAIN_S: Final = 10.0
"""The other calls of a worker that has to be killed have so long to end."""

DRAIN_S: Final = 60.0
"""Calls of a worker that is replaced for no fault of its own end by their own deadlines; its streams after so long."""

HEIR_S: Final = 5.0
"""A worker that has to be killed waits no longer than this for the one that takes its place."""

STANDS_TICKS: Final = 2
"""A worker that has begun nothing for so many ticks is given no time for what it has not begun: others take that."""

IMPORT_S: Final = 12.0
"""A worker that imports may be silent for as long as an import may take, and a little more: large libraries let nothing
else run for seconds. It gets no calls meanwhile, and only one worker at a time imports what nobody has tried yet."""

DUMP_S: Final = 0.2
"""What a process needs to write down what all its threads do."""

STOP_S: Final = 3.0
"""A worker that was told to stop has so long to run the plugs' `on_unload`; then it is killed."""

UNKILLABLE_S: Final = 3.0
"""After SIGKILL a process is given up: the kernel itself holds it."""

STATUS_S: Final = 1.0
"""A process whose connection has ended is dead by then, and how it died is known."""

LAST_WORDS_S: Final = 0.2
"""What a process has said before its end has been read by then, even if a program that it has started holds its
connection open."""


class Gone(Protocol):
    """Hears that a worker has ended."""

    def __call__(self, member: Member, ready_s: float, *, was_wanted: bool) -> None:
        """For how many seconds it had been ready, and whether it was to end."""


class Care:
    """Looks after the workers that there are.

    Args:
        pool: Whose they are.
        max_calls: A worker is replaced after so many; 0 for never.
        max_memory: Likewise when it holds so many bytes.
        kill: Sends a signal to a process that was started here, whatever its number is by now.
        renew: Replaces a worker that does well, for a reason.
        has_heir: Is there another one in a worker's place?
        leaves: Is told of a worker that is to be replaced.
        gone: Is told of one that has ended.

    Attributes:
        closing: The server ends: nobody is replaced any more.
    """

    def __init__(
        self,
        pool: Pool,
        *,
        max_calls: int,
        max_memory: int,
        kill: Callable[[int, int], None],
        renew: Callable[[Member, str], None],
        has_heir: Callable[[Member], bool],
        leaves: Callable[[Member], None],
        gone: Gone,
    ) -> None:
        self.closing = False
        self._pool = pool
        self._burial = Burial(pool)
        self._loop = asyncio.get_running_loop()
        self._max_calls, self._max_memory = max_calls, max_memory
        self._kill, self._renew = kill, renew
        self._has_heir, self._leaves, self._gone = has_heir, leaves, gone
        self._statuses: dict[Member, int | None] = {}
        """How the processes have ended whose workers are not buried yet."""
        self._spared: set[Member] = set()
        """Somebody's own, which have calls that go on after their time."""

    def tick(self, member: Member, now: float) -> None:
        """Time has passed; heartbeats, memory and counters are for `look`."""
        if member.state is State.READY:
            self._notice(member)
            stuck = self._stuck(member, now)
            if not member.is_ours:
                self._spare(member)
            elif stuck is not None:
                self.relieve(member, f"{stuck.entry.event} goes on after its time")
        elif member.state is State.DRAINING:
            self._drain(member, now)
        elif member.state is State.ENDING:
            self._end(member, now)

    # How they are.

    def _notice(self, member: Member) -> None:
        """Give nothing more to a worker that has not begun what it has, as long as others do."""
        was_behind = member.is_behind
        member.notice()
        if member.is_behind and not was_behind:
            self._pool.slow(member)
        elif was_behind:
            self._resume(member)
        if member.is_taken_back:
            for running in member.taken_back():
                self._pool.move(running)
        elif member.stands_for >= STANDS_TICKS and self._pool.has_others(member):
            member.take_back()

    def look(self, member: Member, now: float) -> None:
        """Listen for its heartbeat, and see whether it has done its share."""
        if member.state is State.ENDING:
            return
        if member.state is State.READY:
            self._recycle(member)
        vitals = member.vitals
        is_asleep = now - member.health.heard >= SILENT_S and vitals.is_asleep()  # which takes a while to find out
        verdict = member.health.look(now, vitals.cpu_s(), is_stopped=vitals.is_stopped(), is_asleep=is_asleep)
        is_spared = not member.is_ours or (member.is_importing and now - member.health.heard < IMPORT_S)
        if verdict is Verdict.STALLED and not is_spared:  # somebody may look into one of his own with a debugger
            member.killed_for, member.is_silent = blame.STALL, True
            self.relieve(member, "its event loop stands still")
        elif verdict is Verdict.FINE:
            self._heard(member)
        elif not member.is_silent:
            member.is_silent = True
            self._pool.pause(member)

    def _heard(self, member: Member) -> None:
        """Its heartbeats come."""
        if member.killed_for == blame.STALL:  # and it is not too late
            member.killed_for = None
        was_silent, member.is_silent = member.is_silent, False
        if member.state is not State.READY or not was_silent:
            return
        if member.version != self._pool.committed.version:
            self.unfit(member, "it has missed a change while it was silent")
        else:
            self._resume(member)

    def _resume(self, member: Member) -> None:
        """Give it calls again, unless there is another reason not to."""
        if not (member.is_silent or member.is_behind or member in self._spared):
            self._pool.resume(member)

    def _spare(self, member: Member) -> None:
        """Give nothing more to one of somebody's own as long as a call goes on after its time: a debugger may hold it."""
        if member.stuck:
            member.killed_for = None
            self._spared.add(member)
            self._pool.slow(member)
        elif member in self._spared:
            self._spared.remove(member)
            self._resume(member)

    def _stuck(self, member: Member, now: float) -> Running | None:
        """Of the calls that go on though they were to end, the one that is to blame; None if there are none."""
        overdue = {one.serial for one in member.overdue(now)}
        member.stuck = overdue
        if member.killed_for != blame.STALL and member.killed_for not in overdue:
            # Of several, others may only wait for the one that runs.
            member.killed_for = min(overdue & pages.running(member.page) or overdue, default=None)
        return member.open[min({member.killed_for or 0} & overdue or overdue)] if overdue else None

    def _recycle(self, member: Member) -> None:
        """Replace a worker that has done its share, if there is such a thing."""
        if self._max_calls and member.served >= self._max_calls:
            self._renew(member, f"it has run {member.served} calls")
        elif self._max_memory and (member.vitals.memory() or 0) > self._max_memory:
            self._renew(member, "it holds more memory than it may")

    # How they go.

    def relieve(self, member: Member, reason: str) -> None:
        """Give a worker no more calls, and let another one take its place."""
        if self.closing or not member.fire(Event.RELIEVED):
            return
        self._replace(member, reason)

    def unfit(self, member: Member, reason: str) -> None:
        """A worker can't follow what is in force."""
        if member.state is State.JOINING:
            log.error("a worker can't join", worker=member.number, reason=reason)
            member.reason = reason
            self.kill(member)
        elif member.fire(Event.FELL_BEHIND):
            self._replace(member, reason)

    def _replace(self, member: Member, reason: str) -> None:
        log.warning("a worker is replaced", worker=member.number, reason=reason)
        member.reason = reason
        self._pool.pause(member)
        self._leaves(member)
        if member.state is State.ENDING:
            self.kill(member)

    def _drain(self, member: Member, now: float) -> None:
        """Let its calls end; then end it, in whatever way it takes."""
        since_s = now - member.since
        self._stuck(member, now)
        if member.killed_for is not None:
            rest = len(member.open) - len(member.stuck)
            is_in_vain = member.is_silent or not rest or since_s > STUCK_DRAIN_S  # a loop that stands still ends none
            if is_in_vain and (self._has_heir(member) or since_s > HEIR_S):
                self.kill(member)
        elif not member.open or (since_s > DRAIN_S and all(one.entry.is_stream for one in member.open.values())):
            self.retire(member)

    def dismiss(self, member: Member) -> None:
        """The server ends, and so do its workers."""
        if member.state in {State.READY, State.JOINING}:
            member.fire(Event.RELIEVED)
        if member.state is State.DRAINING:
            self.retire(member)
        elif not member.is_wanted:
            member.is_wanted = True
            member.link.stop()

    def retire(self, member: Member) -> None:
        """Tell a worker to unload its plugs and to end."""
        member.is_wanted = True
        if member.fire(Event.EMPTIED):
            self._pool.pause(member)
            member.link.stop()

    def kill(self, member: Member) -> None:
        """End a worker that does not end by itself; before that it writes down what it is doing."""
        member.fire(Event.KILLED)
        dump = getattr(signal, DUMP_SIGNAL, None)
        if member.killed_for is not None and dump is not None and not member.vitals.is_stopped():
            self._signal(member, dump)
            self._loop.call_later(DUMP_S, self._finish, member)
        else:
            self._signal(member)

    def _finish(self, member: Member) -> None:
        if member.state is not State.GONE and member not in self._statuses:  # else its number may be another's by now
            self._signal(member)

    def _signal(self, member: Member, number: int = KILL) -> None:
        if member.is_ours and sys.platform != "win32":  # there it may be a launcher that was started, not the worker
            self._kill(member.pid, number)
        else:
            kill(member.pid, number)

    def _end(self, member: Member, now: float) -> None:
        """See to it that a worker ends that was told to."""
        since_s = now - member.since
        if since_s > STOP_S + UNKILLABLE_S:
            log.error("a worker's process can't be ended; it is given up", worker=member.number, pid=member.pid)
            self._bury(member, None)
        elif since_s > STOP_S:
            self._finish(member)

    # How they have gone.

    def process_ended(self, pid: int, status: int | None) -> None:
        """A process has ended that may have been a worker's."""
        for member in list(self._pool.members):
            if member.pid == pid and member.is_ours:
                self._statuses[member] = status
                if member.is_cut:
                    self._bury(member, status)
                else:  # what it has said last has still to be read
                    self._withdraw(member)
                    self._loop.call_later(LAST_WORDS_S, self._bury, member, status)

    def disconnected(self, member: Member, reason: str) -> None:
        """Its connection has ended: so will its process, if that is not what has ended it."""
        if member.state is State.GONE:
            return
        if reason:
            member.is_sentenced = True
            log.error("a worker does not speak the language and is ended", worker=member.number, reason=reason)
        member.is_cut = True
        self._withdraw(member)
        if member in self._statuses:
            self._bury(member, self._statuses[member])
            return
        if not member.is_wanted:
            self._signal(member)
        self._loop.call_later(STATUS_S if member.is_ours else DUMP_S, self._bury_unseen, member)

    def _withdraw(self, member: Member) -> None:
        """It is dead, or will be at once."""
        member.fire(Event.KILLED)
        self._pool.pause(member)

    def _bury_unseen(self, member: Member) -> None:
        """Nobody has seen it end: nothing is left of it but perhaps its process."""
        if member.is_ours:
            self._finish(member)
        self._bury(member, None)

    def _bury(self, member: Member, status: int | None) -> None:
        """Its process has ended: nothing that its page says will change any more."""
        ready_s = self._loop.time() - member.ready_at if member.ready_at else 0.0
        if not member.fire(Event.LOST):
            return
        try:
            self._burial.bury(member, status, is_expected=self.closing or member.is_wanted)
        finally:  # whatever goes wrong there, it is gone
            self._statuses.pop(member, None)
            self._spared.discard(member)
            member.link.close()
            member.close_page()
            self._gone(member, ready_s, was_wanted=member.is_wanted)


def kill(pid: int, number: int) -> None:
    """Send a signal to a process; nothing happens if it has ended.

    Nor if its number is not known yet: 0 is this process and all that belong to it.
    """
    if pid <= 0:
        return
    with suppress(OSError):
        os.kill(pid, signal.SIGTERM if sys.platform == "win32" else number)
