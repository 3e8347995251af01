import json
import os
import subprocess

import websockets

from plugsock.cli.who import HEADER
from support import executable
from support.once import connect

FAR = "2100-01-01T00:00:00Z"


def columns(out):
    return [dict(zip(HEADER, line.split("\t"), strict=True)) for line in out.splitlines()]


def row(user, sockets, permissions="-", expires="-", granted="-", denied="-", shapes="-"):
    return dict(zip(HEADER, (user, sockets, permissions, expires, granted, denied, shapes), strict=True))


async def test_each_user_is_a_line_with_all_that_is_known(guarded, run_beside):
    await run_beside("grant", "ada", "staff")
    await run_beside("revoke", "ada", "orders.delete")

    async with connect(guarded.url, token="ada"), connect(guarded.url, token="ada"), connect(guarded.url, token="bob"):
        status, out, err = await run_beside("who")

    assert (status, err) == (0, "")
    assert columns(out) == [
        row("ada", "2", "orders.* staff !orders.delete", FAR, "staff", "orders.delete"),
        row("bob", "1", "orders.*", FAR),
    ]


async def test_who_was_denied_something_is_shown_without_a_socket_too(guarded, run_beside):
    await run_beside("revoke", "carl", "*")

    assert columns((await run_beside("who"))[1]) == [row("carl", "0", denied="*")]


async def test_whoever_has_not_said_who_they_are_is_counted(server, run_beside):
    async with connect(server.url), connect(server.url):
        out = (await run_beside("who"))[1]

    assert columns(out) == [row("-", "2")]


async def test_what_clients_were_built_for_is_shown(server, run_beside):
    async with websockets.connect(server.url) as one, websockets.connect(server.url) as other:
        for socket, shapes in ((one, "5d41402abc4b"), (other, "9e107d9d372b")):
            await socket.send(f'hello 1 plugsock {{"v":1,"shapes":"{shapes}"}}')
            await socket.recv()
        out = (await run_beside("who"))[1]

    assert columns(out) == [row("-", "2", shapes="5d41402abc4b 9e107d9d372b")]


async def test_for_people_it_is_a_table(guarded, run_beside):
    async with connect(guarded.url, token="ada"):
        out = (await run_beside("who", "--color", "always", NO_COLOR="1"))[1]

    assert all(title in out.splitlines()[1] for title in ("user", "sockets", "permissions"))
    assert "orders.*" in out


async def test_for_machines_it_is_one_json_document(guarded, run_beside):
    async with connect(guarded.url, token="ada"):
        found = json.loads((await run_beside("who", "--format", "json"))[1])

    ada = {"user": "ada", "sockets": 1, "permissions": ["orders.*"], "expires": 4102444800.0}
    assert found == {
        "users": [{**ada, "granted": [], "denied": [], "shapes": []}],
        "anonymous": 0,
        "anonymous_shapes": [],
        "shapes": {},
    }


def test_nobody_is_no_line(guarded, plugsock):
    assert plugsock("who") == (0, "", "")


def test_the_shell_completes_the_users_that_the_server_knows(guarded, plugsock, home):
    plugsock("revoke", "ada", "orders.delete")
    plugsock("revoke", "bob", "orders.delete")
    typed = {"_PLUGSOCK_COMPLETE": "bash_complete", "COMP_WORDS": "plugsock grant a", "COMP_CWORD": "2"}

    ended = subprocess.run(
        executable.command(), env=os.environ | typed, cwd=home, capture_output=True, text=True, check=True
    )

    assert (ended.stdout, ended.stderr) == ("plain,ada\n", "")


def test_without_a_server_it_says_so(plugsock):
    status, out, err = plugsock("who")

    assert (status, out, err.count("\n")) == (1, "", 1)
    assert "no server runs" in err
