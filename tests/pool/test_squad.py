from hypothesis import given
from hypothesis import strategies as st

from plugsock.pool.backoff import FIRST_S, HOPELESS
from plugsock.pool.sizes import Size
from plugsock.pool.squad import QUIET_S, WAIT_S, Squad


def squad(least=2, most=4, name=""):
    return Squad(name, Size(least, most), 0.0)


def test_it_wants_as_many_as_it_must_have_at_least():
    assert [squad().wants_one(have, 0.0) for have in (0, 1, 2, 3)] == [True, True, False, False]


def test_while_all_are_replaced_it_wants_one_more():
    rolling = squad()
    rolling.is_rolling = True

    assert [rolling.wants_one(have, 0.0) for have in (2, 3)] == [True, False]
    assert [rolling.has_one_too_many(have) for have in (3, 4)] == [False, True]


def test_a_call_that_waits_makes_it_grow_by_one_and_by_one_more_only_when_that_is_ready():
    grown = squad()

    grown.load(WAIT_S, 2, 1.0)
    assert grown.target == 2
    grown.load(WAIT_S + 0.01, 2, 1.1)
    assert grown.target == 3
    grown.load(WAIT_S + 0.06, 2, 1.2)
    assert grown.target == 3
    grown.load(WAIT_S + 0.11, 3, 1.3)
    assert grown.target == 4
    grown.load(WAIT_S + 0.16, 4, 1.4)
    assert grown.target == 4


def test_after_a_quiet_minute_it_shrinks_by_one_and_never_below_what_it_must_have():
    shrunk = squad()
    for have in (2, 3):
        shrunk.load(1.0, have, 0.0)
    targets = []
    for second in range(0, 200, 10):
        shrunk.load(0.0, shrunk.target, float(second))
        targets.append(shrunk.target)

    assert targets == [4] * 7 + [3] * 7 + [2] * 6
    assert [shrunk.has_one_too_many(have) for have in (2, 3)] == [False, True]


def test_a_wait_in_between_starts_the_minute_anew():
    busy = squad()
    busy.load(1.0, 2, 0.0)
    busy.load(0.01, 3, QUIET_S - 1)
    busy.load(0.0, 3, QUIET_S + 1)

    assert busy.target == 3


def test_one_that_has_ended_is_replaced_at_once_and_the_next_one_later():
    crashing = squad()

    crashing.ended(0.0, 10.0)
    assert crashing.wants_one(1, 10.0)
    crashing.ended(0.0, 10.1)
    assert not crashing.wants_one(1, 10.1)
    assert crashing.wants_one(1, 10.1 + FIRST_S)


def test_when_none_can_start_somebody_is_told(capsys):
    hopeless = squad(name="reports")
    for _ in range(HOPELESS - 1):
        hopeless.ended(0.0, 0.0)
    assert "can't start" not in capsys.readouterr().err

    hopeless.ended(0.0, 0.0)

    assert "can't start" in capsys.readouterr().err
    hopeless.ready()
    hopeless.ended(0.0, 0.0)
    assert "can't start" not in capsys.readouterr().err
    assert hopeless.named() == {"set": "reports"}


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 6), st.floats(0, 100)), max_size=50))
def test_its_target_is_always_within_its_size(loads):
    any_load, now = squad(), 0.0
    for waited_s, ready, later_s in loads:
        now += later_s
        any_load.load(waited_s, ready, now)
        assert 2 <= any_load.target <= 4
