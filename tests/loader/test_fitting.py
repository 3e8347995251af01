"""Whether examples fit, and what they are on the wire."""

import msgspec
import pytest

from plugsock.loader.fitting import answer_json, misfits, payload_json, plain

HEAD = """
from collections.abc import AsyncIterator
from msgspec import Struct
from plugsock import Raw, Socket, plug, view


class Order(Struct, rename="camel"):
    order_id: int
    count: int = 1


class Broken(Struct):
    number: int

    def __post_init__(self):
        if self.number == 13:
            raise RuntimeError("unlucky")

"""


@pytest.fixture
def only_plug(shelf):
    """The one plug of a file."""

    def load(examples, function):
        shelf.write("it.py", f"@plug(examples={examples})\n{function}\n", head=HEAD)
        look = shelf.swap()
        assert not look.problems, look.problems
        return shelf.loader.catalog["it"]

    return load


PLACE = "async def it(order: Order) -> Order: ..."
FIELDS = "async def it(a: int, order: Order | None = None, *, socket: Socket) -> list[int]: ..."
STREAM = "async def it(a: int = 1) -> AsyncIterator[int]:\n    yield a"
RAW = "async def it(data: Raw) -> Raw:\n    return data"


def test_an_instance_of_the_files_own_class_is_what_clients_send(only_plug):
    plug = only_plug("[(Order(3), Order(3, 2)), None]", PLACE)

    first, nothing = plug.examples
    assert payload_json(plug, first) == b'{"orderId":3,"count":1}'
    assert answer_json(plug, first) == b'{"orderId":3,"count":2}'
    assert payload_json(plug, nothing) == b""


def test_bytes_are_what_they_are_where_nobody_decodes_them(only_plug):
    plug = only_plug('[(b"\\x00", b"[1]")]', RAW)

    assert (payload_json(plug, plug.examples[0]), answer_json(plug, plug.examples[0])) == (b"\x00", b"[1]")
    assert misfits(plug) == []


@pytest.mark.parametrize(
    ("examples", "function"),
    [
        ('[{"orderId": 1}, ({"orderId": 1}, Order(1))]', PLACE),
        ('[{"a": 1}, {"a": 1, "order": {"orderId": 2}}, ({"a": 1, "order": None}, [])]', FIELDS),
        ('[{}, None, ({"a": 2}, [1, 2])]', STREAM),
        ("[(None, [])]", STREAM),
        ("[]", PLACE),
    ],
)
def test_what_fits_is_no_misfit(only_plug, examples, function):
    assert misfits(only_plug(examples, function)) == []


@pytest.mark.parametrize(
    ("examples", "function", "why"),
    [
        ('[{"order_id": 1}]', PLACE, "example 1: its payload does not fit: Object missing required field `orderId`"),
        ("[None]", PLACE, "example 1: its payload does not fit: Expected `object`, got `null`"),
        ('[{"a": 1}, {"a": "1"}]', FIELDS, "example 2: its payload does not fit: Expected `int`, got `str` - at `$.a`"),
        ('[{"a": 1, "b": 2}]', FIELDS, "example 1: its payload does not fit: Object contains unknown field `b`"),
        ('[({"a": 1}, "x")]', FIELDS, "example 1: its answer does not fit: Expected `array`, got `str`"),
        ("[({}, 1)]", STREAM, "example 1: its answer does not fit: that of a stream is a list of its items"),
        ('[({}, [1, "b"])]', STREAM, "example 1: its answer does not fit: Expected `int`, got `str` - at `$[1]`"),
        ("[{1j: 2}]", FIELDS, "example 1: its payload does not fit: "),
        ('[{"number": 13}]', "async def it(it: Broken): ...", "example 1: its payload does not fit: unlucky"),
    ],
)
def test_what_does_not_fit_is_said(only_plug, examples, function, why):
    (said,) = misfits(only_plug(examples, function))

    assert said.startswith(why)


def test_both_sides_of_an_example_can_be_wrong(only_plug):
    assert len(misfits(only_plug('[({"a": "1"}, "x")]', FIELDS))) == 2


def test_plain_ones_fit_and_begin_with_those_that_have_an_answer(only_plug):
    plug = only_plug('[{"orderId": 1}, {"orderId": "no"}, (Order(2), Order(3))]', PLACE)

    assert [(each.payload, each.answer) for each in plain(plug)] == [
        ({"orderId": 2, "count": 1}, {"orderId": 3, "count": 1}),
        ({"orderId": 1}, None),
    ]


def test_no_payload_is_an_object_without_fields_where_parameters_are_fields(only_plug):
    assert [each.payload for each in plain(only_plug("[None]", STREAM))] == [{}]


def test_bytes_that_are_no_json_have_no_plain_value(only_plug):
    assert [each.payload for each in plain(only_plug('[b"\\x00", b"[1]", b"\\xff"]', RAW))] == [[1]]


def test_examples_are_not_announced_and_move_no_hash(only_plug):
    with_examples = only_plug('[{"a": 1}]', FIELDS).announcement
    without = only_plug("[]", FIELDS).announcement

    assert with_examples.shape == without.shape
    assert b"examples" not in msgspec.json.encode(with_examples)
