"""What a worker tells of its plugs, when it is asked."""

import json

import pytest

from plugsock.loader.catalog import Catalog
from plugsock.shapes import describe, events, schema, typescript
from plugsock.worker.documents import Documents, made
from support.folder_shapes import loaded
from support.recording import RecordingSink

URL = "wss://plugs.example:8765"

ORDERS = """
    class Order(Struct):
        sku: str

    @plug
    async def place(order: Order) -> Order:
        return order
"""
TWICE = """
    class Item(Struct):
        a: int

    @plug
    def first(item: Item) -> int: return 1

    class Item(Struct):
        b: int

    @plug
    def second(item: Item) -> int: return 1
"""


async def told(catalog, name):
    sink = RecordingSink()
    documents = Documents(sink, lambda: catalog)
    documents.ask(7, name, URL)
    try:
        return await sink.document(7)
    finally:
        await documents.stop()


async def test_it_is_what_the_commands_print(tmp_path):
    with loaded(tmp_path, orders=ORDERS) as catalog:
        shapes = events.read(catalog)
        document = schema.document(shapes, describe.describe(shapes.events))

        assert json.loads((await told(catalog, "schema")).content) == json.loads(json.dumps(document))
        assert (await told(catalog, "types")).content.decode() == typescript.declarations(shapes)


async def test_asyncapi_says_where_the_server_is(tmp_path):
    with loaded(tmp_path, orders=ORDERS) as catalog:
        document = json.loads((await told(catalog, "asyncapi")).content)

    assert document["servers"] == {"plugsock": {"host": "plugs.example:8765", "protocol": "wss"}}


async def test_a_type_that_can_not_be_described_is_left_out_and_said(tmp_path):
    with loaded(tmp_path, items=TWICE) as catalog:
        document = await told(catalog, "schema")

    assert list(json.loads(document.content)["properties"]) == ["items.first"]
    assert [problem.events for problem in document.problems] == [("items.second",)]


@pytest.mark.parametrize("name", ["schema", "asyncapi", "types"])
def test_without_plugs_there_is_a_document_too(name):
    assert made(Catalog(), name, URL).content


async def test_whatever_goes_wrong_is_answered():
    document = await told(None, "schema")

    assert (document.content, document.problems) == (b"", [])
