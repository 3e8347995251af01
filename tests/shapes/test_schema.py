"""The one JSON Schema of a folder, as validators read it."""

import json

import msgspec
import pytest
from jsonschema import Draft202012Validator

from support.folder_shapes import fits, schema, shapes

SHOP = '''
import datetime as dt
from collections.abc import AsyncIterator
from typing import Annotated, Any

topic("room.*", history=3)

class Order(Struct, forbid_unknown_fields=True):
    """What somebody wants."""
    sku: Annotated[str, Meta(min_length=1)]
    day: dt.date = dt.date(2026, 11, 24)
    count: int = 1

class Tree(Struct):
    name: str
    children: list["Tree"] = []

@plug(requires="orders.write")
async def place(order: Order) -> Tree:
    """Place an order.

    At once.
    """

@plug
async def find(words: list[str], order: Order | None = None, *, limit: Annotated[int, Meta(le=100)] = 10) -> Any: ...

@plug
async def tail() -> AsyncIterator[Order]:
    yield 1

@view(on="a")
async def summary() -> dict[str, int]: ...

@plug
async def upload(data: Raw) -> Raw: ...
'''
PLACE, FIND = "/properties/shop.place/properties", "/properties/shop.find/properties"


@pytest.fixture
def shop(tmp_path):
    return schema(tmp_path, shop=SHOP)


def test_it_is_json_schema_and_says_which(shop):
    Draft202012Validator.check_schema(shop)
    assert shop["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert json.loads(msgspec.json.encode(shop)) == json.loads(json.dumps(shop))


def test_it_carries_the_hash_of_all_shapes_and_the_topics(shop, tmp_path):
    assert shop["x-plugsock"]["shapes"] == shapes(tmp_path, shop=SHOP).digest
    assert [topic["pattern"] for topic in shop["x-plugsock"]["topics"]] == ["room.*"]


def test_each_kind_calls_what_comes_out_by_its_name(shop):
    outputs = {name: sorted(event["properties"]) for name, event in shop["properties"].items()}

    assert outputs["shop.place"] == ["payload", "result"]
    assert outputs["shop.tail"] == ["item", "payload"]
    assert outputs["shop.summary"] == ["payload", "value"]


def test_an_event_says_its_docstring_and_who_may_call_it(shop):
    place = shop["properties"]["shop.place"]

    assert place["description"] == "Place an order.\n\nAt once."
    assert place["x-plugsock"]["requires"] == (("orders.write",),)
    assert place["x-plugsock"]["kind"] == "call"


def test_a_type_is_there_once_under_the_name_that_its_author_gave_it(shop):
    assert list(shop["$defs"]) == ["Order", "Tree"]
    assert shop["$defs"]["Order"]["description"] == "What somebody wants."
    assert shop["properties"]["shop.tail"]["properties"]["item"] == {"$ref": "#/$defs/Order"}


@pytest.mark.parametrize(
    ("pointer", "good", "bad"),
    [
        ("/$defs/Order", {"sku": "tea"}, {"sku": ""}),
        ("/$defs/Order", {"sku": "tea", "day": "2026-11-24"}, {"sku": "tea", "day": 3}),
        (f"{PLACE}/payload", {"sku": "tea", "count": 2}, {"sku": "tea", "colour": "red"}),
        (f"{PLACE}/result", {"name": "a", "children": [{"name": "b"}]}, {"name": "a", "children": [{}]}),
        (f"{FIND}/payload", {"words": [], "order": None}, {}),
        (f"{FIND}/payload", {"words": ["a"], "order": {"sku": "tea"}, "limit": 100}, {"words": [], "limit": 101}),
        (f"{FIND}/payload", {"words": ["a"]}, {"words": ["a"], "offset": 1}),
    ],
)
def test_each_schema_holds_by_itself(shop, pointer, good, bad):
    assert fits(shop, pointer, good)
    assert not fits(shop, pointer, bad)


def test_parameters_have_their_defaults(shop):
    properties = shop["properties"]["shop.find"]["properties"]["payload"]["properties"]

    assert properties["limit"] == {"type": "integer", "maximum": 100, "default": 10}
    assert properties["order"]["default"] is None
    assert "default" not in properties["words"]


def test_any_is_anything_and_raw_says_that_nobody_looks(shop):
    assert shop["properties"]["shop.find"]["properties"]["result"] is True
    assert shop["properties"]["shop.upload"]["properties"]["payload"]["contentMediaType"] == "application/octet-stream"
    assert fits(shop, "/properties/shop.upload/properties/payload", [1, {"a": None}])


def test_as_a_whole_it_describes_examples(shop):
    example = {"shop.place": {"payload": {"sku": "tea"}, "result": {"name": "a"}}, "shop.summary": {"value": {}}}

    assert fits(shop, "", example)
    assert not fits(shop, "", {"shop.place": {"result": {"name": "a"}}})
    assert not fits(shop, "", {"nosuch": {}})
