"""Does the checker of histories catch what a broken server would do?"""

import itertools

import pytest

from support.history import History


@pytest.fixture
def history():
    """Two connections, two versions: calls 1 and 2 on the first version, 3 during the swap, 4 on the second.

    The clock counts one up each time it is read.
    """
    history = History(clock=itertools.count().__next__)
    history.see(history.begin(1))
    for id in (1, 2):
        call(history, 1, id, 1)
        call(history, 2, id, 1)
    swap = history.begin(2)
    call(history, 1, 3, 2)
    call(history, 2, 3, 1)
    history.see(swap)
    for connection in (1, 2):
        call(history, connection, 4, 2)
    return history


def call(history, connection, id, version):
    history.send(connection, id)
    history.receive(connection, id, "ok", (connection, id), (version, version))


def test_what_a_right_server_does_is_no_fault(history):
    assert history.faults() == []
    assert history.versions() == {1, 2}
    assert history.slowest_s() == 1


def test_a_call_that_is_open_during_the_whole_swap_may_take_either(history):
    third = history.begin(3)
    history.send(3, 1)
    history.send(4, 1)
    history.see(third)
    history.receive(3, 1, "ok", (3, 1), (2, 2))
    history.receive(4, 1, "ok", (4, 1), (3, 3))
    assert history.faults() == []


def test_a_version_that_was_overtaken_may_answer_until_the_next_one_is_seen(history):
    history.begin(3)
    fourth = history.begin(4)
    call(history, 3, 1, 3)
    history.see(fourth)
    assert history.faults() == []
    call(history, 3, 2, 3)
    assert history.faults() == [
        "call 2 of connection 3 was answered by version 3, which was not in force while it was open"
    ]


def lost(history):
    history.send(1, 5)


def doubled(history):
    history.receive(1, 4, "ok", (1, 4), (2, 2))


def refused(history):
    history.send(1, 5)
    history.receive(1, 5, "gone", None, ())


def stale(history):
    call(history, 3, 1, 1)


def early(history):
    call(history, 3, 1, 3)
    history.begin(3)


def half_loaded(history):
    history.send(3, 1)
    third = history.begin(3)
    history.receive(3, 1, "ok", (3, 1), (2, 3))
    history.see(third)


def foreign(history):
    history.send(1, 5)
    history.receive(1, 5, "ok", (2, 5), (2, 2))


def unasked(history):
    history.receive(2, 9, "ok", (1, 9), (2, 2))


def backwards(history):
    history.begin(3)
    call(history, 3, 1, 3)
    call(history, 3, 2, 2)


@pytest.mark.parametrize(
    ("bug", "said"),
    [
        (lost, "call 5 of connection 1 has 0 answers"),
        (doubled, "call 4 of connection 1 has 2 answers"),
        (refused, "call 5 of connection 1 was answered gone"),
        (stale, "call 1 of connection 3 was answered by version 1, which was not in force while it was open"),
        (early, "call 1 of connection 3 was answered by version 3, which was not in force while it was open"),
        (half_loaded, "call 1 of connection 3 was answered by parts of several versions: (2, 3)"),
        (foreign, "call 5 of connection 1 got the answer that was made for (2, 5)"),
        (unasked, "connection 2 got an answer to 9, which it never sent"),
        (backwards, "call 2 of connection 3 started on version 2, an earlier one on 3"),
    ],
)
def test_a_bug_is_caught_and_named(history, bug, said):
    bug(history)
    assert history.faults() == [said]
