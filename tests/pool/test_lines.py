"""What is shown of what plugs print, without a clock and without a file."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugsock.pool.lines import CUT, LONGEST, Bucket, Lines

LONG = b"x" * LONGEST


def fed(*parts):
    lines = Lines()
    return b"".join(lines.feed(part) for part in parts), lines


def test_whole_lines_go_through_as_they_are():
    assert fed(b"a\r\nb\n\n\xff\0\n")[0] == b"a\r\nb\n\n\xff\0\n"


def test_an_unfinished_line_waits_for_its_end():
    lines = Lines()

    assert lines.feed(b"a\nb") == b"a\n"
    assert lines.feed(b"c") == b""
    assert lines.feed(b"d\ne") == b"bcd\n"


def test_the_last_line_may_be_unfinished():
    _, lines = fed(b"a\nb")

    assert lines.end() == b"b\n"
    assert lines.end() == b""


@pytest.mark.fault("P7")
@pytest.mark.parametrize("size", [1, 1000, LONGEST - 1, LONGEST, LONGEST + 1, 3 * LONGEST])
def test_of_a_line_that_is_too_long_the_beginning_is_shown(size):
    data = b"before\n" + LONG + b"y" * 1000 + b"\nafter\n"

    shown, lines = fed(*(data[at : at + size] for at in range(0, len(data), size)))

    assert shown == b"before\n" + LONG + CUT + b"after\n"
    assert lines.left_out == 1000


def test_the_longest_line_is_shown_whole():
    assert fed(LONG[1:] + b"\n", b"a\n")[0] == LONG[1:] + b"\na\n"


@pytest.mark.fault("P7")
def test_a_line_without_end_is_not_kept():
    shown, lines = fed(*[LONG] * 100)

    assert shown == LONG + CUT
    assert lines.left_out == 99 * LONGEST
    assert lines.end() == b""


@given(st.lists(st.binary(max_size=20) | st.sampled_from([b"\n", LONG, LONG + b"\n", LONG[:-1] + b"\n"])))
def test_however_it_is_cut_into_pieces_the_same_is_shown(parts):
    whole = Lines()
    pieces = Lines()

    shown = b"".join(pieces.feed(part) for part in parts) + pieces.end()

    assert shown == whole.feed(b"".join(parts)) + whole.end()
    assert pieces.left_out == whole.left_out
    assert all(len(line) <= LONGEST + len(CUT) for line in shown.splitlines(keepends=True))


def test_a_full_bucket_gives_what_it_holds():
    bucket = Bucket(rate=10, burst=100, now=0.0)

    assert bucket.take(b"x" * 99 + b"\n", 0.0, 1000) == b"x" * 99 + b"\n"
    assert bucket.take(b"\n", 0.0, 1000) == b""


def test_a_bucket_fills_evenly_and_not_over_its_brim():
    bucket = Bucket(rate=10, burst=100, now=0.0)
    lines = b"123456789\n" * 20

    assert len(bucket.take(lines, 0.0, 1000)) == 100
    assert len(bucket.take(lines, 3.0, 1000)) == 30
    assert len(bucket.take(lines, 1000.0, 1000)) == 100


def test_only_whole_lines_are_taken():
    bucket = Bucket(rate=10, burst=15, now=0.0)

    assert bucket.take(b"123456789\n123456789\n", 0.0, 1000) == b"123456789\n"
    assert bucket.take(b"1234\n123456789\n", 0.0, 1000) == b"1234\n"


def test_no_more_is_taken_than_there_is_room_for():
    bucket = Bucket(rate=10, burst=100, now=0.0)

    assert bucket.take(b"123\n567\n", 0.0, 6) == b"123\n"
    assert bucket.take(b"123\n567\n", 0.0, 0) == b""
    assert bucket.take(b"123\n567\n", 0.0, 8) == b"123\n567\n"
