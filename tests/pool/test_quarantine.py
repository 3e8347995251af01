import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugsock.pool.quarantine import MOST, Quarantine

BAD = ("boom", "r1")
GOOD = ("echo", "r1")
OTHER = ("clock", "r1")


def test_the_third_kill_within_a_minute_takes_a_plug_out():
    quarantine = Quarantine()

    assert [quarantine.killed({BAD}, now) for now in (0.0, 30.0, 60.0)] == [set(), set(), {BAD}]
    assert quarantine.holds(*BAD)
    assert quarantine.events() == {"boom"}


def test_kills_that_are_further_apart_do_not():
    quarantine = Quarantine()

    assert not any(quarantine.killed({BAD}, now) for now in (0.0, 30.0, 60.1, 90.2, 120.3))
    assert not quarantine.holds(*BAD)


def test_another_revision_and_another_event_are_not_meant():
    quarantine = Quarantine(kills=1)
    quarantine.killed({BAD}, 0.0)

    assert not quarantine.holds("boom", "r2")
    assert not quarantine.holds("echo", "r1")


def test_a_death_that_nobody_is_blamed_for_changes_nothing():
    quarantine = Quarantine(kills=1)

    assert quarantine.killed(set(), 0.0) == set()
    assert quarantine.events() == set()


def test_a_commit_of_its_event_frees_it_and_forgets_what_it_did():
    quarantine = Quarantine()
    for now in (0.0, 1.0, 2.0):
        quarantine.killed({BAD}, now)
    quarantine.killed({GOOD}, 2.0)

    quarantine.free("boom")
    quarantine.free("echo")

    assert not quarantine.holds(*BAD)
    assert not any(quarantine.killed({plug}, now) for plug in (BAD, GOOD) for now in (3.0, 4.0))


def test_who_was_there_now_and_then_does_not_go_with_the_one_that_was_always_there():
    quarantine = Quarantine()

    taken = [quarantine.killed(blamed, now) for now, blamed in enumerate([{BAD, GOOD}, {BAD, OTHER}, {BAD, GOOD}])]

    assert taken == [set(), set(), {BAD}]
    assert quarantine.events() == {"boom"}


def test_those_that_nobody_can_tell_apart_go_together():
    quarantine = Quarantine()

    assert [quarantine.killed({BAD, GOOD}, now) for now in (0.0, 1.0, 2.0)] == [set(), set(), {BAD, GOOD}]


def test_a_call_that_a_plug_in_quarantine_still_had_is_blamed_alone():
    quarantine = Quarantine(kills=1)
    quarantine.killed({BAD}, 0.0)

    assert quarantine.killed({BAD, GOOD}, 1.0) == set()
    assert not quarantine.holds(*GOOD)


def test_two_revisions_of_one_event_can_be_out():
    quarantine = Quarantine(kills=1)
    quarantine.killed({BAD}, 0.0)
    quarantine.killed({("boom", "r2")}, 1.0)

    assert quarantine.holds("boom", "r1")
    assert quarantine.holds("boom", "r2")
    assert quarantine.events() == {"boom"}


@pytest.mark.parametrize("kills", [1, 2])
def test_however_many_kill_only_the_latest_are_remembered(kills):
    quarantine = Quarantine(kills)
    for number in range(MOST + 10):
        quarantine.killed({(f"plug{number}", "r1")}, 0.0)

    again = [bool(quarantine.killed({(f"plug{number}", "r1")}, 0.0)) for number in (0, MOST + 9)]

    assert again == [kills == 1, kills == 2]
    assert len(quarantine.events()) <= MOST


@given(st.lists(st.tuples(st.sets(st.sampled_from([BAD, GOOD, OTHER])), st.floats(0, 50)), max_size=20))
def test_nobody_is_out_who_was_not_there_three_times_in_a_minute(deaths):
    quarantine = Quarantine()
    seen = []
    now = 0.0
    for blamed, later in deaths:
        now += later
        seen.append((blamed, now))
        for plug in quarantine.killed(blamed, now):
            assert sum(plug in others and now - then <= 60 for others, then in seen) >= 3
