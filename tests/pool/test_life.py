import itertools

import pytest

from plugsock.pool.life import (
    DRAINING,
    ENDING,
    GONE,
    JOINING,
    MEANING,
    NEXT,
    READY,
    Event,
    State,
    step,
)


def lived(*events):
    """The states that a worker goes through."""
    return list(itertools.accumulate(events, step, initial=JOINING))


def reached(state):
    """Every state that can come after one."""
    found = set()
    due = {state}
    while due:
        found |= due
        due = {after for one in due for after in NEXT[one].values()} - found
    return found - {state}


def test_a_worker_that_is_replaced_lives_like_this():
    states = lived(Event.CAUGHT_UP, Event.RELIEVED, Event.EMPTIED, Event.LOST)

    assert states == [JOINING, READY, DRAINING, ENDING, GONE]


@pytest.mark.parametrize("state", [state for state in State if state is not GONE])
def test_whatever_it_does_a_worker_can_be_lost(state):
    assert step(state, Event.LOST) is GONE


@pytest.mark.parametrize("state", [state for state in State if state is not GONE])
def test_whatever_it_does_a_worker_can_be_killed(state):
    assert step(state, Event.KILLED) is ENDING


@pytest.mark.parametrize("event", Event)
def test_nothing_happens_to_one_that_has_gone(event):
    assert step(GONE, event) is None


@pytest.mark.parametrize(
    ("state", "event"),
    [
        (JOINING, Event.EMPTIED),
        (JOINING, Event.FELL_BEHIND),
        (READY, Event.CAUGHT_UP),
        (READY, Event.EMPTIED),
        (DRAINING, Event.CAUGHT_UP),
        (DRAINING, Event.RELIEVED),
        (ENDING, Event.RELIEVED),
        (ENDING, Event.CAUGHT_UP),
    ],
)
def test_an_event_that_is_not_due_leads_nowhere(state, event):
    assert step(state, event) is None


def test_one_that_misses_a_commit_gets_no_more_calls_until_it_is_replaced():
    assert step(READY, Event.FELL_BEHIND) is DRAINING
    assert READY not in reached(DRAINING)


def test_one_that_has_no_calls_yet_need_not_drain():
    assert step(JOINING, Event.RELIEVED) is ENDING


def test_only_one_that_is_ready_votes():
    assert [state for state in State if state.votes] == [READY]


def test_every_state_is_reached_and_no_life_goes_backwards():
    order = list(State)

    assert reached(JOINING) == set(order[1:])
    for state in order:
        assert all(order.index(after) > order.index(state) for after in reached(state))


def test_every_state_is_in_the_table_and_has_its_sentence():
    assert list(NEXT) == list(MEANING) == list(State)
    assert all(sentence.endswith(".") for sentence in MEANING.values())
