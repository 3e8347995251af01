"""When a saved file counts as complete."""

import os
import signal
import sys
import threading

import pytest

from plugsock.loader.settle import QUIET_IN_PLACE_S, QUIET_S, Settling, Stamp, Writers, read_lease

linux = pytest.mark.skipif(sys.platform != "linux", reason="leases are Linux's")
S = 1_000_000_000
STAMP = Stamp(1, 2, 3, 100 * S, 100 * S)


def test_a_file_is_complete_once_it_is_old_enough():
    settling = Settling()
    assert settling.wait_s("a", STAMP, Writers.NONE, 0, 100 * S) == QUIET_S
    assert settling.wait_s("a", STAMP, Writers.NONE, 0, 100 * S + 20_000_000) == 0


def test_a_file_with_times_in_the_future_is_complete_once_it_was_seen_unchanged_for_long_enough():
    settling = Settling()
    assert settling.wait_s("a", STAMP, Writers.NONE, 0, 50 * S) == QUIET_S
    assert settling.wait_s("a", STAMP, Writers.NONE, 0.02, 50 * S) == 0


def test_a_change_begins_the_wait_anew():
    settling = Settling()
    settling.wait_s("a", STAMP, Writers.NONE, 0, 50 * S)
    assert settling.wait_s("a", STAMP._replace(size=4), Writers.NONE, 0.02, 50 * S) == QUIET_S


def test_a_file_with_a_writer_is_never_complete():
    assert Settling().wait_s("a", STAMP, Writers.SOME, 0, 1000 * S) > 0


def test_without_leases_an_in_place_write_needs_longer_than_a_rename():
    settling = Settling()
    now = 100 * S
    assert settling.wait_s("a", STAMP, Writers.UNKNOWN, 0, now) == QUIET_IN_PLACE_S
    assert settling.wait_s("a", STAMP._replace(modified_ns=101 * S), Writers.UNKNOWN, 1, now) == QUIET_IN_PLACE_S
    renamed = STAMP._replace(inode=9)
    assert settling.wait_s("a", renamed, Writers.UNKNOWN, 2, now) == QUIET_S
    assert settling.wait_s("a", renamed, Writers.UNKNOWN, 2.02, now) == pytest.approx(0)


def test_without_leases_an_old_file_is_complete():
    assert Settling().wait_s("a", STAMP, Writers.UNKNOWN, 0, 103 * S) == 0


@linux
def test_a_lease_tells_whether_somebody_writes(tmp_path):
    path = tmp_path / "a"
    path.write_text("")
    reader = os.open(path, os.O_RDONLY)
    try:
        with read_lease(reader) as writers:
            assert writers is Writers.NONE
        with path.open("a"), read_lease(reader) as writers:
            assert writers is Writers.SOME
    finally:
        os.close(reader)


@linux
def test_a_writer_that_comes_during_a_lease_waits_and_nobody_is_killed(tmp_path):
    path = tmp_path / "a"
    path.write_text("")
    assert signal.getsignal(signal.SIGURG) == signal.SIG_DFL
    done = threading.Event()

    def write():
        with path.open("w") as file:
            file.write("x")
        done.set()

    writer = threading.Thread(target=write)
    reader = os.open(path, os.O_RDONLY)
    try:
        with read_lease(reader) as writers:
            assert writers is Writers.NONE
            writer.start()
            assert not done.wait(0.05)
        assert done.wait(5)
    finally:
        os.close(reader)
        writer.join()


@linux
def test_where_there_are_no_leases_nothing_is_known():
    reader, writer = os.pipe()
    try:
        with read_lease(reader) as writers:
            assert writers is Writers.UNKNOWN
    finally:
        os.close(reader)
        os.close(writer)
