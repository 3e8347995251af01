"""The AsyncAPI document of a folder, as AsyncAPI's own parser reads it."""

import json
import subprocess
from pathlib import Path

import msgspec
import pytest

from plugsock.shapes import asyncapi
from support import npm
from support.folder_shapes import described, shapes

READER = Path(__file__).parents[1] / "support" / "asyncapi.mjs"

SHOP = '''
import datetime as dt
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Annotated, Any, Literal, NamedTuple

topic("room.*", requires="rooms.read:{*}", history=3)
topic("news/all")

class Pair(NamedTuple):
    left: int
    right: str = ""

class Line(Struct, array_like=True):
    sku: str
    count: int = 1

class Card(Struct, tag="card"):
    number: str

class Cash(Struct, tag="cash"):
    sum: Decimal

class Order(Struct, forbid_unknown_fields=True):
    """What somebody wants."""
    lines: list[Line]
    payment: Card | Cash | None = None
    pair: tuple[int, str] = (1, "a")
    pairs: dict[str, Pair] = {}
    when: Annotated[dt.datetime, Meta(tz=True)] | None = None
    replaces: Annotated["Order", Meta(description="Another one.")] | None = None

@plug(requires="orders.write")
async def place(order: Order) -> Order:
    """Place an order."""

@plug
async def find(words, colour: Literal["red", 3] = 3, data: Any = None) -> Any: ...

@plug
async def tail() -> AsyncIterator[Order]:
    yield 1

@view(on="a")
async def summary() -> dict[str, int]: ...

@plug
async def upload(data: Raw) -> Raw: ...
'''


@pytest.fixture
def document(tmp_path):
    types = described(tmp_path, shop=SHOP)
    made = asyncapi.document(shapes(tmp_path, shop=SHOP), types, host="127.0.0.1:8765", is_secure=False)
    return json.loads(msgspec.json.encode(made))


@npm.needs("asyncapi")
def test_the_official_parser_finds_it_valid(document):
    read = subprocess.run(
        ["node", READER, npm.modules("asyncapi").parent],
        input=json.dumps(document),
        capture_output=True,
        text=True,
        check=True,
        timeout=50,
    )

    said = json.loads(read.stdout)
    assert [each for each in said["diagnostics"] if each["severity"] == 0] == []
    assert said["channels"] == list(document["channels"])


def test_every_event_and_every_rule_is_a_channel_and_an_operation(document):
    events = [f"shop.{name}" for name in ("find", "place", "summary", "tail", "upload")]

    assert list(document["channels"]) == [*events, "@topic:news/all", "@topic:room.*"]
    assert list(document["operations"]) == list(document["channels"])


@pytest.mark.parametrize(
    ("event", "messages"),
    [
        ("shop.place", ["call", "ok", "error"]),
        ("shop.tail", ["call", "item", "error", "ok"]),
        ("shop.summary", ["watch", "item", "error"]),
        ("@topic:room.*", ["push"]),
    ],
)
def test_the_messages_are_the_frames_that_go_both_ways(document, event, messages):
    assert list(document["channels"][event]["messages"]) == messages


def test_a_call_is_received_and_answered(document):
    place = document["operations"]["shop.place"]

    assert place["action"] == "receive"
    assert place["messages"] == [{"$ref": "#/channels/shop.place/messages/call"}]
    assert [each["$ref"].rpartition("/")[2] for each in place["reply"]["messages"]] == ["ok", "error"]
    assert place["description"] == "For those who have `orders.write`."


def test_a_push_is_sent_to_those_who_have_joined(document):
    room, channel = document["operations"]["@topic:room.*"], document["channels"]["@topic:room.*"]

    assert (room["action"], channel["address"]) == ("send", "room.{rest}")
    assert "rest" in channel["parameters"]
    assert room["description"] == "For those who have `rooms.read:{*}`."
    assert document["operations"]["@topic:news/all"]["channel"] == {"$ref": "#/channels/@topic:news~1all"}


def test_the_socket_is_opened_with_the_subprotocol(document):
    binding = document["channels"]["shop.place"]["bindings"]["ws"]

    assert binding["headers"]["properties"]["Sec-WebSocket-Protocol"]["const"] == "plugsock.v1"
    assert document["servers"]["plugsock"] == {"host": "127.0.0.1:8765", "protocol": "ws"}


def test_it_carries_the_hash_of_all_shapes(document, tmp_path):
    digest = shapes(tmp_path, shop=SHOP).digest

    assert (document["info"]["version"], document["x-plugsock"]) == (digest, {"shapes": digest})


def test_schemas_are_in_the_words_of_draft_7():
    pair = {"type": "array", "prefixItems": [{"$ref": "#/$defs/Order"}, True], "items": False}
    described = {"$ref": "#/$defs/Order", "description": "Another one."}

    assert asyncapi.as_draft_7(pair) == {
        "type": "array",
        "items": [{"$ref": "#/components/schemas/Order"}, True],
        "additionalItems": False,
    }
    assert asyncapi.as_draft_7(described) == {
        "allOf": [{"$ref": "#/components/schemas/Order"}],
        "description": "Another one.",
    }
