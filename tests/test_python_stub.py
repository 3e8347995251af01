"""The module that `plugsock types --lang python` writes, used against the server that it was written of."""

import asyncio
import importlib.util
import sys

import pytest

from plugsock.client import blocking, connect
from plugsock.errors import Error
from support import executable
from support.server import running

pytestmark = pytest.mark.end_to_end

ORDERS = """
import datetime as dt
from collections.abc import AsyncIterator
from typing import Annotated

from msgspec import Meta, Struct
from plugsock import Raw, plug, view


class Order(Struct, rename="camel"):
    sku: str
    unit_count: Annotated[int, Meta(ge=1)] = 1


class Receipt(Struct):
    order: Order
    day: dt.date


@plug
async def place(order: Order) -> Receipt:
    return Receipt(order, dt.date(2026, 11, 24))


@plug
async def counted(upto: int = 3) -> AsyncIterator[int]:
    for n in range(upto):
        yield n


@view
async def summary(day: dt.date) -> dict[str, dt.date]:
    return {"day": day}


@plug
async def maybe(order: Order | None = Order("tea")) -> Order | None:
    return order


@plug
async def same(data: Raw) -> Raw:
    return data


@plug
async def nothing() -> None:
    return None
"""


async def stub(folder, monkeypatch):
    """What the command makes of a folder, imported."""
    file = folder.parent / "stub.py"
    command = [*executable.command(), "types", str(folder), "--lang", "python", "--output", str(file)]
    process = await asyncio.create_subprocess_exec(*command, cwd=folder.parent, stdout=asyncio.subprocess.DEVNULL)
    assert await process.wait() == 0
    spec = importlib.util.spec_from_file_location("python_stub", file)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "python_stub", module)
    spec.loader.exec_module(module)
    return module


async def test_a_program_has_the_plugs_as_functions(tmp_path, monkeypatch):
    async with running(tmp_path / "plugs", orders=ORDERS) as server:
        made = await stub(tmp_path / "plugs", monkeypatch)
        async with connect(server.url, shapes=made.SHAPES) as client:
            orders = made.Plugs(client).orders

            assert client.welcome["shapes"] == made.SHAPES
            receipt = await orders.place(made.Order("tea", unit_count=2))
            assert receipt == made.Receipt(made.Order("tea", 2), receipt.day)
            assert str(receipt.day) == "2026-11-24"
            with pytest.raises(Error) as refused:
                await orders.place(made.Order("tea", unit_count=0))
            assert refused.value.code == "bad_payload"

            assert [n async for n in orders.counted()] == [0, 1, 2]
            assert [n async for n in orders.counted(upto=1)] == [0]
            async with orders.summary(receipt.day) as view:
                assert await anext(view) == {"day": receipt.day}
            assert await orders.maybe() == made.Order("tea")
            assert await orders.maybe(made.Order("milk")) == made.Order("milk")
            assert await orders.same(made.Raw(b'[ "as it is" ]')) == b'[ "as it is" ]'
            assert await orders.nothing() is None


async def test_so_has_a_script(tmp_path, monkeypatch):
    def script(url, made):
        with blocking.connect(url) as client:
            orders = made.BlockingPlugs(client).orders
            receipt = orders.place(made.Order("tea"))
            with orders.summary(receipt.day) as view:
                return receipt.order, list(orders.counted(2)), next(view)

    async with running(tmp_path / "plugs", orders=ORDERS) as server:
        made = await stub(tmp_path / "plugs", monkeypatch)
        order, items, value = await asyncio.to_thread(script, server.url, made)

    assert order == made.Order("tea", 1)
    assert items == [0, 1]
    assert list(value) == ["day"]
