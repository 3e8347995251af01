import pytest

from plugsock.pool.backoff import HOPELESS, Backoff


def test_after_one_accident_the_next_worker_starts_at_once():
    assert Backoff().ended(ready_s=3600.0) == 0.0


@pytest.mark.fault("K4")
def test_a_crash_loop_becomes_slower_up_to_one_start_in_five_seconds():
    backoff = Backoff()

    delays = [backoff.ended(ready_s=0.0) for _ in range(10)]

    assert delays == pytest.approx([0, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5, 5, 5])


@pytest.mark.fault("K4")
def test_a_worker_that_ends_as_soon_as_it_is_ready_is_a_crash_loop_too():
    backoff = Backoff()

    assert [backoff.ended(ready_s=0.5) for _ in range(20)][-1] == 5.0


def test_ten_seconds_of_being_ready_make_good_for_everything():
    backoff = Backoff()
    for _ in range(1000):
        backoff.ended(ready_s=0.0)

    assert backoff.ended(ready_s=10.0) == 0.0


@pytest.mark.fault("K1")
def test_workers_that_work_for_a_while_are_replaced_soon_however_often_somebody_kills_them():
    backoff = Backoff()

    assert max(backoff.ended(ready_s) for ready_s in [2.5, 1.2, 0.3, 4.0, 1.5, 0.8, 2.2] * 20) <= 0.1


def test_five_in_a_row_that_were_never_ready_can_not_start():
    backoff = Backoff()
    reported = []
    for _ in range(HOPELESS):
        reported.append(backoff.cannot_start)
        backoff.ended(ready_s=0.0)

    assert reported == [False] * HOPELESS
    assert backoff.cannot_start


def test_one_that_has_become_ready_can():
    backoff = Backoff()
    for _ in range(HOPELESS):
        backoff.ended(ready_s=0.0)

    backoff.ready()

    assert not backoff.cannot_start


def test_one_that_was_ready_and_ended_did_start():
    backoff = Backoff()
    for _ in range(HOPELESS):
        backoff.ready()
        backoff.ended(ready_s=0.1)

    assert not backoff.cannot_start
