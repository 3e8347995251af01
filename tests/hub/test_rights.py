"""What somebody may do, beside a matcher that is too simple to be wrong."""

import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from plugsock.hub.rights import KEPT, LONGEST, NOBODY, Patterns, Rights, check_pattern, check_permission, overlap

CHARACTERS = string.ascii_letters + string.digits + "_.:/-"
PARTS = st.sampled_from(["a", "b", "ab", "A", "a-b", "b/a"])
PERMISSIONS = st.tuples(PARTS, st.lists(st.tuples(st.sampled_from(".:"), PARTS), max_size=3)).map(
    lambda found: found[0] + "".join(map("".join, found[1]))
)
WILDCARDS = st.tuples(PERMISSIONS, st.sampled_from(".:")).map(lambda found: "".join(found) + "*")
PATTERNS = PERMISSIONS | WILDCARDS | st.just("*")
SETS = st.sets(PATTERNS, max_size=6)
REQUIRES = st.lists(st.lists(PERMISSIONS, min_size=1, max_size=3).map(tuple), max_size=3).map(tuple)


def matches(pattern: str, permission: str) -> bool:
    """Does a pattern stand for a permission? One character after the other, as one would explain it."""
    for at, character in enumerate(pattern):
        if character == "*":
            return True
        if permission[at : at + 1] != character:
            return False
    return len(pattern) == len(permission)


def may(held, denied, permission: str) -> bool:
    """What `Rights.allows` should say."""
    return any(matches(each, permission) for each in held) and not any(matches(each, permission) for each in denied)


@pytest.mark.fault("A12")
@given(held=SETS, denied=SETS, permission=PERMISSIONS)
def test_what_is_held_and_not_denied_is_allowed(held, denied, permission):
    rights = Rights(held, denied)
    assert rights.allows(permission) == may(held, denied, permission)
    assert rights.allows(permission) == may(held, denied, permission), "asked again"


@pytest.mark.fault("A12")
@pytest.mark.parametrize(
    ("held", "permission", "allowed"),
    [
        ("admin.*", "admin.read", True),
        ("admin.*", "admin.read:berlin", True),
        ("admin.*", "admin.", True),
        ("admin.*", "admin", False),
        ("admin.*", "adminx", False),
        ("admin.*", "adminx.read", False),
        ("admin.*", "Admin.read", False),
        ("admin.*", "admin:read", False),
        ("orders.read:*", "orders.read:berlin", True),
        ("orders.read:*", "orders.read", False),
        ("orders.read", "orders.read:berlin", False),
        ("orders.read", "orders.read.all", False),
        ("orders.read", "ORDERS.READ", False),
        ("*", "anything:at/all", True),
    ],
)
def test_a_wildcard_is_all_that_begins_so_and_nothing_else(held, permission, allowed):
    assert Rights([held]).allows(permission) is allowed


@pytest.mark.fault("A12")
@pytest.mark.parametrize("held", [["*"], ["orders.*"], ["orders.read:*"]])
@pytest.mark.parametrize(
    "made",
    ["orders.read:*", "orders.read:ber lin", "orders.read:\u0431", "orders.read:a\n", "orders.read:" + "a" * LONGEST],
)
def test_what_a_payload_has_made_no_permission_is_allowed_to_nobody(held, made):
    assert not Rights(held).allows(made)


@pytest.mark.fault("A12")
@pytest.mark.parametrize(
    "text",
    [
        *("**", "orders.**", "orders*", "*.read", "orders.*.read", ".*", ":*", "orders/*", "orders-*", "*.*", "!o"),
        *("", " ", "orders read", "orders.read ", "orders.read\n", "orders.*\n", "orders.{shop}", "orders,read", "\0"),
        *("\u043erders.read", "orders\u2024read", "ord\u00e9rs", "orders.\uff0a", "\u0663", "orders.\u00adread"),
        *("a" * (LONGEST + 1), "a" * (LONGEST - 1) + ".*"),
    ],
    ids=ascii,
)
def test_what_is_neither_a_permission_nor_a_wildcard_is_refused(text):
    for check in (check_permission, check_pattern):
        with pytest.raises(ValueError, match="is no permission: that is 1 to 128 of A-Z a-z 0-9 _"):
            check(text)
    with pytest.raises(ValueError, match="is no permission"):
        Rights([text])
    with pytest.raises(ValueError, match="is no permission"):
        Rights([], [text])


def test_a_letter_that_only_looks_right_is_shown_as_what_it_is():
    with pytest.raises(ValueError, match=r"^'\\u043erders' is no permission"):
        check_permission("\u043erders")


def test_a_refusal_is_a_sentence_however_long_the_text_is():
    with pytest.raises(ValueError, match=r"aaa\.\.\.' is no permission") as refused:
        check_pattern("a" * 1_000_000)
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize("text", ["orders.*", "orders:*", "*"])
def test_a_wildcard_is_a_pattern_and_no_permission(text):
    check_pattern(text)
    with pytest.raises(ValueError, match="is no permission"):
        check_permission(text)


@given(st.text(CHARACTERS, min_size=1, max_size=LONGEST))
@example("a" * LONGEST)
def test_every_text_of_the_right_characters_is_a_permission(text):
    check_permission(text)
    assert Rights([text]).allows(text)


def test_the_longest_wildcard_is_as_long_as_the_longest_permission():
    check_pattern("a" * (LONGEST - 2) + ".*")


@given(one=PATTERNS, other=PATTERNS)
def test_patterns_overlap_where_one_stands_for_the_other(one, other):
    stands = [matches(a, b.removesuffix("*")) and (a == b or a.endswith("*")) for a, b in ((one, other), (other, one))]
    assert overlap(one, other) is any(stands)
    assert [Patterns([one]).cover(other), Patterns([other]).cover(one)] == stands


@given(held=SETS, denied=SETS, requires=REQUIRES)
def test_requirements_are_met_by_one_of_each(held, denied, requires):
    rights = Rights(held, denied)
    met = all(any(may(held, denied, each) for each in any_of) for any_of in requires)
    assert rights.meets(requires) == met
    assert (requires in rights.met) == met
    assert rights.meets(requires) == met, "asked again"


def test_nothing_meets_a_choice_of_nothing():
    assert not Rights(["*"]).meets(((),))


@given(held=SETS, denied=SETS, permission=PERMISSIONS)
def test_a_client_that_reads_the_listing_comes_to_the_same_answer(held, denied, permission):
    listing = Rights(held, denied).listing()
    told = [each for each in listing if not each.startswith("!")]
    without = [each[1:] for each in listing if each.startswith("!")]
    assert may(told, without, permission) == may(held, denied, permission)
    assert set(told) <= held
    assert set(without) <= denied
    assert listing == sorted(told) + sorted(f"!{each}" for each in without)


@pytest.mark.parametrize(
    ("held", "denied", "listing"),
    [
        (["b", "a"], [], ["a", "b"]),
        (["orders.read", "sales.read"], ["sales.read"], ["orders.read"]),
        (["orders.read", "sales.read"], ["sales.*"], ["orders.read"]),
        (["orders.*"], ["orders.*"], []),
        (["orders.*"], ["*"], []),
        (["orders.*"], ["orders.delete", "sales.read"], ["orders.*", "!orders.delete"]),
        (["*", "a"], ["b.c", "b.*"], ["*", "a", "!b.*", "!b.c"]),
        ([], ["orders.delete"], []),
    ],
)
def test_the_listing_is_what_is_held_and_then_what_of_that_is_denied(held, denied, listing):
    assert Rights(held, denied).listing() == listing


def test_nobody_may_do_anything():
    assert not NOBODY.allows("a")
    assert NOBODY.meets(())
    assert not NOBODY.meets((("a",),))
    assert (NOBODY.listing(), NOBODY.version) == ([], 0)


def test_rights_say_which_ones_they_are():
    assert Rights([], [], 7).version == 7


def test_what_a_client_asks_for_is_not_remembered_without_end():
    rights = Rights(["a.*"])
    for number in range(3 * KEPT):
        assert rights.meets(((f"a.{number}", "b"),))
        assert not rights.meets(((f"b.{number}",),))
    assert len(rights.met) <= KEPT
    assert len(rights._known) <= KEPT


def test_what_is_as_long_as_a_payload_is_not_remembered():
    rights = Rights(["a"])
    long = "b." + "x" * LONGEST
    assert rights.meets((("a", long), ("a",)))
    assert rights.meets(((long, "a"),))
    assert not rights.meets(((long,),))
    assert rights.met == {()}
    assert list(rights._known) == ["a"]
