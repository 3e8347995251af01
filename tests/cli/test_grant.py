import json

import pytest

from support.once import connect


async def test_it_is_in_force_when_it_has_answered(guarded, run_beside):
    async with connect(guarded.url, token="ada") as ada:
        status, out, err = await run_beside("grant", "ada", "reports.read")
        await ada.ping()

        assert (status, out, err) == (0, "granted  ada  reports.read  (1 socket)\n", "")
        assert ada.permissions == ["orders.*", "reports.read"]


async def test_it_gives_back_what_was_revoked(guarded, run_beside):
    await run_beside("revoke", "ada", "orders.read")
    await run_beside("grant", "ada", "orders.read")

    async with connect(guarded.url, token="ada") as ada:
        assert await ada.call("auth.orders") == 3


def test_what_is_denied_more_widely_stays_so_and_is_said_with_the_way_out(guarded, plugsock):
    plugsock("revoke", "ada", "orders.*")

    granted, still = plugsock("grant", "ada", "orders.read")[1].splitlines()

    assert granted.startswith("granted  ada  orders.read ")
    assert still.startswith("still denied: orders.*,")
    assert "`plugsock grant ada 'orders.*'`" in still


def test_for_machines_it_is_one_json_document(guarded, plugsock):
    plugsock("revoke", "ada", "*")

    assert json.loads(plugsock("grant", "ada", "a", "--format", "json")[1]) == {
        "sockets": 0,
        "calls": 0,
        "streams": 0,
        "views": 0,
        "topics": 0,
        "standing": ["*"],
    }


@pytest.mark.parametrize(("user", "permission"), [("ada", "orders read"), ("ada", "ord*"), ("", "orders"), ("ada", "")])
def test_what_is_no_user_and_no_permission_is_refused_in_one_line(guarded, plugsock, user, permission):
    status, out, err = plugsock("grant", user, permission)

    assert (status, out, err.count("\n")) == (1, "", 1)
    assert "the server refused: " in err


@pytest.mark.parametrize("user", ["\udcff", "u" * 5000])
def test_what_can_not_even_be_asked_is_wrong_usage(guarded, plugsock, user):
    status, out, err = plugsock("grant", user, "orders.read")

    assert (status, out, err.count("\n")) == (2, "", 1)


def test_without_a_server_it_says_so(plugsock):
    status, out, err = plugsock("grant", "ada", "orders.read")

    assert (status, out, err.count("\n")) == (1, "", 1)
    assert "no server runs" in err
