"""What callers can be required to be allowed to."""

from enum import StrEnum
from typing import Annotated

import pytest
from msgspec import Meta, Struct

from plugsock import Raw, any_of, plug
from plugsock.errors import DeclareError
from plugsock.loader.declare import MARK
from plugsock.loader.order import required_values
from plugsock.loader.requires import normalised
from plugsock.loader.signature import read


class Word(StrEnum):
    READ = "orders.read"


class Order(Struct, rename="kebab"):
    shop_id: str
    note: str = ""


def refused(requires):
    with pytest.raises(DeclareError) as error:
        plug(requires=requires)
    return str(error.value)


def values(function, *requires):
    return required_values(read(function, "it"), normalised(requires))


def not_possible(function, *requires):
    with pytest.raises(DeclareError) as error:
        values(function, *requires)
    return str(error.value)


@pytest.mark.parametrize(
    ("requires", "normal"),
    [
        (None, ()),
        ("orders.read", (("orders.read",),)),
        (["a", "b"], (("a",), ("b",))),
        (("a", "b"), (("a",), ("b",))),
        (any_of("a", "b"), (("a", "b"),)),
        (["a", any_of("b", "c:{shop}")], (("a",), ("b", "c:{shop}"))),
        ("orders.read:{shop-id}", (("orders.read:{shop-id}",),)),
        ("{shop}", (("{shop}",),)),
        ("A-z_0.9:/" + "x" * 119, (("A-z_0.9:/" + "x" * 119,),)),
    ],
    ids=str,
)
def test_what_is_required_has_one_form(requires, normal):
    @plug(requires=requires)
    def it(): ...

    assert vars(it)[MARK].requires == normal


def test_it_is_plain_text_whatever_it_was():
    ((permission,),) = normalised(Word.READ)
    assert (permission, type(permission)) == ("orders.read", str)
    assert type(any_of(Word.READ).permissions[0]) is str


@pytest.mark.parametrize("requires", [3, True, b"a", {"a"}, {"a": 1}, [["a"]], ["a", None], [("a", "b")]], ids=repr)
def test_what_is_no_permission_is_refused_with_what_would_be_right(requires):
    assert refused(requires).endswith('must be a permission as "orders.read", a list of them, or any_of("a", "b")')


@pytest.mark.parametrize("requires", ["", " ", "a b", "a,b", "réad", "a\n", "x" * 129, ["a", ""]], ids=repr)
def test_a_permission_of_other_signs_is_refused(requires):
    assert refused(requires) == (
        f'requires={requires!r} must be made of permissions of 1 to 128 of A-Z a-z 0-9 _ . : / -, as "orders.read"'
    ).replace("'", "'")


@pytest.mark.parametrize("requires", ["*", "orders.*", "orders.read:*", "a*b", "a.*:{shop}"])
def test_what_is_needed_has_no_wildcard(requires):
    assert refused(requires) == (
        f"requires={requires!r} must name what is needed in full: only what a user holds can have a `*` in it"
    )


@pytest.mark.parametrize("requires", ["{", "a{}", "{a}{b}", "a}", "{{a}}"])
def test_braces_hold_one_field(requires):
    assert refused(requires) == (
        f'requires={requires!r} can have one field of the payload in braces, as "orders.read:{{shop}}"'
    )


@pytest.mark.parametrize("nothing", [[], ()])
def test_an_empty_list_is_no_way_to_say_that_everybody_may(nothing):
    assert refused(nothing) == (
        "requires=[] asks for nothing: name a permission, or leave it out if everybody may call"
    )


def test_a_choice_of_nothing_is_refused():
    with pytest.raises(DeclareError, match="must be given the permissions of which one is enough"):
        any_of()


def test_a_choice_says_what_is_wrong_with_it():
    with pytest.raises(DeclareError) as error:
        any_of("a", "b.*")
    assert str(error.value).startswith("any_of('a', 'b.*') must name what is needed in full")


def test_fields_are_read_from_what_was_bound():
    def it(shop: str, day: int): ...

    signature = read(it, "it")
    found = required_values(signature, normalised(["a", any_of("b:{shop}", "c.{shop}"), "{day}"]))
    value = signature.bind(b'{"shop":"berlin","day":7}', 0)
    assert {name: read_one(value) for name, read_one in found.items()} == {"shop": "berlin", "day": 7}


def test_a_field_has_the_name_that_is_sent():
    def it(order: Order): ...

    assert list(values(it, "a:{shop-id}")) == ["shop-id"]
    assert not_possible(it, "a:{shop_id}") == (
        "requires='a:{shop_id}' names no field of the payload: there is `shop-id`, `note`"
    )


def test_a_field_must_be_there_in_every_payload():
    def it(order: Order): ...

    assert not_possible(it, "a", any_of("b", "c:{note}")) == (
        "requires='c:{note}' needs a field that every payload has: `note` must have no default"
    )


@pytest.mark.parametrize("annotation", [float, bool, str | None, list[str], bytes], ids=str)
def test_a_field_is_a_text_or_a_whole_number(annotation):
    def it(shop: annotation): ...

    assert not_possible(it, "a:{shop}") == (
        "requires='a:{shop}' needs a field that is a text or a whole number: make `shop` str or int"
    )


def test_bounds_do_not_matter():
    def it(shop: Annotated[str, Meta(max_length=5)]): ...

    assert list(values(it, "a:{shop}")) == ["shop"]


def test_a_raw_payload_has_no_fields():
    def it(payload: Raw): ...

    assert "needs a payload that has fields" in not_possible(it, "a:{shop}")


def test_it_is_announced(shelf):
    shelf.write(
        "a.py", "from plugsock import any_of\n@plug(requires=['a', any_of('b', 'c:{shop}')])\ndef a(shop: str): ...\n"
    )
    shelf.swap()
    assert shelf.loader.catalog["a"].announcement.requires == (("a",), ("b", "c:{shop}"))


def test_by_default_nothing_is_required(shelf):
    shelf.plug("a.py", 1)
    shelf.swap()
    assert shelf.loader.catalog["a"].announcement.requires == ()


def test_what_can_not_be_is_a_problem_of_its_line(shelf):
    shelf.write("a.py", "@plug(requires='orders.*')\ndef a(): ...\n")
    shelf.write("b.py", "@plug(requires='a:{shp}')\ndef b(shop: str): ...\n")
    shelf.swap()
    assert [str(problem) for problem in shelf.loader.problems] == [
        "plugs/a.py:2: requires='orders.*' must name what is needed in full: only what a user holds can have a `*` in it",
        "plugs/b.py:3: `b`: requires='a:{shp}' names no field of the payload: there is `shop`",
    ]
    assert shelf.events == []
