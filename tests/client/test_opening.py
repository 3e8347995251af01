import asyncio
import socket as sockets

import pytest

from plugsock.client import connect
from plugsock.errors import Disconnected, Error


async def test_hello_is_the_first_thing_said_and_the_welcome_can_be_read(server):
    url, peer = server

    async def greet():
        answering = await peer
        await answering.hears('hello 1 plugsock {"v":1,"format":"msgpack","token":"s3cret"}')
        await answering.says('welcome 1 {"session":"s1"}')

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(greet())
        async with connect(url, token="s3cret", format="msgpack") as socket:
            assert socket.welcome == {"session": "s1"}


async def test_a_broadcast_may_come_before_the_welcome(server):
    url, peer = server

    async def greet():
        await (await peer).says("push - chat.message 1", 'welcome 1 {"session":"s1"}')

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(greet())
        async with connect(url) as socket:
            assert socket.welcome == {"session": "s1"}


async def test_a_refused_hello_is_raised(server):
    url, peer = server

    async def refuse():
        await (await peer).says('error 1 {"code":"unauthorized","message":"Who are you?"}')

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(refuse())
        with pytest.raises(Error, match="unauthorized: Who are you"):
            async with connect(url):
                pass


async def test_the_welcome_says_who_one_is_and_what_one_may_do(server):
    url, peer = server

    async def greet():
        await (await peer).says('welcome 1 {"session":"s1","user":"ada","permissions":["orders.*"]}')

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(greet())
        async with connect(url, token="s3cret") as socket:
            assert (socket.user, socket.permissions) == ("ada", ["orders.*"])


async def test_a_close_instead_of_a_welcome_is_raised_with_its_code(server):
    url, peer = server

    async def slam():
        await (await peer).websocket.close(4501, "token expired")

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(slam())
        with pytest.raises(Disconnected, match="close code 4501: token expired") as caught:
            async with connect(url):
                pass
    assert caught.value.code == 4501


async def test_a_server_that_never_answers_hello_is_given_up(server):
    url, _ = server

    with pytest.raises(Disconnected, match=r"did not answer hello within 0\.05 s"):
        async with connect(url, open_timeout_s=0.05):
            pass


async def test_a_server_of_another_protocol_is_told_apart(server):
    url, peer = server

    async def babble():
        await (await peer).says('42["hello"]')

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(babble())
        with pytest.raises(Disconnected, match="another protocol"):
            async with connect(url):
                pass


async def test_nobody_listening_is_one_clear_error():
    with sockets.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    with pytest.raises(Disconnected, match=f"No connection to ws://127.0.0.1:{port}") as caught:
        async with connect(f"ws://127.0.0.1:{port}"):
            pass
    assert caught.value.code is None


async def test_an_address_that_is_none_is_one_clear_error():
    with pytest.raises(Disconnected, match="No connection to nonsense"):
        async with connect("nonsense"):
            pass


async def test_what_the_block_raises_comes_out_as_it_is(talk):
    with pytest.raises(ZeroDivisionError):
        async with talk():
            1 / 0  # noqa: B018


async def test_the_connection_is_closed_at_the_end_of_the_block(talk):
    async with talk() as (_, peer):
        pass

    await peer.websocket.wait_closed()
    assert peer.websocket.close_code == 1000


async def test_leaving_the_block_ends_the_calls_of_others(talk):
    async with talk() as (socket, peer):
        call = asyncio.ensure_future(socket.call("slow"))  # noqa: TID251
        await peer.hears("call 1 slow")

    with pytest.raises(Disconnected, match="slow"):
        await call


@pytest.mark.parametrize("url", ["ws://127.0.0.1:94312", "ws://127.0.0.1:port", "http://127.0.0.1", "nonsense"])
async def test_a_url_that_can_be_none_is_no_connection(url):
    with pytest.raises(Disconnected, match="No connection to"):
        async with connect(url):
            pass
