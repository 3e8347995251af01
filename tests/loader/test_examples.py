"""What authors can say behind `examples=`."""

import pytest
from msgspec import Struct

from plugsock import plug, view
from plugsock.errors import DeclareError
from plugsock.loader.declare import MARK
from plugsock.loader.examples import checked_examples


class Order(Struct):
    sku: str


def test_each_is_a_payload_or_a_pair_of_it_and_the_answer():
    payload, pair, nothing = checked_examples([{"sku": "tea"}, (Order("tea"), None), None])

    assert (payload.payload, payload.has_answer) == ({"sku": "tea"}, False)
    assert (pair.payload, pair.answer, pair.has_answer) == (Order("tea"), None, True)
    assert (nothing.payload, nothing.has_answer) == (None, False)


@pytest.mark.parametrize("mark", [plug, view])
def test_plugs_and_views_have_them(mark):
    @mark(examples=[{"sku": "tea"}])
    def it(sku: str): ...

    @mark
    def other(): ...

    assert [each.payload for each in getattr(it, MARK).examples] == [{"sku": "tea"}]
    assert getattr(other, MARK).examples == ()


@pytest.mark.parametrize(
    ("examples", "why"),
    [
        ({"sku": "tea"}, "examples= must be a list, not a dict, of payloads and of pairs (payload, answer)"),
        (({"sku": "tea"}, 3), "examples= must be a list, not a tuple"),
        ([{}, (1, 2, 3)], "example 2 is a tuple of 3: it must be a payload, or a pair of it and the answer"),
    ],
)
def test_anything_else_is_refused(examples, why):
    with pytest.raises(DeclareError) as error:
        plug(examples=examples)

    assert str(error.value).startswith(why)
