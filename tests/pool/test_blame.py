import signal

import pytest

from plugsock.pool.blame import STALL, blamed, staging_blamed
from plugsock.rpc.page import IDLE, STAGING, STARTED, STEP, THREADS, private, staging

OPEN = {1: ("echo", "r1"), 2: ("boom", "r2"), 3: ("sleep", "r3"), 4: ("regex", "r4")}
FAULTS = [-signal.SIGSEGV, -signal.SIGABRT, -signal.SIGFPE, -signal.SIGILL]
FROM_OUTSIDE = [-9, -15, None]


def page(*, started=0, step=IDLE, threads=(), group=0):
    """A page as a worker has left it."""
    left = private()
    left[STARTED] = started
    left[STEP] = step
    left[STAGING] = group
    for number, call in enumerate(threads):
        left[THREADS + 2 * number + 1] = call
    return left


@pytest.mark.parametrize("status", [0, 1, 70, 0xC0000005, *FAULTS])
def test_an_end_of_its_own_is_the_fault_of_what_was_running(status):
    assert blamed(page(started=2, step=0), OPEN, status, killed_for=None) == {("boom", "r2")}
    assert blamed(page(started=3, step=2), OPEN, status, killed_for=None) == {("boom", "r2")}
    assert blamed(page(threads=[0, 4]), OPEN, status, killed_for=None) == {("regex", "r4")}


@pytest.mark.fault("K1")
@pytest.mark.parametrize("status", FROM_OUTSIDE)
def test_a_kill_from_outside_is_nobody_s_fault(status):
    assert blamed(page(started=2, step=0, threads=[3]), OPEN, status, killed_for=None) == set()


def test_calls_that_were_waiting_are_not_to_blame():
    assert blamed(page(started=4), OPEN, 1, killed_for=None) == set()


def test_of_several_that_were_running_nobody_can_tell_which():
    assert blamed(page(started=2, step=0, threads=[3, 0, 4]), OPEN, 1, killed_for=None) == {
        ("boom", "r2"),
        ("sleep", "r3"),
        ("regex", "r4"),
    }


def test_a_call_that_has_been_answered_meanwhile_is_not_known_any_more():
    assert blamed(page(started=9, step=0), OPEN, 1, killed_for=None) == set()


@pytest.mark.parametrize("status", [-9, -6, None])
def test_a_call_that_overran_is_to_blame_for_the_kill_if_it_was_running(status):
    left = page(started=2, step=0, threads=[3, 4])

    assert blamed(left, OPEN, status, killed_for=3) == {("sleep", "r3")}
    assert blamed(left, OPEN, status, killed_for=2) == {("boom", "r2")}
    assert blamed(left, OPEN, status, killed_for=1) == set()


def test_for_a_stall_what_was_running_on_the_loop_is_to_blame():
    assert blamed(page(started=4, step=2, threads=[3]), OPEN, -9, killed_for=STALL) == {("boom", "r2")}


def test_where_the_loop_had_nothing_to_do_it_is_the_one_thread_that_held_the_interpreter():
    assert blamed(page(started=1, threads=[0, 4]), OPEN, -9, killed_for=STALL) == {("regex", "r4")}


def test_where_several_threads_may_have_held_it_nobody_is_blamed():
    assert blamed(page(started=1, threads=[3, 4]), OPEN, -9, killed_for=STALL) == set()
    assert blamed(page(started=1), OPEN, -9, killed_for=STALL) == set()


@pytest.mark.parametrize("status", [0, 1, *FAULTS])
def test_a_group_whose_import_ends_the_process_is_named(status):
    word = staging("deadbeef" * 4)

    assert staging_blamed(page(group=word), status, killed=False) == word
    assert staging_blamed(page(), status, killed=False) == 0


@pytest.mark.parametrize("status", FROM_OUTSIDE)
def test_a_group_that_was_being_imported_is_to_blame_for_a_kill_only_if_it_was_the_gateway_s(status):
    word = staging("deadbeef" * 4)

    assert staging_blamed(page(group=word), status, killed=False) == 0
    assert staging_blamed(page(group=word), status, killed=True) == word
