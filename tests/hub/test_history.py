"""What was missed on a topic: all of it, or the plain word that it is gone."""

import re

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from plugsock.hub import history as module
from plugsock.hub.history import OVERHEAD, Histories
from plugsock.model import TopicRule


def keeping(histories, topic="room", number=10, ttl_s=60.0, now=0.0):
    return histories.open(topic, TopicRule("*", history=number, ttl_s=ttl_s), now)


def push(histories, history, now=0.0, payload=b"1", msgpack=None):
    histories.add(history, b"news", payload, msgpack, (), now)
    return f"{history.epoch}.{history.offset}"


def offsets(missed):
    return None if missed is None else [kept.offset for kept in missed]


def test_who_comes_back_gets_what_was_pushed_since():
    histories = Histories()
    history = keeping(histories)
    start = f"{history.epoch}.0"
    positions = [push(histories, history) for _ in range(3)]
    assert offsets(histories.since(history, start, 0.0)) == [1, 2, 3]
    assert [offsets(histories.since(history, at, 0.0)) for at in positions] == [[2, 3], [3], []]


@pytest.mark.parametrize(
    "at", ["", ".", "x", "1", "other.1", "{}.", "{}.4", "{}.-1", "{}.1.1", "{}.²", "{}." + "0" * 17]
)
def test_what_is_no_position_of_this_history_is_never_recovered(at):
    histories = Histories()
    history = keeping(histories)
    for _ in range(3):
        push(histories, history)
    assert histories.since(history, at.replace("{}", history.epoch), 0.0) is None


def test_epochs_are_short_and_differ():
    histories = Histories()
    epochs = {keeping(histories).epoch for _ in range(100)}
    assert len(epochs) == 100
    assert all(re.fullmatch("[A-Za-z0-9]{8}", epoch) for epoch in epochs)


@pytest.mark.fault("R11")
def test_only_so_many_are_kept():
    histories = Histories()
    history = keeping(histories, number=2)
    positions = [push(histories, history) for _ in range(4)]
    assert [offsets(histories.since(history, at, 0.0)) for at in positions] == [None, [3, 4], [4], []]


@pytest.mark.fault("R11")
def test_and_only_for_so_long():
    histories = Histories()
    history = keeping(histories, ttl_s=10.0)
    first, second = push(histories, history, 0.0), push(histories, history, 5.0)
    start = f"{history.epoch}.0"
    assert offsets(histories.since(history, start, 9.9)) == [1, 2]
    assert offsets(histories.since(history, start, 10.0)) is None
    assert offsets(histories.since(history, first, 10.0)) == [2]
    assert offsets(histories.since(history, second, 99.0)) == []


@pytest.mark.fault("R11")
def test_and_only_so_many_bytes_of_a_topic(monkeypatch):
    monkeypatch.setattr(module, "MAX_TOPIC_BYTES", 3 * (OVERHEAD + 4 + 100))
    histories = Histories()
    history = keeping(histories)
    for _ in range(5):
        last = push(histories, history, payload=b"x" * 100)
    assert len(history) == 3
    push(histories, history, payload=b"x" * 60, msgpack=b"y" * 41)
    assert len(history) == 2
    push(histories, history, payload=b"x" * 1000)
    assert (len(history), histories.bytes) == (0, 0), "what is larger than that is not kept at all"
    assert histories.since(history, last, 0.0) is None


@pytest.mark.fault("R11")
def test_of_all_topics_the_oldest_makes_room(monkeypatch):
    monkeypatch.setattr(module, "MAX_BYTES", 3 * (OVERHEAD + 4 + 100))
    histories = Histories()
    one, other = keeping(histories, "one"), keeping(histories, "other")
    push(histories, one, payload=b"x" * 100)
    push(histories, other, payload=b"x" * 100)
    push(histories, one, payload=b"x" * 100)
    push(histories, one, payload=b"x" * 100)
    assert (len(one), len(other)) == (2, 1)
    push(histories, one, payload=b"x" * 100)
    assert (len(one), len(other)) == (3, 0)


@pytest.mark.fault("R11")
def test_the_sweep_says_what_has_been_quiet_for_so_long():
    histories = Histories()
    history = keeping(histories, ttl_s=10.0)
    assert not histories, "nothing was pushed, so there is nothing to miss"
    push(histories, history, 1.0)
    assert histories.sweep(10.9) == []
    assert histories.rest(history, 10.9)
    assert histories.sweep(11.0) == []
    assert len(history) == 0
    assert histories.sweep(20.8) == []
    assert histories.sweep(20.9) == ["room"]
    assert not histories


def test_a_history_before_its_first_push_does_not_go_on_by_itself():
    histories = Histories()
    assert not histories.rest(keeping(histories), 0.0)


@pytest.mark.fault("R4")
def test_joining_and_leaving_over_and_over_costs_nothing():
    histories = Histories()
    history = keeping(histories, ttl_s=1000.0)
    push(histories, history)
    for moment in range(100):
        histories.rest(history, float(moment))
    assert len(histories._agenda) == 1


def test_a_rule_that_keeps_less_counts_at_once():
    histories = Histories()
    history = keeping(histories, ttl_s=100.0)
    for moment in range(5):
        push(histories, history, float(moment))
    histories.bound(history, TopicRule("*", history=3, ttl_s=100.0), 5.0)
    assert len(history) == 3
    histories.bound(history, TopicRule("*", history=3, ttl_s=2.0), 5.0)
    assert len(history) == 1
    assert histories.sweep(6.0) == ["room"]


def test_what_is_dropped_takes_nothing():
    histories = Histories()
    history = keeping(histories)
    push(histories, history)
    histories.drop(history)
    assert (histories.bytes, histories.sweep(1000.0), bool(histories)) == (0, [], False)


class Memory(RuleBasedStateMachine):
    """Whoever comes back gets exactly what was pushed since, or is told that it can't be; no topic takes too much."""

    positions = Bundle("positions")

    def __init__(self):
        super().__init__()
        self.now = 0.0
        self.histories = Histories()
        self.bounds = {"a": TopicRule("a", history=3, ttl_s=5.0), "b": TopicRule("b", history=100, ttl_s=50.0)}
        self.open = {name: self.histories.open(name, bound, 0.0) for name, bound in self.bounds.items()}
        self.pushed = {name: [] for name in self.open}

    @rule(target=positions, name=st.sampled_from("ab"), size=st.integers(0, 3000))
    def publish(self, name, size):
        payload = b"%d" % len(self.pushed[name]) + b" " * size
        self.pushed[name].append((self.now, payload))
        return name, len(self.pushed[name]), push(self.histories, self.open[name], self.now, payload)

    @rule(seconds=st.floats(0.0, 6.0))
    def wait(self, seconds):
        self.now += seconds

    @rule()
    def sweep(self):
        self.histories.sweep(self.now)

    @rule(name=st.sampled_from("ab"), number=st.integers(1, 10), ttl_s=st.floats(1.0, 10.0))
    def swap(self, name, number, ttl_s):
        self.bounds[name] = TopicRule(name, history=number, ttl_s=ttl_s)
        self.histories.bound(self.open[name], self.bounds[name], self.now)

    @rule(position=positions)
    def come_back(self, position):
        name, offset, at = position
        missed = self.histories.since(self.open[name], at, self.now)
        expected = self.pushed[name][offset:]
        if missed is not None:
            assert [kept.json for kept in missed] == [payload for _, payload in expected]
            assert all(self.now - kept.at_s < self.bounds[name].ttl_s for kept in missed)
        else:
            assert expected, "who was there until the end has missed nothing"

    @invariant()
    def bounded(self):
        kept = [history._kept for history in self.open.values()]
        assert self.histories.bytes == sum(each.size for pushes in kept for each in pushes) <= 20_000
        assert len(self.histories._order) == sum(map(len, kept))
        assert all(len(self.open[name]) <= bound.history for name, bound in self.bounds.items())


@pytest.fixture(autouse=True)
def _small(request, monkeypatch):
    if request.cls is not None:
        monkeypatch.setattr(module, "MAX_TOPIC_BYTES", 12_000)
        monkeypatch.setattr(module, "MAX_BYTES", 20_000)


TestMemory = Memory.TestCase
TestMemory.settings = settings(deadline=None, max_examples=60)
