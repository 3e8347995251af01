"""Deadlines without a timer a call."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from plugsock.gateway.deadlines import TICK_S, Deadlines


@dataclass
class Timed:
    sequence: int
    started: float


@given(st.lists(st.tuples(st.sampled_from([0.1, 1.0, 30.0]), st.floats(0, 60)), max_size=30), st.floats(0, 100))
def test_exactly_what_is_over_is_due(calls, now):
    deadlines: Deadlines[Timed] = Deadlines()
    for sequence, (timeout_s, started) in enumerate(sorted(calls, key=lambda call: call[1])):
        deadlines.lane(timeout_s).open[sequence] = Timed(sequence, started)
    due, again = deadlines.due(now)
    over = {s for s, (t, started) in enumerate(sorted(calls, key=lambda call: call[1])) if started + t <= now}
    assert {timed.sequence for timed in due} == over
    assert now <= again <= now + TICK_S


def test_the_next_look_is_in_time_for_the_next_deadline():
    deadlines: Deadlines[Timed] = Deadlines()
    deadlines.lane(1.0).open[1] = Timed(1, 10.0)
    assert deadlines.due(10.98) == ([], 11.0)
    assert deadlines.due(10.5) == ([], 10.5 + TICK_S)


def test_a_restarted_deadline_counts_anew_and_behind_the_others():
    deadlines: Deadlines[Timed] = Deadlines()
    lane = deadlines.lane(1.0)
    first, second = Timed(1, 0.0), Timed(2, 0.5)
    lane.open = {1: first, 2: second}
    lane.restart(first, 0.9)
    assert list(lane.open) == [2, 1]
    assert deadlines.due(1.6)[0] == [second]


def test_a_client_may_only_shorten():
    deadlines: Deadlines[Timed] = Deadlines()
    lane = deadlines.lane(1.0)
    assert deadlines.shorter(lane, 5.0) is lane
    assert deadlines.shorter(lane, 0.12).timeout_s == 3 * TICK_S
    assert deadlines.shorter(lane, 0.12) is deadlines.shorter(lane, 0.15)


def test_deadlines_are_true_while_anything_is_open():
    deadlines: Deadlines[Timed] = Deadlines()
    lane = deadlines.lane(1.0)
    assert not deadlines
    lane.open[1] = Timed(1, 0.0)
    assert deadlines


def test_there_are_few_different_deadlines_whatever_clients_ask_for():
    deadlines: Deadlines[Timed] = Deadlines()
    lane = deadlines.lane(86_400.0)
    lanes = {deadlines.shorter(lane, hundredths / 100).timeout_s for hundredths in range(1, 100_000)}
    assert len(lanes) < 120
    assert deadlines.shorter(lane, 1.2).timeout_s == 2.0
    assert deadlines.shorter(lane, 61.0).timeout_s == 120.0
