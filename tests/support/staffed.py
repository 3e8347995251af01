"""A pool whose workers are played by the test: what they are told is written down, what they say is what the test says."""

import asyncio
import itertools
from collections.abc import Sequence
from typing import Any

import pytest

from plugsock.model import JSON, Kind, Problem
from plugsock.pool.life import Event, State
from plugsock.pool.member import Member
from plugsock.pool.pool import Pool
from plugsock.pool.sizes import Size
from plugsock.pool.supervisor import Supervisor
from plugsock.rpc.frames import ERROR, OK, Call, File, Group, Reply, SocketState, Staged
from plugsock.rpc.page import STAGING, STARTED, THREADS, private, staging
from support.recording import RecordingSink
from support.scripted import announce

THREAD_PLACES = 4

NOBODY = 1 << 22
"""No process has a number beyond that, on Linux; signals that are sent there reach nobody."""


class Memory:
    """A page that nobody maps, with the words of `ops.shared.Shared`."""

    def __init__(self) -> None:
        self.view = private()
        self.has_path = True
        self.is_closed = False

    def forget_path(self) -> None:
        self.has_path = False

    def close(self) -> None:
        self.is_closed = True


class ScriptedProcessLink:
    """The link to a worker that does what the test says, with the words of `pool.link.ProcessLink`.

    Attributes:
        words: Everything it was told, in order, calls as `("call", serial)`.
        calls: Those that it has not answered, by serial.
    """

    def __init__(self) -> None:
        self.is_congested = False
        self.words: list[tuple] = []
        self.calls: dict[int, Call] = {}

    def call(self, call: Call, serial: int = 0) -> None:
        assert serial not in self.calls
        self.calls[serial] = call
        self.words.append(("call", serial))

    def cancel(self, sequence: int) -> None:
        self.words.append(("cancel", sequence))

    def more(self, sequence: int, count: int) -> None:
        self.words.append(("more", sequence, count))

    def hold(self, socket: str, *, held: bool) -> None:
        self.words.append(("hold" if held else "let flow", socket))

    def socket(self, state: SocketState) -> None:
        self.words.append(("socket", state.id, state.user))

    def forget(self, socket: str) -> None:
        self.words.append(("forget", socket))

    def formats(self, *, msgpack: bool) -> None:
        self.words.append(("formats", msgpack))

    def told(self, number: int, reply: Reply) -> None:
        self.words.append(("told", number, reply))

    def look(self, paths: Sequence[str] = (), *, force: bool = False, refused: Sequence[str] = ()) -> None:
        self.words.append(
            ("look", *paths, *(["force"] if force else []), *(f"without {group.lstrip('0')}" for group in refused))
        )

    def restore(self, files: Sequence[File]) -> None:
        self.words.append(("restore", *(file.module for file in files)))

    def adopt(
        self, files: Sequence[File], gone: Sequence[str], *, force: bool = False, refused: Sequence[str] = ()
    ) -> None:
        self.words.append(
            (
                "adopt",
                *(file.module for file in files),
                *(f"no {module}" for module in gone),
                *(["force"] if force else []),
                *(f"without {group.lstrip('0')}" for group in refused),
            )
        )

    def commit(self, stage: int, groups: Sequence[str], held: Sequence[str] | None = None) -> None:
        self.words.append(("commit", stage, list(groups), None if held is None else list(held)))

    def retire(self, stage: int) -> None:
        self.words.append(("retire", stage))

    def document(self, number: int, name: str, url: str) -> None:
        self.words.append(("document", number, name, url))

    def stop(self) -> None:
        self.words.append(("stop",))

    def close(self) -> None:
        self.words.append(("close",))


class Stats:
    """What the system says of its process, with the words of `pool.vitals.Vitals`."""

    def __init__(self) -> None:
        self.cpu = 0.0
        self.bytes = 1 << 20
        self.stopped = False
        self.asleep = False

    def cpu_s(self) -> float:
        return self.cpu

    def memory(self) -> int:
        return self.bytes

    def is_stopped(self) -> bool:
        return self.stopped

    def is_asleep(self) -> bool:
        return self.asleep


class Worker:
    """A worker that has registered; what it says arrives at once."""

    def __init__(self, member: Member, memory: Memory, pool: Pool) -> None:
        self.member = member
        self.memory = memory
        self.link = ScriptedProcessLink()
        self.stats = Stats()
        self._pool = pool
        self.places = member._free.copy()
        """Of each kind, when it has none of them taken."""
        self._stages = itertools.count(1)
        member.link = self.link  # type: ignore[assignment]
        member.vitals = self.stats  # type: ignore[assignment]

    @property
    def state(self) -> State:
        return self.member.state

    @property
    def calls(self) -> dict[int, Call]:
        return self.link.calls

    @property
    def events(self) -> list[str]:
        """Of the calls that it has, in the order in which it got them."""
        return [call.event for call in self.calls.values()]

    def heard(self) -> list[tuple]:
        """What it was told since this was asked the last time."""
        words, self.link.words = self.link.words, []
        return words

    def begin(self, serial: int | None = None, *, thread: int | None = None) -> int:
        """Make a call's first step: of that one, or of the last that it got."""
        serial = max(self.calls) if serial is None else serial
        self.memory.view[STARTED] = max(serial, self.memory.view[STARTED])
        if thread is not None:
            self.memory.view[THREADS + 2 * thread] = self.memory.view[THREADS + 2 * thread + 1] = serial
        return serial

    def import_group(self, group: str) -> None:
        """Execute its modules: as far as that."""
        self.memory.view[STAGING] = staging(group)

    def answer(self, serial: int | None = None, payload: bytes = b"1", *, status: int = OK) -> None:
        """Answer a call: that one, or the one that it has had for the longest time."""
        serial = min(self.calls) if serial is None else serial
        self.calls.pop(serial, None)
        self.member.answer(serial, status, payload, 0.001, None)

    def end(self, serial: int | None = None) -> None:
        """Say that a run has ended whose call was ended before."""
        serial = min(self.calls) if serial is None else serial
        self.calls.pop(serial, None)
        self.member.ended(serial)

    def stage(self, *groups: Group, problems: Sequence[Problem] = ()) -> int:
        """Say what it has found in the folder."""
        stage = next(self._stages)
        found = sorted({*problems, *(problem for group in groups for problem in group.problems)})
        self.memory.view[STAGING] = 0
        self.member.staged(Staged(stage, list(groups), found))
        return stage

    def catch_up(self) -> None:
        """Stage all that it was told to restore."""
        events = [announce(event, entry.revision) for event, entry in self._pool.committed.entries.items()]
        gone = [event for event in self.member.serving if event not in self._pool.committed.entries]
        self.stage(Group("restored", events, gone, []))


class RecordingStaff:
    """Whoever looks after the workers: writes down what is asked for, and does no more than that."""

    def __init__(self) -> None:
        self.asked: list[tuple] = []

    def ready(self, member: Member) -> None:
        self.asked.append(("ready", member.number))

    def unfit(self, member: Member, reason: str) -> None:
        self.asked.append(("unfit", member.number, reason))

    def relieve(self, member: Member, reason: str) -> None:
        self.asked.append(("relieve", member.number, reason))

    def disconnected(self, member: Member, reason: str) -> None:
        self.asked.append(("disconnected", member.number, reason))

    def roll(self, reason: str) -> int:
        self.asked.append(("roll", reason))
        return 0


class Workplace:
    """A pool between a gateway that puts all in force that it can, and workers of the test; needs a running loop."""

    def __init__(self, *crews: str) -> None:
        self.sink = RecordingSink()
        self.staff = RecordingStaff()
        self.pool = self.open(crews)
        self.sink.link = self.pool
        self.workers: dict[Member, Worker] = {}
        self._numbers = itertools.count(1)
        self._sequences = itertools.count(1)
        self._looks = itertools.count(1)

    def open(self, crews: Sequence[str]) -> Pool:
        return Pool(self.sink, ["", *crews], 10.0, self.staff)

    def join(self, crew: str = "", threads: int = THREAD_PLACES) -> Worker:
        """Let a worker register."""
        number = next(self._numbers)
        memory = Memory()
        member = Member(number, crew, NOBODY + number, self.pool, memory, threads=threads, is_ours=True)  # type: ignore[arg-type]
        return self.enter(member, memory)

    def enter(self, member: Member, memory: Memory) -> Worker:
        worker = self.workers[member] = Worker(member, memory, self.pool)
        self.pool.enter(member)
        return worker

    def hire(self, crew: str = "", threads: int = THREAD_PLACES) -> Worker:
        """Let a worker register and serve what is in force."""
        worker = self.join(crew, threads)
        worker.catch_up()
        worker.heard()
        return worker

    def serve(self, *events: object) -> None:
        """Put these events in force on all workers that vote."""
        group = Group(f"{next(self._looks):016x}", list(events), [], [])
        workers = self.ready()
        self.pool.changed(())
        for worker in workers:
            worker.stage(group)
        for worker in workers:
            worker.heard()

    def ready(self) -> list[Worker]:
        """The workers that vote."""
        return [self.workers[member] for member in self.pool.members if member.votes]

    def call(self, event: str, payload: bytes = b"", *, socket: str = "s1", order: str = "", credit: int = 32) -> int:
        """Make a call as the gateway would; its sequence."""
        sequence = next(self._sequences)
        entry = self.pool.committed.entries.get(event)
        revision = entry.revision if entry is not None else "r0"
        self.pool.call(Call(sequence, event, revision, JSON, socket, 0, 0, credit, "", "", order, payload))
        return sequence

    def bury(self, worker: Worker, *culprits: int) -> None:
        """A worker's process has ended."""
        worker.member.fire(Event.LOST)
        self.pool.remove(worker.member, set(culprits))

    def ends(self, sequence: int) -> list[str]:
        """What the gateway was told of the end of a call: `ok`, the code of an error, or `ended`."""
        ends = []
        for said in self.sink.said:
            if getattr(said, "sequence", None) == sequence:
                name = type(said).__name__
                if name == "Answer":
                    ends.append("ok" if said.status != ERROR else said.code)
                elif name == "Ended":
                    ends.append("ended")
        return ends


class Company(Workplace):
    """The same with a supervisor, who starts processes that come to life when the test says so.

    Its clock stands still but for `wait`: it is the loop's, so that everything that is to happen later happens then.

    Attributes:
        started: Keys of the processes that were asked for and have not registered, by pid.
        kills: The signals that were sent, as (number of the worker, number of the signal); 0 for who has none.
        kills_by_number: Those of them that went to whatever process has the number.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **more: Any) -> None:
        self._settings = {"sizes": {"": Size(1, 1)}, "max_calls": 0, "max_memory": 0, **more}
        self._loop = asyncio.get_running_loop()
        self._now = self._loop.time()
        self.started: dict[int, str] = {}
        self.kills: list[tuple[int, int]] = []
        self.kills_by_number: list[tuple[int, int]] = []
        self._processes: set[int] = set()
        self.fails: Exception | None = None
        self._pids = itertools.count(NOBODY + 1000)
        monkeypatch.setattr(self._loop, "time", lambda: self._now, raising=False)
        monkeypatch.setattr("plugsock.pool.care.os.kill", self._kill_by_number)
        super().__init__()

    def open(self, crews: Sequence[str]) -> Pool:
        self.supervisor = Supervisor(
            self.sink, start=self._start, kill=self._kill_ours, timeout_s=10.0, **self._settings
        )
        return self.supervisor.pool

    async def wait(self, seconds: float = 0.0, *, step: float = 0.05, beat: bool = True) -> None:
        """Let time pass; all workers say all the while that they are well, unless it is told otherwise."""
        until = self._now + seconds
        while True:
            self._now = min(until, self._now + step)
            await turn()
            if beat:
                self.beat()
            self.supervisor.tick(self._now)
            await turn()
            if self._now >= until:
                return

    def beat(self, *workers: Worker) -> None:
        for worker in workers or tuple(self.workers.values()):
            worker.member.health.beat(self._now, 0.0)

    async def register(self, pid: int | None = None) -> Worker:
        """Let a process that was started register: that one, or the oldest."""
        pid = next(iter(self.started)) if pid is None else pid
        key = self.started.pop(pid)
        assert self.supervisor.expects(key)
        return self._enlist(key, pid)

    def by_hand(self) -> Worker:
        """Let a worker register that somebody has started by hand."""
        assert self.supervisor.expects("")
        return self._enlist("", next(self._pids))

    async def man(self, count: int = 1, *events: object) -> list[Worker]:
        """Wait until so many workers are there and ready, and put these events in force."""
        workers = []
        for _ in range(count):
            while not self.started:
                await self.wait(0.05)
            worker = await self.register()
            worker.catch_up()
            workers.append(worker)
        self.serve(
            *(events or [announce("quick"), announce("safe", idempotent=True), announce("feed", kind=Kind.STREAM)])
        )
        return workers

    def die(self, worker: Worker, status: int | None = -9) -> None:
        """Its process has ended, and so has its connection."""
        self.supervisor.process_ended(worker.member.pid, status)
        worker.member.lost(None)

    def _enlist(self, key: str, pid: int) -> Worker:
        memory = Memory()
        number = next(self._numbers)
        member = self.supervisor.enlist(key, pid, number, memory, threads=THREAD_PLACES)  # type: ignore[arg-type]
        return self.enter(member, memory)

    async def _start(self, key: str) -> int:
        if self.fails is not None:
            raise self.fails
        pid = next(self._pids)
        self.started[pid] = key
        self._processes.add(pid)
        return pid

    def _kill_ours(self, pid: int, number: int) -> None:
        if pid in self._processes:
            self._kill(pid, number)

    def _kill_by_number(self, pid: int, number: int) -> None:
        self._kill(pid, number)
        self.kills_by_number.append(self.kills[-1])

    def _kill(self, pid: int, number: int) -> None:
        found = [member.number for member in self.workers if member.pid == pid]
        self.kills.append((found[0] if found else 0, number))


async def turn() -> None:
    """Let the loop do what it was asked to do soon."""
    await asyncio.sleep(0)
    await asyncio.sleep(0)
