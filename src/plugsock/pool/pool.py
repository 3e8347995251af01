"""Many workers as one: the link through which the gateway speaks, and the office to which all workers report.

    gateway ──▶ Pool ── who has room? ──▶ Member ── ProcessLink ──▶ worker
       ▲          │                          │
       └─ answers ┴── what has to wait ──────┘

`call` and `Member.answer` are the hot path; what they cost is measured in benchmarks/.
"""

import asyncio
from collections.abc import Collection, Iterable, Sequence, Sized
from typing import Final, Protocol

from plugsock.model import Problem
from plugsock.ops.log import get_logger
from plugsock.pool import refusals
from plugsock.pool.committed import Committed, Entry
from plugsock.pool.crew import MOST_WAITING, Crew
from plugsock.pool.documents import Documents
from plugsock.pool.member import Member, Running
from plugsock.pool.quarantine import Plug, Quarantine
from plugsock.pool.questions import Questions
from plugsock.pool.swaps import Swaps
from plugsock.rpc.admin import QUARANTINED
from plugsock.rpc.frames import ERROR, Call, SocketState
from plugsock.rpc.link import PoolSink

log = get_logger()

BUSY_MS: Final = 500
"""When to try again a call that the queue had no room for: a queue of quick calls is empty by then."""

MOST_AGAIN: Final = 3
"""How often an idempotent call is run anew: its worker may be killed by others more than once. One that kills its worker
itself is not."""

BARRED: Final = "it has ended several workers; change it, and it is tried again"


class Staff(Protocol):
    """Whoever looks after the workers."""

    def ready(self, member: Member) -> None:
        """It serves what is committed."""

    def unfit(self, member: Member, reason: str) -> None:
        """It can't follow what is committed."""

    def relieve(self, member: Member, reason: str) -> None:
        """It asks to be replaced."""

    def disconnected(self, member: Member, reason: str) -> None:
        """Its connection has ended."""

    def roll(self, reason: str) -> int:
        """All must be replaced."""


class Pool:
    """All workers.

    Args:
        sink: The gateway.
        crews: Names of the sets of workers; the one without a name is everybody else's.
        timeout_s: How long a call may take whose plug does not say otherwise.
        staff: Is told how the workers fare.

    Attributes:
        now: The loop's time, as exact as the supervisor's tick: to ask the clock for each call would cost more than it
            tells.
        running: Every call that a worker has, by the gateway's sequence.
        members: Every worker that has registered and has not gone.
        states: What is known of the sockets that are no strangers, or in a topic.
    """

    def __init__(
        self,
        sink: PoolSink,
        crews: Iterable[str],
        timeout_s: float,
        staff: Staff,
    ) -> None:
        self.now = asyncio.get_running_loop().time()
        self.sink = sink
        self.running: dict[int, Running] = {}
        self.members: list[Member] = []
        self.crews: dict[str, Crew[Member]] = {name: Crew() for name in crews}
        self.states: dict[str, SocketState] = {}
        self.committed = Committed(timeout_s)
        self.swaps = Swaps(sink, self.committed, self.members, ready=self._ready, unfit=staff.unfit, moved=self._moved)
        self._staff = staff
        self.staged, self.changed, self.retire = self.swaps.staged, self.swaps.changed, self.swaps.retire
        self.commit = self.swaps.commit
        self._questions = Questions(sink)
        self.ask, self.told = self._questions.ask, self._questions.told
        self._documents = Documents(sink, self.members)
        self.document, self.documented = self._documents.ask, self._documents.told
        self._quarantine = Quarantine()
        self._everyone = self.crews[""]
        self._entries = self.committed.entries
        self._keepers: dict[tuple[str, str], Running] = {}
        self._held: set[str] = set()
        self._msgpack = False

    # What the gateway says of calls.

    def call(self, call: Call) -> None:
        """See `rpc.link.Link`: hand it to a worker that has room, or let it wait for one."""
        entry = self._entries.get(call.event)
        if entry is None or entry.is_barred:
            self._turn_away(call, entry)
            return
        crew = self.crews.get(entry.crew, self._everyone)
        member = self._pick(call, entry) if call.order else crew.pick(entry)
        if member is not None:
            member.start(call, entry)
        elif not crew.wait(call, entry, self.now):
            self._refuse(call, refusals.overloaded(call, BUSY_MS))

    def cancel(self, sequence: int) -> None:
        """See `rpc.link.Link`."""
        running = self.running.get(sequence)
        if running is not None:
            running.member.cancel(running)
        elif any(crew.drop(sequence) for crew in self.crews.values()):
            self.sink.ended(sequence)

    def more(self, sequence: int, count: int) -> None:
        """See `rpc.link.Link`."""
        running = self.running.get(sequence)
        if running is not None:
            running.call.credit += count  # should it be run a second time
            running.member.link.more(running.serial, count)
            return
        for crew in self.crews.values():
            if (waiting := crew.waiting.get(sequence)) is not None:
                waiting.call.credit += count

    # What the gateway says of sockets.

    def socket(self, state: SocketState) -> None:
        """See `rpc.link.Link`: a worker hears of a socket with its first call, and of what changes about it."""
        if state.user is None and not state.topics and state.id not in self.states:
            return  # nobody knows anything of a stranger
        self.states[state.id] = state
        for member in self.members:
            if state.id in member.met:
                member.link.socket(state)

    def forget(self, socket: str) -> None:
        """See `rpc.link.Link`."""
        self.states.pop(socket, None)
        is_held = socket in self._held
        self._held.discard(socket)
        for member in self.members:
            if is_held or socket in member.met:
                member.met.discard(socket)
                member.link.forget(socket)

    def hold(self, socket: str, *, held: bool) -> None:
        """See `rpc.link.Link`."""
        (self._held.add if held else self._held.discard)(socket)
        for member in self.members:
            member.link.hold(socket, held=held)

    def formats(self, *, msgpack: bool) -> None:
        """See `rpc.link.Link`."""
        self._msgpack = msgpack
        for member in self.members:
            member.link.formats(msgpack=msgpack)

    # What the gateway says of the folder; `commit` and `retire` are those of `Swaps`.

    def look(self, paths: Sequence[str] = (), *, force: bool = False) -> None:
        """See `rpc.link.Link`."""
        (self.swaps.ask if force else self.swaps.changed)(paths)

    # What the supervisor says.

    def tick(self, now: float) -> None:
        """Time has passed."""
        self.now = now
        self.committed.pace()
        for crew in self.crews.values():
            if crew.waiting:  # a link may have come out of a jam, of which nobody is told
                self._feed(crew)
        self.swaps.tick()

    def enter(self, member: Member) -> None:
        """A worker has registered: bring it to what is committed."""
        self.members.append(member)
        if self._msgpack:
            member.link.formats(msgpack=True)
        for socket in self._held:
            member.link.hold(socket, held=True)
        self.swaps.bring_up(member)

    def pause(self, member: Member) -> None:
        """A worker gets no calls and has no vote, for now or for good."""
        self._crew_of(member).leave(member)
        self.swaps.left(member)

    def resume(self, member: Member) -> None:
        """It gets calls again."""
        self._crew_of(member).enter(member)

    def slow(self, member: Member) -> None:
        """It has not begun what it was given: it gets nothing more before that, but for each answer one from the line."""
        self._crew_of(member).leave(member)

    def has_others(self, member: Member) -> bool:
        """Is there anybody in its set who takes calls?"""
        return bool(self._crew_of(member).ring)

    def move(self, running: Running) -> None:
        """A worker has given a call back that it had not begun: another one gets it."""
        call = running.call
        if call.order:
            self._let_go(running)  # at once, or it would get it again
        if running.end_by is not None:
            self.sink.ended(call.sequence)
        elif not self._run_again(call, running.entry, begun=running.begun):
            self._refuse(call, refusals.overloaded(call, BUSY_MS))

    def remove(self, member: Member, culprits: Collection[int]) -> None:
        """A worker's process has ended: run its calls elsewhere as far as that can be done, answer the others.

        Args:
            member: The worker.
            culprits: Serials of the calls that are to blame; they are not run again.
        """
        self.members.remove(member)
        self.pause(member)
        self._questions.forget(member)
        self._documents.forget(member)
        for serial, running in list(member.open.items()):
            try:
                self._abandoned(running, may_run=serial not in culprits)
            except Exception:  # of whoever hears of it, who has others to hear of as well
                log.exception("a call of a worker that has ended can't be answered")
        member.open.clear()

    def accuse(self, blamed: set[Plug]) -> set[Plug]:
        """These were seen running when their worker died; those that are in quarantine from now on."""
        caught = self._quarantine.killed(blamed, self.now)
        for event, revision in caught:
            entry = self._entries.get(event)
            if entry is not None and entry.revision == revision:
                entry.is_barred = True
                for waiting in self.crews.get(entry.crew, self._everyone).take_all([event]):
                    self._refuse(waiting.call, refusals.quarantined(waiting.call))
        if caught:
            self.swaps.bar(self._barred())
        return caught

    # What the members say.

    def relieve(self, member: Member, reason: str) -> None:
        """A worker asks to be replaced."""
        self._staff.relieve(member, reason)

    def lost(self, member: Member, reason: str) -> None:
        """Its connection has ended."""
        self._staff.disconnected(member, reason)

    def outdated(self, reason: str) -> None:
        """Something has changed that only new processes can take over."""
        self._staff.roll(reason)

    def waiting(self, crew: str) -> Sized:
        """What waits for any of a set's workers."""
        return self.crews[crew].waiting

    def freed(self, member: Member) -> None:
        """A worker has ended a call."""
        crew = self._crew_of(member)
        if crew.waiting and member.votes:
            crew.feed(member, 1 if member.is_behind else MOST_WAITING)

    def introduce(self, member: Member, socket: str) -> None:
        """A worker is about to get a call of this socket: tell it who that is, once."""
        state = self.states.get(socket)
        if state is not None and socket not in member.met:
            member.met.add(socket)
            member.link.socket(state)

    def keep(self, running: Running) -> None:
        """Calls with the same key go to the same worker as long as there are any."""
        self._keepers[running.entry.event, running.call.order] = running

    def let_go(self, running: Running) -> None:
        """A call with a key has ended; the gateway hands out the next one, if there is one, before this turn is over."""
        asyncio.get_running_loop().call_soon(self._let_go, running)

    def _let_go(self, running: Running) -> None:
        key = running.entry.event, running.call.order
        if self._keepers.get(key) is running:
            del self._keepers[key]

    def _crew_of(self, member: Member) -> Crew[Member]:
        return self.crews[member.crew]

    def _pick(self, call: Call, entry: Entry) -> Member | None:
        """Who gets a call with a key: whoever has the one before it."""
        keeper = self._keepers.get((entry.event, call.order))
        if keeper is not None and keeper.member.votes and keeper.member.has_room(entry):
            return keeper.member
        return self.crews.get(entry.crew, self._everyone).pick(entry)

    def _turn_away(self, call: Call, entry: Entry | None) -> None:
        """Its event is not served, or in quarantine."""
        self._refuse(call, refusals.gone(call) if entry is None else refusals.quarantined(call))

    def _refuse(self, call: Call, payload: bytes) -> None:
        self.sink.answer(call.sequence, ERROR, payload, 0.0, None)

    def _ready(self, member: Member) -> None:
        if not member.is_silent:
            self.resume(member)
        self._staff.ready(member)

    def _abandoned(self, running: Running, *, may_run: bool) -> None:
        """The worker of a call has ended."""
        self.running.pop(running.call.sequence, None)
        if running.call.order:
            self.let_go(running)
        if running.end_by is not None:
            self.sink.ended(running.call.sequence)
        else:
            self._rescue(running, may_run=may_run)

    def _rescue(self, running: Running, *, may_run: bool) -> None:
        """Run a call elsewhere, or say that its worker was lost.

        One that had not begun is handed out anew, as often as that happens: its deadline bounds it. One that had begun
        is run anew if that does no harm, but not for ever.
        """
        call, idempotent = running.call, running.entry.idempotent
        started = running.member.has_started(running)
        is_harmless = idempotent and not running.has_spoken and running.begun < MOST_AGAIN
        if started and not (may_run and is_harmless):
            self._refuse(call, refusals.lost(call, started=True, idempotent=idempotent))
        elif not self._run_again(call, running.entry, begun=running.begun + started):
            self._refuse(call, refusals.lost(call, started=False, idempotent=idempotent))

    def _run_again(self, call: Call, before: Entry, *, begun: int) -> bool:
        """Hand out a call anew, on the revision in force now; False if nobody has room, not even the queue.

        Args:
            call: It has not begun, or may be run anew.
            before: The entry by which it was handed out the last time.
            begun: How often it has begun on workers that have ended.
        """
        entry = self._entries.get(call.event)
        if entry is None or entry.is_barred:
            self._turn_away(call, entry)
            return True
        if (entry.order, entry.requires) != (before.order, before.requires):
            self.sink.again(call.sequence)  # it is the gateway that keeps calls in order, and knows who may make them
            return True
        call.revision = entry.revision
        crew = self.crews.get(entry.crew, self._everyone)
        member = self._pick(call, entry) if call.order else crew.pick(entry)
        if member is None:
            return crew.wait(call, entry, self.now, begun=begun)
        member.start(call, entry, begun=begun)
        return True

    def _moved(self, events: list[str]) -> None:
        """A commit has changed these events: whatever waits takes the new revision, and nothing is in quarantine."""
        held = self._quarantine.events()
        for event in events:
            self._quarantine.free(event)
        if held != self._quarantine.events():
            self.swaps.bar(self._barred())
        for crew in self.crews.values():
            for waiting in crew.take_all(events):
                if not self._run_again(waiting.call, waiting.entry, begun=waiting.begun):
                    self._refuse(waiting.call, refusals.overloaded(waiting.call, BUSY_MS))
        for crew in self.crews.values():  # who waits for another kind of place now may have one
            self._feed(crew)

    def _feed(self, crew: Crew[Member]) -> None:
        for member in list(crew.ring):
            crew.feed(member)

    def _barred(self) -> list[Problem]:
        """What a person reads about the events in quarantine."""
        return [
            Problem(file, int(line), f"{QUARANTINED} {BARRED}", (entry.event,))
            for event in sorted(self._quarantine.events())
            if (entry := self._entries.get(event)) is not None and entry.is_barred
            for file, _, line in [entry.place.rpartition(":")]
        ]
