import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from plugsock.pool.committed import Entry
from plugsock.pool.crew import MOST_BYTES, MOST_WAITING, Crew
from plugsock.rpc.frames import Call

PLACES = 4


def entry(event):
    return Entry(event, "r1", "", False, False, False, "", 10.0, "a.py:1")


def call(sequence, event="a", payload=b""):
    return Call(sequence, event, "r1", 0, "s1", 0, 0, 32, "", "", "", payload)


class Places:
    """A worker with four places, of which one event takes at most half."""

    def __init__(self, name=""):
        self.name = name
        self.started = []
        self.running = []

    def has_room(self, entry):
        taken = sum(call.event == entry.event for call in self.running)
        return len(self.running) < PLACES and taken < PLACES // 2

    def start(self, call, entry, *, begun=0):
        assert self.has_room(entry)
        self.started.append((call.sequence, begun))
        self.running.append(call)

    @property
    def sequences(self):
        return [sequence for sequence, _ in self.started]


def full(*events):
    """A crew of one worker that is full, and these calls that wait, numbered from 1."""
    crew, worker = Crew(), Places()
    crew.enter(worker)
    worker.running = [call(0, "x"), call(0, "x"), call(0, "y"), call(0, "y")]
    for sequence, event in enumerate(events, 1):
        assert crew.pick(entry(event)) is None
        assert crew.wait(call(sequence, event), entry(event), 0.0)
    return crew, worker


def test_workers_take_turns():
    crew = Crew()
    for name in "abc":
        crew.enter(Places(name))

    assert [crew.pick(entry("a")).name for _ in range(6)] == ["b", "c", "a", "b", "c", "a"]


def test_one_that_has_no_room_is_left_out():
    crew = Crew()
    one, other = Places("one"), Places("other")
    crew.enter(one)
    crew.enter(other)
    one.running = [call(0)] * PLACES

    assert {crew.pick(entry("b")).name for _ in range(4)} == {"other"}


def test_one_that_has_left_gets_nothing_and_may_leave_twice():
    crew = Crew()
    one, other = Places("one"), Places("other")
    crew.enter(one)
    crew.enter(other)
    crew.enter(other)
    crew.leave(one)
    crew.leave(one)

    assert [crew.pick(entry("a")).name for _ in range(3)] == ["other"] * 3
    crew.leave(other)
    assert crew.pick(entry("a")) is None


@pytest.mark.fault("P16")
def test_one_event_does_not_get_all_places_and_leaves_room_for_others():
    crew, worker = Crew(), Places()
    crew.enter(worker)
    for sequence in range(1, 101):
        if crew.pick(entry("slow")) is not None:
            worker.start(call(sequence, "slow"), entry("slow"))
        else:
            assert crew.wait(call(sequence, "slow"), entry("slow"), 0.0)

    assert worker.sequences == [1, 2]
    assert crew.pick(entry("quick")) is worker


def test_a_call_does_not_overtake_those_of_its_event_that_wait():
    crew, worker = full("a")
    worker.running.clear()

    assert crew.pick(entry("a")) is None
    assert crew.pick(entry("b")) is worker


def test_whoever_enters_gets_what_waits():
    crew, _ = full("a", "b", "a")
    newcomer = Places()

    crew.enter(newcomer)

    assert newcomer.sequences == [1, 2, 3]
    assert not crew.waiting


def test_events_take_turns_in_the_queue_and_each_keeps_its_order():
    crew, worker = full("a", "a", "a", "b", "c", "b")
    for _ in range(6):
        worker.running = worker.running[1:]
        crew.feed(worker, 1)

    assert worker.sequences == [1, 4, 5, 2, 6, 3]


def test_as_many_as_it_is_told_to_at_most():
    crew, worker = full("a", "b", "c")
    worker.running.clear()

    crew.feed(worker, 2)

    assert worker.sequences == [1, 2]
    assert list(crew.waiting) == [3]


def test_an_event_without_room_does_not_stop_the_others():
    crew, worker = full("x", "a")
    worker.running = [call(0, "x"), call(0, "x")]

    crew.feed(worker)

    assert worker.sequences == [2]
    assert list(crew.waiting) == [1]


def test_that_it_is_the_second_try_is_not_forgotten():
    crew, worker = full()
    crew.wait(call(7), entry("a"), 0.0, begun=1)
    worker.running.clear()

    crew.feed(worker)

    assert worker.started == [(7, True)]


def test_one_that_was_dropped_never_starts():
    crew, worker = full("a", "a", "b")

    assert crew.drop(1)
    assert not crew.drop(1)
    assert not crew.drop(99)
    worker.running.clear()
    crew.feed(worker)

    assert worker.sequences == [2, 3]


@pytest.mark.fault("K9")
def test_no_more_wait_than_there_is_room_for():
    crew, _ = full(*itertools.repeat("a", MOST_WAITING))

    assert not crew.wait(call(0, "b"), entry("b"), 0.0)
    crew.drop(1)
    assert crew.wait(call(0, "b"), entry("b"), 0.0)


@pytest.mark.fault("K9")
def test_no_more_bytes_wait_than_there_is_room_for():
    crew, _ = full()
    half = bytes(MOST_BYTES // 2)
    for sequence in (1, 2):
        assert crew.wait(call(sequence, "a", half), entry("a"), 0.0)

    assert not crew.wait(call(3, "b", b"1"), entry("b"), 0.0)
    crew.drop(2)
    assert crew.wait(call(3, "b", b"1"), entry("b"), 0.0)


def test_how_long_the_oldest_has_waited():
    crew, _ = full()
    assert crew.longest_wait_s(5.0) == 0.0
    crew.wait(call(1), entry("a"), 1.0)
    crew.wait(call(2, "b"), entry("b"), 3.0)

    assert crew.longest_wait_s(5.0) == 4.0
    crew.drop(1)
    assert crew.longest_wait_s(5.0) == 2.0


def test_the_calls_of_some_events_are_taken_out():
    crew, worker = full("a", "b", "a", "c")

    assert [waiting.call.sequence for waiting in crew.take_all(["a", "c", "none"])] == [1, 3, 4]
    worker.running.clear()
    crew.feed(worker)
    assert worker.sequences == [2]


def test_what_is_dropped_while_others_are_taken_out_is_not_taken():
    crew, _ = full("a", "a", "a")
    taken = []
    for waiting in crew.take_all(["a"]):
        taken.append(waiting.call.sequence)
        crew.drop(2)

    assert taken == [1, 3]
    assert not crew.waiting


@given(st.lists(st.sampled_from("abcd"), min_size=1, max_size=40))
def test_while_an_event_waits_none_of_the_others_gets_two_turns(events):
    crew, worker = full(*events)
    served = []
    for _ in events:
        worker.running.clear()
        crew.feed(worker, 1)
        served.append(worker.running[-1].event)

    assert sorted(served) == sorted(events)
    for first, event in enumerate(served):
        until_next = served[first + 1 :]
        gap = until_next[: until_next.index(event)] if event in until_next else []
        assert all(gap.count(other) <= 1 for other in gap)


class AnyCrew(RuleBasedStateMachine):
    """Whatever is done to a crew, each call is in one place."""

    def __init__(self):
        super().__init__()
        self.crew = Crew()
        self.workers = []
        self.sequences = itertools.count(1)
        self.known = set()
        self.over = set()

    @rule(event=st.sampled_from("abc"), second=st.booleans())
    def call(self, event, second):
        sequence = next(self.sequences)
        made, its = call(sequence, event, bytes(sequence)), entry(event)
        worker = self.crew.pick(its)
        if worker is not None:
            assert worker in self.workers
            worker.start(made, its)
        else:
            assert self.crew.wait(made, its, float(sequence), begun=second)
        self.known.add(sequence)

    @rule()
    def enter(self):
        if len(self.workers) < 3:
            self.workers.append(Places())
            self.crew.enter(self.workers[-1])

    @rule(which=st.integers(0, 2))
    def leave(self, which):
        if which < len(self.workers):
            worker = self.workers.pop(which)
            self.crew.leave(worker)
            self.over.update(one.sequence for one in worker.running)

    @rule(which=st.integers(0, 2), most=st.integers(0, 3))
    def answer(self, which, most):
        if which < len(self.workers) and self.workers[which].running:
            self.over.add(self.workers[which].running.pop(0).sequence)
            self.crew.feed(self.workers[which], most)

    @rule(sequence=st.integers(1, 50))
    def drop(self, sequence):
        if self.crew.drop(sequence):
            self.over.add(sequence)

    @rule(events=st.sets(st.sampled_from("abc")))
    def take_all(self, events):
        taken = list(self.crew.take_all(events))
        assert {waiting.call.event for waiting in taken} <= events
        self.over.update(waiting.call.sequence for waiting in taken)

    @invariant()
    def each_call_is_in_one_place(self):
        running = [one.sequence for worker in self.workers for one in worker.running]
        everywhere = [*running, *self.crew.waiting, *self.over]
        assert sorted(everywhere) == sorted(self.known)

    @invariant()
    def what_it_counts_is_what_there_is(self):
        assert self.crew._bytes == sum(len(waiting.call.payload) for waiting in self.crew.waiting.values())
        assert sorted(itertools.chain(*self.crew._lines.values())) == sorted(self.crew.waiting)
        assert all(self.crew._lines.values())


TestAnyCrew = AnyCrew.TestCase
