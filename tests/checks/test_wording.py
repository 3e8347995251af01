import datetime as dt
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
import pytest
from msgspec import Meta

from plugsock.checks.wording import LONGEST, both, words


class Order(msgspec.Struct):
    sku: str


@pytest.mark.parametrize(
    ("type", "said"),
    [
        (int, "int"),
        (float | None, "float | None"),
        (bool, "bool"),
        (bytes, "bytes"),
        (Annotated[dt.datetime, Meta(tz=True)], "datetime"),
        (dt.date, "date"),
        (UUID, "UUID"),
        (Any, "Any"),
        (list, "list"),
        (list[str], "list[str]"),
        (set[str], "set[str]"),
        (tuple[int, str], "tuple[int, str]"),
        (dict, "dict"),
        (dict[str, Any], "dict"),
        (dict[str, list[Order]], "dict[str, list[Order]]"),
        (Order | None, "Order | None"),
        (Literal["a", 1], 'Literal[1, "a"]'),
        (Annotated[int, Meta(ge=1, lt=5)], "int (ge=1, lt=5)"),
        (Annotated[str, Meta(min_length=1, pattern="^a")], "str (min_length=1, pattern=^a)"),
        (Annotated[list[int], Meta(max_length=3)], "list[int] (max_length=3)"),
    ],
)
def test_a_schema_is_said_as_the_type_was_written(type, said):
    assert words(msgspec.json.schema(type)) == said


def test_a_long_one_is_cut():
    assert len(words({"enum": ["abcdef"] * 40})) == LONGEST


def test_two_that_are_called_the_same_are_told_apart():
    ref = {"$ref": "#/$defs/Order"}

    assert both(ref, ref, whole_was={"type": "object"}, whole_now={"type": "array"}) == (
        "Order (an object)",
        "Order (an array)",
    )
    assert both(ref, ref, whole_was={"enum": ["a"]}, whole_now={"type": "string"}) == (
        'Order (Literal["a"])',
        "Order (str)",
    )


def test_what_is_not_referred_to_is_said_by_its_title():
    assert words({"type": "object", "title": "Order", "properties": {}}) == "Order"
    assert words({"type": "object", "properties": {}}) == "object"
    assert words(True) == "Any"


def test_two_that_differ_in_their_words_are_left_alone():
    assert both({"type": "integer"}, True, whole_was={"type": "integer"}, whole_now=True) == ("int", "Any")
    assert both(True, True, whole_was=True, whole_now=True) == ("Any", "Any")
