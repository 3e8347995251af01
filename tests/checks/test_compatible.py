"""What breaks clients when a type changes: going in, and coming out."""

from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from msgspec import Meta, Struct, defstruct

from plugsock.checks.compatible import Comparison
from support.any_type import TYPES


def schema(type):
    """A type's schema, and the named types that it refers to."""
    [found], types = msgspec.json.schema_components([type], ref_template="#/$defs/{name}")
    return found, types


def breaks(was, now, way):
    """Path and sentence of each break between two types."""
    (one, types), (other, later) = schema(was), schema(now)
    return [(each.path, each.what) for each in Comparison(types, later, way).breaks(one, other)]


def struct(*fields, name="Order", **options):
    return defstruct(name, list(fields), **options)


class Tree(Struct):
    name: str
    inner: "Tree | None" = None
    more: list["Tree"] = []


class Bush(Struct):
    name: int
    inner: "Bush | None" = None
    more: list["Bush"] = []


class Cash(Struct, tag=True):
    amount: int


class Card(Struct, tag=True):
    number: str


Card2 = struct(("number", int), name="Card", tag=True)

NARROWER = [
    (int | None, int, "", "was `int | None` and is `int`"),
    (str, int, "", "was `str` and is `int`"),
    (float, int, "", "was `float` and is `int`"),
    (Any, int, "", "was `Any` and is `int`"),
    (int, Annotated[int, Meta(ge=1)], "", "was `int` and is `int (ge=1)`"),
    (str, Literal["a"], "", 'was `str` and is `Literal["a"]`'),
    (list[int | str], list[int], "[]", "was `int | str` and is `int`"),
    (dict[str, float], dict[str, int], "{}", "was `float` and is `int`"),
    (tuple[int, float], tuple[int, int], "[1]", "was `float` and is `int`"),
    (tuple[int, int], tuple[int], "", "was `tuple[int, int]` and is `tuple[int]`"),
    (dict[str, int], struct(("a", int, 1)), "", "was `dict[str, int]` and is `Order`"),
    (dict[Annotated[str, Meta(min_length=1)], int], dict[Annotated[str, Meta(min_length=2)], int], "", None),
    (Cash | Card, Cash, "", "was `Cash | Card` and is `Cash`"),
    (struct(("a", int)), struct(("a", int), array_like=True), "", "was `Order (an object)` and is `Order (an array)`"),
]
"""Types of before and of now, the path of what has become narrower, and what is said."""


@pytest.mark.parametrize(("wide", "narrow", "path", "said"), NARROWER)
def test_what_goes_in_may_not_become_narrower(wide, narrow, path, said):
    [(where, what)] = breaks(wide, narrow, "in")
    assert (where, what) == (path, said or what)


@pytest.mark.parametrize(("wide", "narrow", "path", "_said"), NARROWER)
def test_what_comes_out_may_not_become_wider(wide, narrow, path, _said):
    assert [where for where, _ in breaks(narrow, wide, "out")][:1] == [path]


def test_values_that_are_lost_or_new_are_named():
    assert breaks(Literal["a", "b", 3], Literal["a"], "in") == [("", 'no longer takes 3, "b"')]
    assert breaks(Literal["a"], Literal["a", "b", 3], "out") == [("", 'may be 3, "b" now')]
    assert breaks(Literal["ab", 3], Annotated[str, Meta(min_length=2)] | int, "in") == []


A, A_B = struct(("a", int)), struct(("a", int), ("b", str, ""))
A_BB = struct(("a", int), ("b", str))


@pytest.mark.parametrize(
    ("was", "now", "way", "said"),
    [
        (A, A_BB, "in", [(".b", "(`str`) is new, and must be given")]),
        (A_B, A_BB, "in", [(".b", "(`str`) must be given now")]),
        (A_BB, A_B, "in", []),
        (A, A_B, "in", []),
        (A_B, A, "in", [(".b", "(`str`) is gone")]),
        (A, A_BB, "out", []),
        (A, A_B, "out", []),
        (A_BB, A_B, "out", [(".b", "(`str`) may be missing now")]),
        (A_BB, A, "out", [(".b", "(`str`) is gone")]),
        (A_B, A, "out", [(".b", "(`str`) is gone")]),
        (A, dict[str, int], "in", []),
        (A_B, dict[str, int], "in", [(".b", "was `str` and is `int`")]),
        (
            struct(("a", int)),
            struct(("a", int), forbid_unknown_fields=True),
            "in",
            [("", "let unknown fields pass, and refuses them now")],
        ),
        (struct(("a", int)), struct(("a", int), forbid_unknown_fields=True), "out", []),
    ],
)
def test_fields(was, now, way, said):
    assert breaks(was, now, way) == said


@pytest.mark.parametrize("is_closed", [False, True])
@pytest.mark.parametrize("way", ["in", "out"])
def test_fields_of_an_array(way, is_closed):
    one = struct(("a", int), array_like=True, forbid_unknown_fields=is_closed)
    two = struct(("a", int), ("b", str, ""), array_like=True, forbid_unknown_fields=is_closed)

    assert len(breaks(one, two, way)) == (1 if is_closed and way == "out" else 0)
    assert len(breaks(two, one, way)) == 1


def test_a_type_that_contains_itself_is_gone_through_once():
    assert breaks(Tree, Tree, "in") == []
    assert breaks(Tree, Bush, "in") == [(".name", "was `str` and is `int`")]
    assert [where for where, _ in breaks(list[Tree], list[Bush], "out")] == ["[].name"]


def test_a_member_of_a_union_is_compared_with_the_one_of_its_tag():
    assert breaks(Cash | Card, Cash | Card2, "in") == [(".number", "was `str` and is `int`")]
    assert breaks(Cash, Cash | Card, "in") == []
    assert breaks(Cash, Cash | Card, "out") == [("", "was `Cash` and is `Cash | Card`")]


def test_a_break_names_the_type_and_field_that_it_is_in():
    (one, types), (other, later) = schema(list[Tree]), schema(list[Bush])
    [found] = Comparison(types, later, "in").breaks(one, other)

    assert (found.type, found.field) == ("Bush", "name")


@settings(max_examples=150, deadline=None)
@given(TYPES)
def test_what_is_the_same_breaks_nobody(drawn):
    type, _ = drawn

    assert breaks(type, type, "in") == []
    assert breaks(type, type, "out") == []


@settings(max_examples=150, deadline=None)
@given(st.lists(TYPES, max_size=3), TYPES, st.booleans(), st.booleans())
def test_a_new_field_that_may_be_left_out_breaks_nobody_and_one_that_may_not_does(drawn, more, is_closed, is_array):
    assume(drawn or not is_array)  # an array of no fields is any array
    fields = [(f"f{number}", type) for number, (type, _) in enumerate(drawn)]
    options = {"forbid_unknown_fields": is_closed, "array_like": is_array}
    was = struct(*fields, **options)
    optional = struct(*fields, ("more", more[0], msgspec.field(default_factory=int)), **options)

    assert breaks(was, optional, "in") == []
    assert len(breaks(was, struct(*fields, ("more", more[0]), **options), "in")) == 1
    assert len(breaks(optional, was, "in")) == 1


@settings(max_examples=150, deadline=None)
@given(TYPES)
def test_a_result_that_may_be_more_breaks(drawn):
    type, _ = drawn
    narrow, wide = struct(("it", list[type])), struct(("it", list[type] | int))

    assert len(breaks(narrow, wide, "out")) == 1
    assert breaks(wide, narrow, "out") == []
    assert breaks(narrow, wide, "in") == []


@settings(max_examples=300, deadline=None)
@given(TYPES, TYPES, st.data())
def test_where_nothing_breaks_every_value_of_before_fits_what_is_now(before, after, data):
    (was, values), now = before, after[0]
    if data.draw(st.booleans()):  # else hardly any two have to do with each other
        now = data.draw(st.sampled_from([was | None, was | int, list[was], dict[str, was]])) if was is not None else was
    encoded = msgspec.json.decode(msgspec.json.encode(data.draw(values)))
    found, types = schema(now)

    if not breaks(was, now, "in"):
        validator = Draft202012Validator({**found, "$defs": types} if isinstance(found, dict) else found)
        assert [error.message for error in validator.iter_errors(encoded)] == []
