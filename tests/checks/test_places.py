"""Where things stand, and on which lines a comment is for them."""

import pytest

from plugsock.checks.places import Places
from support.checked import FIRST
from support.folder_shapes import loaded

TEXT = """\
class Base(Struct):
    a: str

class Order(
    Base,
):
    b: Annotated[
        str, 1
    ]

    class Inner(Struct):
        c: str

@plug(
    idempotent=True
)
def place(
    order: Order,
    *,
    more: str = "",
) -> (
    str
): ...
"""


@pytest.fixture
def found(tmp_path):
    with loaded(tmp_path, a=f"from typing import Annotated\n{TEXT}") as catalog:
        yield Places(catalog), catalog["a.place"]


def lines(place):
    return place.line - FIRST, {line - FIRST for line in place.lines}


def test_a_class_and_its_fields(found):
    places, plug = found
    order = plug.function.__globals__["Order"]

    assert lines(places.cls(order)) == (4, {4})
    assert lines(places.field(order, "b")) == (7, {4, 7, 8, 9})
    assert lines(places.field(order, "a")) == (2, {1, 2})
    assert lines(places.field(order, "nosuch")) == (4, {4})
    assert lines(places.field(order.Inner, "c")) == (12, {11, 12})
    assert places.cls(str) is None
    assert places.field(str, "x") is None


def test_a_function_its_parameters_and_its_result(found):
    places, plug = found

    assert lines(places.plug(plug)) == (17, {14, 15, 16, 17})
    assert lines(places.parameter(plug, "more")) == (20, {14, 15, 16, 17, 20})
    assert lines(places.parameter(plug, "nosuch")) == (17, {14, 15, 16, 17})
    assert lines(places.result(plug)) == (22, {14, 15, 16, 17, 22})
