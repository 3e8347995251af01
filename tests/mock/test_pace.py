"""When made-up streams go on and made-up views change."""

from plugsock.mock.pace import FEWEST, LATEST_S, LONGEST_S, MOST, SHORTEST_S, SOONEST_S, changes_after, pauses
from plugsock.mock.seeds import seed

SEEDS = [seed("e", b"", number) for number in range(200)]


def test_a_stream_has_some_items():
    counts = {len(list(pauses(each))) for each in SEEDS}

    assert (min(counts), max(counts)) == (FEWEST, MOST)


def test_the_first_comes_at_once_and_the_others_after_a_while():
    first, *others = pauses(SEEDS[0])

    assert first == 0
    assert all(SHORTEST_S <= each <= LONGEST_S for each in others)
    assert len(set(others)) == len(others)


def test_as_many_as_are_known():
    assert [len(list(pauses(SEEDS[0], count))) for count in (0, 1, 40)] == [0, 1, 40]


def test_the_pace_is_the_same_each_time():
    assert list(pauses(SEEDS[0])) == list(pauses(SEEDS[0]))
    assert changes_after(SEEDS[0]) == changes_after(SEEDS[0])


def test_a_view_changes_after_some_seconds():
    found = [changes_after(each) for each in SEEDS]

    assert all(SOONEST_S <= each <= LATEST_S for each in found)
    assert len(set(found)) == len(found)
