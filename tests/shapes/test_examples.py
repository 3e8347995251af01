"""Examples in what is told of the shapes."""

import pytest
from jsonschema import Draft202012Validator

from plugsock.shapes import asyncapi
from plugsock.shapes.typescript import declarations
from support.folder_shapes import described, schema, shapes

SHOP = '''
from collections.abc import AsyncIterator
from typing import Any

class Order(Struct, forbid_unknown_fields=True):
    sku: str
    count: int = 1

@plug(examples=[{"sku": "tea", "count": 2}, (Order("moon"), {"sku": "moon"}), {"sku": 3}])
async def place(order: Order) -> Order:
    """Place an order."""
    return order

@plug(examples=[({}, [1, 2]), ({"a": 2}, [3])])
async def tail(a: int = 1) -> AsyncIterator[int]:
    yield a

@view(examples=[({}, 3)])
async def total() -> Any:
    return 3

@plug
async def none(a: int) -> int:
    return a
'''


@pytest.fixture
def shop(tmp_path):
    return schema(tmp_path, shop=SHOP)["properties"]


def test_answers_are_those_of_the_first_payloads(shop):
    sides = shop["shop.place"]["properties"]

    assert sides["payload"]["examples"] == [{"sku": "moon", "count": 1}, {"sku": "tea", "count": 2}]
    assert sides["result"]["examples"] == [{"sku": "moon"}]
    assert sides["result"]["$ref"] == "#/$defs/Order"


def test_the_items_of_a_stream_are_examples_of_an_item_and_its_answers_are_lists(shop):
    tail = shop["shop.tail"]

    assert tail["properties"]["payload"]["examples"] == [{}, {"a": 2}]
    assert tail["properties"]["item"]["examples"] == [1, 2, 3]
    assert tail["x-plugsock"]["answers"] == [[1, 2], [3]]
    assert "answers" not in shop["shop.place"]["x-plugsock"]


def test_what_can_be_anything_can_have_them_too(shop):
    assert shop["shop.total"]["properties"]["value"] == {"examples": [3]}


def test_an_event_without_examples_has_no_word_of_them(shop):
    assert "examples" not in str(shop["shop.none"])


def test_each_of_them_fits_its_schema(tmp_path):
    document = schema(tmp_path, shop=SHOP)
    Draft202012Validator.check_schema(document)

    for event in document["properties"].values():
        for side in event["properties"].values():
            whole = Draft202012Validator({**side, "$defs": document["$defs"]})
            assert all(whole.is_valid(example) for example in side.get("examples", ()))


def test_asyncapi_has_them_in_its_messages(tmp_path):
    document = asyncapi.document(
        shapes(tmp_path, shop=SHOP), described(tmp_path, shop=SHOP), host="127.0.0.1:8765", is_secure=False
    )

    messages = document["channels"]["shop.place"]["messages"]
    assert messages["ok"]["payload"] == {
        "allOf": [{"$ref": "#/components/schemas/Order"}],
        "examples": [{"sku": "moon"}],
    }


def test_editors_show_them(tmp_path):
    text = declarations(shapes(tmp_path, shop=SHOP))

    assert ' * @example {"sku":"moon","count":1} // {"sku":"moon"}\n' in text
    assert ' * @example {"sku":"tea","count":2}\n' in text


def test_a_long_one_is_cut_in_a_comment_and_ends_none(tmp_path):
    text = declarations(shapes(tmp_path, a=f"@plug(examples=[{{'text': '*/{'x' * 300}'}}])\ndef go(text: str): ...\n"))

    assert '@example {"text":"*\\/xxx' in text
    assert "x..." in text
    assert "x" * 201 not in text


def test_examples_move_no_hash(tmp_path):
    with_examples = shapes(tmp_path, shop=SHOP)
    without = shapes(tmp_path, shop=SHOP.replace("examples=", "examples=[] or []; ").replace("[] or []; ", "[] and "))

    assert with_examples.events[1].examples
    assert not without.events[1].examples
    assert with_examples.digest == without.digest
