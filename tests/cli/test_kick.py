import json

import pytest

from plugsock.errors import Disconnected
from support.once import connect


async def test_it_closes_the_sockets_of_one_user_with_a_code_and_a_reason(guarded, run_beside):
    async with connect(guarded.url, token="ada") as ada, connect(guarded.url, token="bob") as bob:
        status, out, err = await run_beside("kick", "ada", "--reason", "maintenance", "--code", "4000")

        assert (status, out, err) == (0, "kicked  ada  (1 socket)\n", "")
        with pytest.raises(Disconnected) as lost:
            await ada.call("auth.orders")
        assert (lost.value.code, lost.value.reason) == (4000, "maintenance")
        assert await bob.call("auth.orders") == 3


async def test_without_a_code_the_client_stays_away(guarded, run_beside):
    async with connect(guarded.url, token="ada") as ada:
        await run_beside("kick", "ada")

        with pytest.raises(Disconnected) as lost:
            await ada.call("auth.orders")
        assert lost.value.code == 4502


def test_for_machines_it_is_one_json_document(guarded, plugsock):
    assert json.loads(plugsock("kick", "nobody", "--format", "json")[1]) == {"sockets": 0}


def test_a_code_that_is_not_for_plugsock_is_wrong_usage(plugsock):
    status, _, err = plugsock("kick", "ada", "--code", "1000")

    assert (status, err.count("\n")) == (2, 1)


def test_without_a_server_it_says_so(plugsock):
    status, out, err = plugsock("kick", "ada")

    assert (status, out, err.count("\n")) == (1, "", 1)
    assert "no server runs" in err
