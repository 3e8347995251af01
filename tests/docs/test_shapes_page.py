"""Whatever the page says where something is, it is there."""

import re
from pathlib import Path

import pytest

from plugsock.gateway.documents import PATHS
from plugsock.shapes.events import read
from plugsock.shapes.python import module
from plugsock.shapes.typescript import declarations
from support.folder_shapes import loaded, schema, shapes

PAGE = (Path(__file__).parents[2] / "docs" / "shapes.md").read_text(encoding="utf-8")
POINTERS = re.findall(r"^\| .* \| `#/([^`]+)` \|$", PAGE, re.MULTILINE)

ORDERS = """
class Order(Struct):
    sku: str

@plug
async def place(order: Order) -> int: ...

@view(on="orders")
async def summary() -> int: ...
"""
CLOCK = "@plug\nasync def ticks():\n    yield 1\n"


@pytest.mark.parametrize("pointer", POINTERS)
def test_each_place_is_there(tmp_path, pointer):
    found = schema(tmp_path, orders=ORDERS, clock=CLOCK)

    for part in pointer.split("/"):
        found = found[part]
    assert found is not None


def test_the_hash_is_there(tmp_path):
    assert len(schema(tmp_path, orders=ORDERS)["x-plugsock"]["shapes"]) == 12
    assert len(POINTERS) == 5


def above():
    plug = re.search(r"^```python\n# plugs/orders.py\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)[1]
    return f"from typing import Annotated\n{plug}"


def test_the_typescript_is_what_is_written_of_the_plug_above_it(tmp_path):
    shown = re.search(r"^```ts\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)[1]

    assert shown in declarations(shapes(tmp_path, orders=above()))


def test_the_python_is_what_is_written_of_it_too(tmp_path):
    shown = re.findall(r"^```python\n(class .*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    with loaded(tmp_path, orders=above()) as catalog:
        written = module(read(catalog))

    assert len(shown) == 2
    assert all(each in written for each in shown)


def test_each_path_of_a_running_server_is_there():
    assert set(re.findall(r"^\| `(/[a-z.]+)` \|", PAGE, re.MULTILINE)) == {*PATHS}
