"""When a client comes back, when it stays away, and what it says of that."""

import asyncio
import itertools
import socket as sockets
from types import SimpleNamespace

import pytest

from plugsock.client import Backoff, connect, keeper
from plugsock.client.states import Why
from plugsock.errors import Disconnected, Error
from support.conversing import everything_received, listening
from support.returning import AT_ONCE, NEVER, hosting, states_of, until, visiting


def free_port():
    with sockets.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


# coming back


async def test_the_four_states_follow_each_other():
    async with visiting() as (client, host, hosts):
        states = states_of(client)
        assert client.state == "open"
        host.drops()
        await hosts.welcomes(2)

        assert [(await states.get()) for _ in range(3)] == [
            ("waiting", Why(1006, "", 0.0)),
            ("connecting", None),
            ("open", None),
        ]
    assert await states.get() == ("closed", Why(1000, ""))
    assert client.state == "closed"


@pytest.mark.parametrize("code", [1001, 1011, 1012, 1013, 4000, 4001, 4002, 4003, 4005, 4499])
async def test_it_comes_back_after_what_passes(code):
    async with visiting() as (client, host, hosts):
        states = states_of(client)
        await host.websocket.close(code, "soon")
        await hosts.welcomes(2)

        assert await until(states, "waiting") == Why(code, "soon", 0.0)
        await until(states, "open")


@pytest.mark.parametrize("code", [1000, 1003, 1008, 4501, 4502, 4503, 4504, 4999, 3000])
async def test_it_stays_away_when_it_shall(code):
    async with visiting() as (client, host, _):
        states = states_of(client)
        await host.websocket.close(code, "never")

        assert await states.get() == ("closed", Why(code, "never"))
        with pytest.raises(Disconnected, match="closed"):
            await client.call("echo")


async def test_without_reconnect_everything_ends_with_the_connection():
    async with visiting(reconnect=False) as (client, host, _):
        states = states_of(client)
        host.drops()

        assert await states.get() == ("closed", Why(1006, ""))


async def test_an_anonymous_client_does_not_come_back():
    async with listening() as (url, peer), connect(url, hello=False) as client:
        states = states_of(client)
        (await peer).websocket.transport.abort()

        assert await states.get() == ("closed", Why(1006, ""))


async def test_the_server_says_when_to_come_back():
    async with visiting(backoff=NEVER) as (client, host, hosts):
        states = states_of(client)
        await host.says('notice goodbye {"retry_ms":10}')
        await host.websocket.close(4000, "drain")
        await hosts.welcomes(2)

        assert await until(states, "waiting") == Why(4000, "drain", 0.01)


async def test_what_it_said_is_done_once():
    async with visiting(backoff=NEVER) as (client, host, hosts):
        states = states_of(client)
        await host.says('notice goodbye {"retry_ms":10}')
        await host.websocket.close(4000, "drain")
        other, _ = await hosts.welcomes(2)
        await until(states, "open")
        other.drops()

        assert await until(states, "waiting") == Why(1006, "", 3600.0)


async def test_a_server_that_can_not_be_reached_is_tried_again_until_it_can():
    async with hosting() as hosts:
        pauses = []
        backoff = Backoff(draw=lambda _least, most: pauses.append(most) or 0.0)
        welcoming = asyncio.ensure_future(hosts.welcomes())  # noqa: TID251 - it is awaited in the block
        async with connect(hosts.url, backoff=backoff) as client:
            states = states_of(client)
            host, _ = await welcoming
            host.drops()
            for _ in range(2):
                (await hosts.next()).drops()
            await hosts.welcomes(4)
            await until(states, "open")

    assert pauses == [0.5, 1.0, 2.0]


async def test_a_refusal_that_passes_is_waited_out_as_long_as_the_server_says():
    async with visiting(backoff=AT_ONCE) as (client, host, hosts):
        states = states_of(client)
        host.drops()
        other = await hosts.next()
        await other.is_asked(2)
        await other.says('error 2 {"code":"overloaded","message":"Busy.","retry":true,"after_ms":10}')
        await hosts.welcomes(3)

        await until(states, "waiting")
        assert await until(states, "waiting") == Why(None, "overloaded: Busy.", 0.01)


async def test_a_refusal_is_the_end():
    async with visiting() as (client, host, hosts):
        states = states_of(client)
        host.drops()
        other = await hosts.next()
        await other.is_asked(2)
        await other.says('error 2 {"code":"unauthorized","message":"Nobody knows you by that.","retry":false}')

        assert await until(states, "closed") == Why(4501, "unauthorized: Nobody knows you by that.")


async def test_it_can_be_woken():
    async with visiting(backoff=NEVER) as (client, host, hosts):
        states = states_of(client)
        host.drops()
        await until(states, "waiting")
        client.wake()
        await hosts.welcomes(2)
        await until(states, "open")


async def test_a_wake_up_of_a_client_that_is_there_is_not_kept():
    async with visiting(backoff=NEVER) as (client, host, _):
        states = states_of(client)
        client.wake()
        host.drops()

        assert (await until(states, "waiting")).retry_s == 3600.0
        assert states.empty()


async def test_it_wakes_by_itself_when_the_machine_has_slept(monkeypatch):
    nights = itertools.count(0, 8 * 3600)
    monkeypatch.setattr(keeper, "LOOK_S", 0.01)
    async with visiting(backoff=NEVER) as (client, host, hosts):
        states = states_of(client)
        monkeypatch.setattr(keeper, "time", SimpleNamespace(time=lambda: next(nights)))
        host.drops()
        await hosts.welcomes(2)

        assert (await until(states, "waiting")).retry_s == 3600.0
        await until(states, "open")


@pytest.mark.parametrize("when", ["waiting", "connecting"])
async def test_a_block_may_end_while_there_is_no_connection(when):
    async with visiting(backoff=NEVER if when == "waiting" else AT_ONCE) as (client, host, _):
        states = states_of(client)
        host.drops()
        await until(states, when)

    assert (await until(states, "closed")).code == 1000


# tokens


async def test_a_function_is_asked_for_a_token_whenever_one_is_needed():
    tokens = iter(["first", "second"])
    async with hosting() as hosts:
        welcoming = asyncio.ensure_future(hosts.welcomes())  # noqa: TID251 - it is awaited in the block
        async with connect(hosts.url, lambda: next(tokens), backoff=AT_ONCE):
            host, hello = await welcoming
            host.drops()
            _, other = await hosts.welcomes(2)

    assert (hello["token"], other["token"]) == ("first", "second")


async def test_a_function_that_fails_meanwhile_is_asked_again(caplog):
    tokens = iter(["first", None, "second"])

    async def ask():
        token = next(tokens)
        if token is None:
            raise OSError("no network")
        return token

    async with visiting(ask) as (client, host, hosts):
        states = states_of(client)
        host.drops()
        _, hello = await hosts.welcomes(2)

        assert hello["token"] == "second"
        await until(states, "waiting")
        assert await until(states, "waiting") == Why(None, "no network", 0.0)
    assert "could not come back" in caplog.text


async def test_what_a_function_raises_before_anything_was_opened_is_the_callers():
    def ask():
        raise KeyError("who")

    async with hosting() as hosts:
        with pytest.raises(KeyError):
            async with connect(hosts.url, ask, wait=60.0):
                pass


async def test_a_function_that_never_answers_is_given_up():
    async with hosting() as hosts:
        with pytest.raises(Disconnected, match=r"the token took longer than 0\.01 s"):
            async with connect(hosts.url, asyncio.Event().wait, open_timeout_s=0.01):
                pass


async def test_a_block_may_end_while_a_function_has_not_answered():
    asked: asyncio.Queue = asyncio.Queue()
    answers = iter([None, asyncio.Event()])

    async def ask():
        asked.put_nowait(None)
        if (never := next(answers)) is not None:
            await never.wait()

    async with visiting(ask) as (client, host, _):
        states = states_of(client)
        await asked.get()
        host.drops()
        await asked.get()

    assert (await until(states, "closed")).code == 1000


async def test_a_token_that_has_expired_is_replaced_by_the_function():
    tokens = iter(["first", "second"])
    async with visiting(lambda: next(tokens)) as (_, host, _hosts):
        await host.says('notice token {"expired":true,"grace_ms":30000}')
        await host.hears('token 2 plugsock {"token":"second"}')
        await host.says('ok 2 {"user":"ada","permissions":[],"expires":null}')


async def test_a_function_without_another_token_harms_nobody(caplog):
    tokens = iter(["first", "first"])
    async with visiting(lambda: next(tokens)) as (client, host, _):
        await host.says('notice token {"expired":true,"grace_ms":30000}')
        await host.hears('token 2 plugsock {"token":"first"}')
        await host.says('error 2 {"code":"unauthorized","message":"Nobody knows you by that.","retry":false}')
        await everything_received(client, host)

    assert "the client has no new token" in caplog.text


# the first connection


async def test_the_first_connection_is_tried_once():
    with pytest.raises(Disconnected, match="No connection to"):
        async with connect(f"ws://127.0.0.1:{free_port()}"):
            pass


async def test_a_server_that_starts_is_waited_for():
    async with hosting() as hosts:

        async def slow_start():
            (await hosts.next()).drops()
            return await hosts.welcomes(2)

        starting = asyncio.ensure_future(slow_start())  # noqa: TID251 - it is awaited in the block
        async with connect(hosts.url, wait=30.0, backoff=AT_ONCE) as client:
            await starting
            assert client.state == "open"


async def test_it_is_not_waited_for_longer_than_said():
    with pytest.raises(Disconnected, match="No connection to"):
        async with connect(f"ws://127.0.0.1:{free_port()}", wait=5.0, backoff=NEVER):
            pass


@pytest.mark.parametrize("url", ["nonsense", "ws://127.0.0.1:94312"])
async def test_an_address_that_can_be_none_is_not_waited_for(url):
    with pytest.raises(Disconnected, match="No connection to"):
        async with connect(url, wait=3600.0, backoff=AT_ONCE):
            pass


async def test_a_refusal_is_not_waited_for():
    async with hosting() as hosts:

        async def refuse():
            other = await hosts.next()
            await other.is_asked()
            await other.says('error 1 {"code":"unauthorized","message":"","retry":false}')

        refusing = asyncio.ensure_future(refuse())  # noqa: TID251 - it is awaited below
        with pytest.raises(Error, match="unauthorized"):
            async with connect(hosts.url, wait=3600.0, backoff=AT_ONCE):
                pass
        await refusing
