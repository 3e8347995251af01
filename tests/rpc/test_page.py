import mmap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugsock.rpc.page import (
    IDLE,
    MOST_THREADS,
    SIZE,
    STARTED,
    STEP,
    THREADS,
    Page,
    is_started,
    private,
    running,
    staging,
)


def mark_thread(page: Page, n: int, *, started: int, runs: int) -> None:
    page[THREADS + 2 * n], page[THREADS + 2 * n + 1] = started, runs


def test_a_page_of_zeros_says_that_nothing_has_started_or_runs():
    page = private()
    assert len(page) * page.itemsize == SIZE
    assert running(page) == set()
    assert not any(is_started(page, 1, in_thread=in_thread) for in_thread in (False, True))


@pytest.mark.parametrize(
    ("started", "step", "found"),
    [(7, 0, {7}), (7, IDLE, set()), (7, 3, {3}), (0, 0, set())],
    ids=["a first step", "nothing", "one that was resumed", "a batch that has not begun"],
)
def test_what_the_loop_runs(started, step, found):
    page = private()
    page[STARTED], page[STEP] = started, step
    assert running(page) == found


def test_what_threads_run():
    page = private()
    page[STEP] = IDLE
    mark_thread(page, 0, started=5, runs=0)
    mark_thread(page, 1, started=6, runs=6)
    mark_thread(page, MOST_THREADS - 1, started=9, runs=4)
    assert running(page) == {4, 6}


@given(started=st.integers(0, IDLE - 1), sequence=st.integers(1, IDLE - 1))
def test_on_the_loop_all_have_started_up_to_the_last(started, sequence):
    page = private()
    page[STARTED] = started
    assert is_started(page, sequence, in_thread=False) == (sequence <= started)
    assert not is_started(page, sequence, in_thread=True)


def test_in_threads_all_have_started_up_to_the_last_of_any():
    page = private()
    page[STARTED] = 100
    mark_thread(page, 0, started=5, runs=0)
    mark_thread(page, MOST_THREADS - 1, started=9, runs=8)
    assert [is_started(page, sequence, in_thread=True) for sequence in (5, 7, 9, 10)] == [True, True, True, False]


def test_what_one_writes_in_shared_memory_the_other_reads():
    with (
        mmap.mmap(-1, SIZE) as memory,
        memoryview(memory) as view,
        view.cast("Q") as writer,
        view.cast("Q") as reader,
    ):
        writer[STEP] = 12
        assert running(reader) == {12}


def test_a_group_is_a_word():
    page = private()
    page[2] = staging("f" * 64)
    assert page[2] == (1 << 64) - 1
    assert staging("5e0c1a22" + "0" * 56) == 0x5E0C1A2200000000
