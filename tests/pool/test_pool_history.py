"""Everything at once."""

import asyncio
import itertools

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from plugsock.model import JSON, Kind
from plugsock.pool import swaps
from plugsock.pool.life import Event, State
from plugsock.rpc.frames import Call, Group, Staged
from support.recording import Answer, Ended
from support.scripted import announce
from support.staffed import Workplace, turn

EVENTS = {
    "quick": {},
    "safe": {"idempotent": True},
    "plain": {"in_thread": True},
    "feed": {"kind": Kind.STREAM, "idempotent": True},
}


class AnyHistory(RuleBasedStateMachine):
    """Whatever happens to workers, calls and plugs: each call has one end, and all that was taken comes back.

    The machine is the gateway: it ends calls, puts in force what is staged, and retires what nobody runs any more.
    """

    now = staticmethod(swaps._now)

    def __init__(self):
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.do(self.open)
        self.do(self.join)
        self.do(self.catch_up, 0)
        self.do(self.save, *EVENTS)
        self.do(self.look, 0)

    def do(self, step, *args):
        async def run():
            step(*args)
            await turn()
            for worker in self.members():
                self.follow(worker)

        self.loop.run_until_complete(run())

    def open(self):
        self.place = Workplace()
        self.place.sink.link = None
        self.place.sink.hear = self.hear
        self.pool = self.place.pool
        self.sequences = itertools.count(1)
        self.revisions = dict.fromkeys(EVENTS, 1)
        self.calls = {}
        self.ends = {}
        self.cancelled = set()
        self.serving = {}
        self.staged = {}
        self.looks = {}
        self.restoring = {}
        self.ending = set()
        swaps._now = lambda: self.pool.now

    def hear(self, said):
        if isinstance(said, Answer | Ended):
            assert said.sequence in self.calls
            assert said.sequence not in self.ends
            assert isinstance(said, Ended) == (said.sequence in self.cancelled)
            self.ends[said.sequence] = said
        elif isinstance(said, Staged):
            self.pool.commit(said.stage, [group.id for group in said.groups if not group.problems])

    # The folder: of each event a file with a number in it.

    def groups(self, worker):
        serving = self.serving[worker.member.number]
        return [
            Group(f"{event}{number}".encode().hex()[:16].ljust(16, "0"), [self.announced(event, number)], [], [],
                  modules=[event])
            for event, number in self.revisions.items()
            if serving.get(event) != f"r{number}"
        ]  # fmt: skip

    def announced(self, event, number):
        return announce(event, f"r{number}", **EVENTS[event])

    def follow(self, worker):
        """Take over what it was told to, and check what it is asked for."""
        number = worker.member.number
        for words in worker.heard():
            if words[0] in {"look", "adopt"}:
                self.looks[number] = self.looks.get(number, 0) + 1
            elif words[0] == "restore":
                self.restoring[number] = dict(self.pool.committed.revisions)
            elif words[0] == "cancel":
                self.ending.add((number, words[1]))
            elif words[0] == "commit":
                staged = self.staged.get((number, words[1]), {})
                self.serving[number].update({event: r for id, (event, r) in staged.items() if id in words[2]})
            elif words[0] == "call":
                call = worker.calls.get(words[1])
                if call is not None:
                    assert self.serving[number].get(call.event) == call.revision

    # What happens.

    def members(self):
        return [self.place.workers[member] for member in self.pool.members]

    def some(self, which):
        workers = self.members()
        return workers[which % len(workers)] if workers else None

    def join(self):
        worker = self.place.join()
        self.serving[worker.member.number] = {}

    def catch_up(self, which):
        worker = self.some(which)
        if worker is not None and worker.member.number in self.restoring:
            revisions = self.restoring.pop(worker.member.number)
            self.serving[worker.member.number] = revisions
            events = [announce(event, revision, **EVENTS[event]) for event, revision in revisions.items()]
            worker.stage(Group("restored", events, [], []))

    def save(self, *events):
        for event in events:
            self.revisions[event] += 1
            self.pool.changed([f"{event}.py"])

    def look(self, which):
        worker = self.some(which)
        if worker is None:
            return
        number = worker.member.number
        if self.looks.get(number):
            self.looks[number] -= 1
            groups = self.groups(worker)
            stage = worker._stages
            following = next(stage)
            worker._stages = itertools.chain([following], stage)
            self.staged[number, following] = {
                group.id: (group.events[0].event, group.events[0].revision) for group in groups
            }
            worker.stage(*groups)

    @rule()
    def a_worker_joins(self):
        if len(self.pool.members) < 3:
            self.do(self.join)

    @rule(which=st.integers(0, 2))
    def one_catches_up(self, which):
        self.do(self.catch_up, which)

    @rule(event=st.sampled_from(sorted(EVENTS)), count=st.integers(1, 70))
    def calls_are_made(self, event, count):
        def step():
            for _ in range(count):
                self.call(event)

        self.do(step)

    @rule(event=st.sampled_from(sorted(EVENTS)))
    def a_call_with_a_key_is_made(self, event):
        def step():
            if not any(call.order and call.event == event for call in self.open_calls()):
                self.call(event, "k")

        self.do(step)

    def open_calls(self):
        return [call for sequence, call in self.calls.items() if sequence not in self.ends]

    def call(self, event, key=""):
        entry = self.pool.committed.entries.get(event)
        if entry is not None:
            sequence = next(self.sequences)
            call = Call(sequence, event, entry.revision, JSON, "s1", 0, 0, 32, "", "", key, b"")
            self.calls[sequence] = call
            self.pool.call(call)

    @rule(which=st.integers(0, 30))
    def a_call_is_ended(self, which):
        def step():
            waiting = [call.sequence for call in self.open_calls() if call.sequence not in self.cancelled]
            if waiting:
                sequence = waiting[which % len(waiting)]
                self.cancelled.add(sequence)
                self.pool.cancel(sequence)

        self.do(step)

    @rule(which=st.integers(0, 2), nth=st.integers(0, 30), says=st.sampled_from(["begin", "item", "answer"]))
    def a_worker_goes_on(self, which, nth, says):
        def step():
            worker = self.some(which)
            if worker is None or not worker.calls:
                return
            serial = sorted(worker.calls)[nth % len(worker.calls)]
            if says == "begin":
                worker.begin(serial, thread=0)
            elif says == "item":
                if worker.calls[serial].event == "feed":
                    worker.member.item(serial, b"1")
            else:
                worker.answer(serial)

        self.do(step)

    @rule(which=st.integers(0, 2))
    def a_worker_ends_what_it_was_told_to(self, which):
        def step():
            worker = self.some(which)
            for serial in list(worker.calls) if worker is not None else ():
                if (worker.member.number, serial) in self.ending:
                    worker.end(serial)

        self.do(step)

    @rule(which=st.integers(0, 2), blamed=st.booleans())
    def a_worker_dies(self, which, blamed):
        def step():
            worker = self.some(which)
            if worker is not None:
                culprits = [max(worker.calls)] if blamed and worker.calls else []
                self.place.bury(worker, *culprits)

        self.do(step)

    @rule(which=st.integers(0, 2), silent=st.booleans())
    def a_worker_falls_silent_or_is_heard_again(self, which, silent):
        def step():
            worker = self.some(which)
            if worker is None or worker.state is not State.READY or worker.member.is_silent == silent:
                return
            worker.member.is_silent = silent
            if silent:
                self.pool.pause(worker.member)
            elif worker.member.version == self.pool.committed.version:
                self.pool.resume(worker.member)
            else:
                self.drain(worker)

        self.do(step)

    def drain(self, worker):
        worker.member.fire(Event.RELIEVED)
        self.pool.pause(worker.member)

    @rule(which=st.integers(0, 2))
    def a_worker_is_relieved(self, which):
        def step():
            worker = self.some(which)
            if worker is not None and worker.state is State.READY:
                self.drain(worker)

        self.do(step)

    @rule(event=st.sampled_from(sorted(EVENTS)))
    def a_file_is_saved(self, event):
        self.do(self.save, event)

    @rule(which=st.integers(0, 2))
    def a_worker_looks(self, which):
        self.do(self.look, which)

    @rule()
    def all_look(self):
        for which in (0, 1, 2, 0, 1, 2):
            self.do(self.look, which)

    @rule(seconds=st.sampled_from([0.05, 3.0]))
    def time_passes(self, seconds):
        def step():
            for what, number, *_ in self.place.staff.asked:
                if what == "unfit":
                    for worker in self.members():
                        if worker.member.number == number and worker.state is State.READY:
                            self.drain(worker)
            self.place.staff.asked.clear()
            self.pool.tick(self.pool.now + seconds)

        self.do(step)

    # What holds at any time.

    @invariant()
    def each_call_is_in_one_place_until_it_has_ended(self):
        waiting = self.pool.crews[""].waiting
        assert sorted([*self.pool.running, *waiting, *self.ends]) == sorted(self.calls)

    @invariant()
    def what_is_taken_is_what_runs(self):
        runs = {}
        for worker in self.members():
            member = worker.member
            open_calls = list(member.open.values())
            for kind, places in enumerate(worker.places):
                assert member._free[kind] + sum(one.kind == kind for one in open_calls) == places
            assert sum(member._taken.values()) == len(open_calls)
            runs.update({one.call.sequence: one for one in open_calls})
        assert runs == self.pool.running

    @invariant()
    def nobody_waits_where_there_is_room(self):
        waiting = self.pool.crews[""].waiting.values()
        for member in self.pool.crews[""].ring:
            assert member.state is State.READY
            assert not any(member.has_room(one.entry) for one in waiting)

    def teardown(self):
        self.do(self.join)
        while set(self.calls) - set(self.ends):
            self.do(self.finish)
        swaps._now = self.now
        assert sorted(self.ends) == sorted(self.calls)
        assert not self.pool.running
        assert not self.pool.crews[""].waiting
        assert not self.pool._keepers
        self.loop.close()

    def finish(self):
        for which, worker in enumerate(self.members()):
            self.catch_up(which)
            self.look(which)
            while worker.calls:
                worker.answer()


AnyHistory.TestCase.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)
TestAnyHistory = AnyHistory.TestCase
