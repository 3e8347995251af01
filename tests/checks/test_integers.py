import enum

from msgspec import Meta

from plugsock.checks.integers import LARGEST, is_too_big, members, missing_bound, too_big


class Size(enum.Enum):
    SMALL = LARGEST
    BIG = LARGEST + 1
    NAMED = "big"


def test_the_largest_is_what_a_browser_says():
    assert LARGEST == 9007199254740991
    assert not is_too_big(LARGEST)
    assert is_too_big(-LARGEST - 1)
    assert not is_too_big(1e300)
    assert not is_too_big(True)


def test_a_bound_that_is_outside_of_what_it_bounds_may_be_one_more():
    assert too_big((Meta(gt=-LARGEST - 1, lt=LARGEST + 1),)) is None
    assert too_big((Meta(ge=0), Meta(le=LARGEST + 1))) == LARGEST + 1


def test_both_ends_are_needed_from_whichever_note():
    assert missing_bound(()) == "ge=..., le=..."
    assert missing_bound((Meta(gt=0),)) == "le=..."
    assert missing_bound((Meta(gt=0), Meta(lt=3))) == ""


def test_members_that_are_too_big_are_told():
    assert members(Size) == [LARGEST + 1]
