import json

import pytest

from plugsock import Error
from support.once import connect


async def exhausted(items):
    async for _ in items:
        pass


async def test_it_ends_what_needs_the_permission(guarded, run_beside):
    async with connect(guarded.url, token="ada") as ada:
        items = ada.stream("auth.feed")
        assert await anext(items) == 1

        status, out, err = await run_beside("revoke", "ada", "orders.*")

        assert (status, out, err) == (0, "revoked  ada  orders.*  (1 socket, 1 stream)\n", "")
        with pytest.raises(Error, match="revoked"):
            await exhausted(items)
        with pytest.raises(Error, match="forbidden"):
            await ada.call("auth.orders")
        assert ada.permissions == []


async def test_it_outlives_the_server(guarded, serve, run_beside):
    await run_beside("revoke", "ada", "orders.read")
    guarded.stop()
    again = serve()

    async with connect(again.url, token="ada") as ada:
        with pytest.raises(Error, match="forbidden"):
            await ada.call("auth.orders")


def test_for_machines_it_is_one_json_document(guarded, plugsock):
    assert json.loads(plugsock("revoke", "ada", "a", "--format", "json")[1]) == {
        "sockets": 0,
        "calls": 0,
        "streams": 0,
        "views": 0,
        "topics": 0,
    }


def test_where_nobody_is_it_has_reached_no_sockets(guarded, plugsock):
    assert plugsock("revoke", "bob", "orders.read")[1] == "revoked  bob  orders.read  (0 sockets)\n"


def test_without_a_server_it_says_so(plugsock):
    status, out, err = plugsock("revoke", "ada", "orders.read")

    assert (status, out, err.count("\n")) == (1, "", 1)
    assert "no server runs" in err
