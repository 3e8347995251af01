"""Sees to it that there are as many workers as there should be: starts them, and replaces them one by one if asked to.

How those that there are fare is for `care`.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Final

from msgspec import Struct

from plugsock.frozen import executable
from plugsock.ops.log import get_logger
from plugsock.ops.shared import Shared
from plugsock.ops.tasks import Tasks
from plugsock.pool.care import STOP_S, UNKILLABLE_S, Care
from plugsock.pool.health import SUSPENDED_S
from plugsock.pool.life import State
from plugsock.pool.member import Member
from plugsock.pool.pool import Pool
from plugsock.pool.program import KILL
from plugsock.pool.sizes import Size
from plugsock.pool.squad import Squad
from plugsock.rpc.link import PoolSink

log = get_logger()

TICK_S: Final = 0.05
LOOK_TICKS: Final = 5
"""Every so many ticks a look at heartbeats, memory and counters: twice for each heartbeat."""

REGISTER_S: Final = 30.0
"""A process that has not registered by then never will."""

ALL: Final = "all workers are replaced"

CLOSE_S: Final = STOP_S + UNKILLABLE_S + 1.0
"""All workers have ended by then, or were given up."""


class Start(Struct):
    """A process that was asked for and has not registered yet."""

    squad: Squad
    since: float
    pid: int = 0


class Supervisor:
    """Starts and replaces workers.

    Args:
        sink: The gateway.
        sizes: The sets of workers, by name.
        start: Starts a process that is to register with a key; its pid.
        kill: Sends a signal to a process that `start` has started; nothing happens if it has ended.
        timeout_s: How long a call may take whose plug does not say otherwise.
        max_calls: A worker is replaced after so many; 0 for never.
        max_memory: Likewise when it holds so many bytes.

    Attributes:
        pool: What the gateway talks to.
        manned: Set as soon as each set has the workers that it must have at least.
    """

    def __init__(
        self,
        sink: PoolSink,
        sizes: Mapping[str, Size],
        start: Callable[[str], Awaitable[int]],
        kill: Callable[[int, int], None],
        *,
        timeout_s: float,
        max_calls: int,
        max_memory: int,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self.pool = Pool(sink, sizes, timeout_s, self)
        self.manned = asyncio.Event()
        self._care = Care(
            self.pool,
            max_calls=max_calls,
            max_memory=max_memory,
            kill=kill,
            renew=self._renew,
            has_heir=self._has_heir,
            leaves=self._leaves,
            gone=self._gone,
        )
        self._tasks = Tasks("workers")
        self._start_process, self._kill = start, kill
        self._squads = {name: Squad(name, size, self._loop.time()) for name, size in sizes.items()}
        self._starts: dict[str, Start] = {}
        self._renewals: dict[Member, str] = {}
        """Why those are replaced that are old, where not all are."""
        self._relieved = asyncio.Event()
        self._has_told_replaced = False
        self._empty = asyncio.Event()
        self._served = 0
        self._ticks = 0

    # The life of the whole.

    def start(self) -> None:
        """Start as many workers as there must be; `manned` says when they are ready."""
        self._tasks.spawn("supervise", self._supervise())

    async def stop(self) -> None:
        """Tell every worker to unload its plugs and to end, and see to it that it does; nobody comes in any more."""
        self._care.closing = True
        for start in self._starts.values():
            self._kill(start.pid, KILL)
        self._starts.clear()
        for member in list(self.pool.members):
            self._care.dismiss(member)
        self._relieved.set()
        with suppress(TimeoutError):  # which only somebody's mistake leads to
            async with asyncio.timeout(CLOSE_S):
                while self.pool.members:
                    self._empty.clear()
                    await self._empty.wait()
        await self._tasks.stop()

    async def reload(self, reason: str) -> int:
        """Replace every worker, the new ones beside the old; how many that were."""
        old = self._roll(reason)
        while any(member.state.counts for member in old):
            self._relieved.clear()
            await self._relieved.wait()
        return len(old)

    def roll(self, reason: str) -> int:
        """Begin to replace every worker; how many that are."""
        return len(self._roll(reason))

    def _roll(self, reason: str) -> list[Member]:
        old = [member for member in self.pool.members if member.state.counts]
        for member in old:
            member.is_old = True
        ours = [member for member in old if member.is_ours]
        for member in ours:
            self._squads[member.crew].is_rolling = True
        log.info("all workers are replaced, one by one", reason=reason, workers=len(ours))
        return ours

    def _renew(self, member: Member, reason: str) -> None:
        """Replace a worker that does well: the new one first, and one of a set at a time."""
        if not member.is_ours:
            self._care.relieve(member, reason)
        elif member.state.counts and not member.is_old and not self._care.closing:
            log.info("a worker is to be replaced", worker=member.number, reason=reason)
            member.is_old = True
            self._renewals[member] = reason
            self._squads[member.crew].is_rolling = True

    @property
    def served(self) -> int:
        """How many calls all workers have answered since the server began."""
        return self._served + sum(member.served for member in self.pool.members)

    def restarts(self, crew: str) -> int:
        """How many workers of a set have been replaced since the server began."""
        return self._squads[crew].restarts

    async def _supervise(self) -> None:
        due = self._loop.time()
        while True:
            now = self._loop.time()
            if now - due > SUSPENDED_S:
                for member in self.pool.members:
                    member.forgive(now)
            try:
                self.tick(now)
            except Exception:  # whatever goes wrong in one tick, there are others
                log.exception("looking after the workers failed")
            due = self._loop.time() + TICK_S
            await asyncio.sleep(TICK_S)

    def tick(self, now: float) -> None:
        """Time has passed."""
        self.pool.now = now
        self._ticks += 1
        for member in list(self.pool.members):
            self._look_after(member, now)
        if not self._care.closing:
            for squad in self._squads.values():
                self._roll_one(squad)
                self._man(squad, now)
        self._give_up_starts(now)
        self.pool.tick(now)

    def _look_after(self, member: Member, now: float) -> None:
        try:
            if self._ticks % LOOK_TICKS == 0:
                self._care.look(member, now)
            self._care.tick(member, now)
        except Exception:  # whatever goes wrong with one of them, there are others
            log.exception("looking after a worker failed", worker=member.number)

    # Who comes.

    def expects(self, key: str) -> bool:
        """May a worker with this key come in? Each that was started has its own, one that joins by hand has none."""
        return not self._care.closing and (not key or key in self._starts)

    def enlist(self, key: str, pid: int, number: int, shared: Shared, *, threads: int) -> Member:
        """Take in a worker that has registered: one that was asked for, or one that was started by hand."""
        start = self._starts.pop(key, None)
        crew = start.squad.name if start is not None else ""
        member = Member(number, crew, pid, self.pool, shared, threads=threads, is_ours=start is not None)
        member.born = self._loop.time() if start is None else start.since
        return member

    def process_ended(self, pid: int, status: int | None) -> None:
        """A process that was started here has ended."""
        for key, start in list(self._starts.items()):
            if start.pid == pid:
                del self._starts[key]
                log.error("a worker's process has ended before it had registered", pid=pid, status=status)
                start.squad.ended(0.0, self._loop.time())
        self._care.process_ended(pid, status)

    def unfit(self, member: Member, reason: str) -> None:
        """A worker can't follow what is in force."""
        self._care.unfit(member, reason)

    def relieve(self, member: Member, reason: str) -> None:
        """A worker asks to be replaced."""
        self._renew(member, reason)

    def disconnected(self, member: Member, reason: str) -> None:
        """A worker's connection has ended."""
        self._care.disconnected(member, reason)

    def ready(self, member: Member) -> None:
        """A worker serves what is in force."""
        squad = self._squads[member.crew]
        member.ready_at = self._loop.time()
        took_ms = round(1000 * (member.ready_at - member.born))
        log.debug("a worker is ready", worker=member.number, pid=member.pid, took_ms=took_ms, **squad.named())
        squad.ready()
        if all(self._ready(squad) >= squad.size.least for squad in self._squads.values()):
            self.manned.set()

    def _man(self, squad: Squad, now: float) -> None:
        """Start a worker if one is missing, and let one go if there is one too many."""
        counted = [member for member in self._ours(squad) if member.state.counts]
        squad.load(self.pool.crews[squad.name].longest_wait_s(now), self._ready(squad), now)
        have = len(counted) + sum(start.squad is squad for start in self._starts.values())
        if squad.has_one_too_many(len(counted)):
            self._care.relieve(counted[-1], "it is not needed any more")
        while squad.wants_one(have, now):
            have += 1
            self._tasks.spawn("start", self._start(squad))

    async def _start(self, squad: Squad) -> None:
        key = secrets.token_hex(16)
        start = self._starts[key] = Start(squad, self._loop.time())
        try:
            start.pid = await self._start_process(key)
        except Exception as error:  # most likely an OSError; whatever it is, it is tried again
            self._starts.pop(key, None)
            self._cannot_start(squad, error)
        if self._care.closing:  # it was not known yet when the others were told to end
            self._kill(start.pid, KILL)

    def _cannot_start(self, squad: Squad, error: Exception) -> None:
        squad.ended(0.0, self._loop.time())
        is_replaced = isinstance(error, executable.Replaced)
        if not (is_replaced and self._has_told_replaced):  # that stays so until somebody does something about it
            log.error("a worker's process can't be started", error=str(error), **squad.named())
        self._has_told_replaced = is_replaced

    def _give_up_starts(self, now: float) -> None:
        for key, start in list(self._starts.items()):
            if start.pid and now - start.since > REGISTER_S:
                log.error("a worker's process does not register", pid=start.pid)
                del self._starts[key]
                self._kill(start.pid, KILL)
                start.squad.ended(0.0, now)

    # Who goes.

    def _leaves(self, member: Member) -> None:
        """A worker is to be replaced."""
        self._squads[member.crew].restarts += member.is_ours
        self._relieved.set()

    def _gone(self, member: Member, ready_s: float, *, was_wanted: bool) -> None:
        """A worker has ended."""
        squad = self._squads[member.crew]
        self._served += member.served
        self._renewals.pop(member, None)
        self._relieved.set()
        if member.is_ours and not was_wanted and not self._care.closing:
            squad.restarts += not member.reason
            if not (ready_s and member.is_explained):  # else the quarantine bounds it, or whoever kills knows why
                squad.ended(ready_s, self._loop.time())
        if not self.pool.members:
            self._empty.set()

    def _roll_one(self, squad: Squad) -> None:
        """Let the oldest one go as soon as there is one more than there should be."""
        if not squad.is_rolling:
            return
        old = [member for member in self._ours(squad) if member.is_old and member.state.counts]
        if old and self._ready(squad) > squad.target:
            oldest = old.pop(0)
            self._care.relieve(oldest, self._renewals.get(oldest, ALL))
        squad.is_rolling = bool(old)
        if not old:
            self.pool.changed(())  # what could not be loaded by those that have gone, for want of a library

    def _has_heir(self, member: Member) -> bool:
        """Is there another one in its place?"""
        squad = self._squads[member.crew]
        return self._ready(squad) >= squad.target

    def _ours(self, squad: Squad) -> list[Member]:
        return [member for member in self.pool.members if member.crew == squad.name and member.is_ours]

    def _ready(self, squad: Squad) -> int:
        return sum(member.state is State.READY for member in self._ours(squad))
