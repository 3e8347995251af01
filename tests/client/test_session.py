"""What becomes of what was asked for when the connection goes and another one comes."""

import asyncio
import json
from contextlib import AsyncExitStack

import pytest

from plugsock.client.exchange import Exchange
from plugsock.client.listeners import Listeners
from plugsock.client.request import Request
from plugsock.client.session import Session
from plugsock.errors import Disconnected, Error
from support.conversing import everything_received, outcome
from support.returning import AT_ONCE, NEVER, states_of, until, visiting

ROOM = "room.kitchen"


def error(id, code):
    return f"error {id} " + json.dumps({"code": code, "message": "", "retry": code == "not_received"})


def joined(offset, *, recovered=False, epoch="e1"):
    return {"epoch": epoch, "offset": offset, "recovered": recovered, "members": None}


# calls


async def test_what_was_not_said_when_a_connection_goes_at_once_waits_on():
    class Gone:
        async def say(self, *_parts, binary=False):
            raise Disconnected("It is gone")

    session = Session(lambda _frame, _binary: None, Listeners(), comes_back=True)
    exchanges = [Exchange(f"wait.{number}") for number in range(3)]
    async with AsyncExitStack() as stack:
        for exchange in exchanges:
            await stack.enter_async_context(session.opened(Request(b"call", exchange)))
        session.welcomed(Gone(), {"resume": "key", "limits": {"calls": 1, "watches": 0}})
        await asyncio.sleep(0)
        session.lost()

        assert session.earlier()["open"] == {"1": 0}  # there is room for one, and no need for more


async def test_a_call_gets_its_answer_over_the_next_connection(tasks):
    async with visiting() as (client, host, hosts):
        call = tasks.create_task(client.call("orders.place"))
        await host.hears("call 2 orders.place")
        host.drops()
        other, hello = await hosts.welcomes(3)
        await other.says("ok 2 17")

        assert await call == 17
        assert (hello["resume"], hello["open"], hello["topics"]) == ("key of 1", {"2": 0}, {})


async def test_a_call_that_never_arrived_is_sent_again_with_a_new_id(tasks):
    async with visiting() as (client, host, hosts):
        call = tasks.create_task(client.call("orders.place", {"sku": "tea"}))
        await host.hears('call 2 orders.place {"sku":"tea"}')
        host.drops()
        other, _ = await hosts.welcomes(3)
        await other.says(error(2, "not_received"))
        await other.hears('call 4 orders.place {"sku":"tea"}')
        await other.says("ok 4 17")

        assert await call == 17


async def test_a_call_of_which_nobody_knows_is_not_sent_again(tasks):
    async with visiting() as (client, host, hosts):
        call = tasks.create_task(outcome(client.call("orders.place")))
        await host.hears("call 2 orders.place")
        host.drops()
        other, _ = await hosts.welcomes(3)
        await other.says(error(2, "unknown_outcome"))

        assert (await call).code == "unknown_outcome"
        await everything_received(client, other)  # it hears `ping`, and no `call` in front of it


async def test_of_a_session_that_is_gone_nobody_knows_anything(tasks):
    async with visiting() as (client, host, hosts):
        call = tasks.create_task(outcome(client.call("orders.place")))
        await host.hears("call 2 orders.place")
        host.drops()
        other, _ = await hosts.welcomes(3, resumed=False)

        assert str(await call) == "unknown_outcome: The session is gone: orders.place may have run."
        await other.says(error(2, "unknown_outcome"))
        await everything_received(client, other)


async def test_an_error_of_the_same_name_is_an_answer_where_nothing_was_lost(tasks):
    async with visiting() as (client, host, _):
        call = tasks.create_task(outcome(client.call("orders.place")))
        await host.hears("call 2 orders.place")
        await host.says(error(2, "not_received"))

        assert (await call).code == "not_received"


async def test_what_is_asked_for_meanwhile_is_said_in_order_once_there_is_a_connection(tasks):
    async with visiting(backoff=NEVER) as (client, host, hosts):
        states = states_of(client)
        host.drops()
        await until(states, "waiting")
        calls = [tasks.create_task(client.call("echo", number)) for number in range(3)]
        await asyncio.sleep(0)
        client.wake()
        other, hello = await hosts.welcomes(2)
        assert hello["open"] == {}
        for number in range(3):
            await other.hears(f"call {number + 3} echo {number}")
            await other.says(f"ok {number + 3} {number}")

        assert await asyncio.gather(*calls) == [0, 1, 2]


async def test_nothing_is_said_before_the_welcome(tasks):
    async with visiting() as (client, host, hosts):
        host.drops()
        other = await hosts.next()
        call = tasks.create_task(client.call("echo", 1))
        await other.welcomes(2)
        await other.hears("call 3 echo 1")
        await other.says("ok 3 1")

        assert await call == 1


async def test_a_key_is_asked_with_again_when_its_welcome_never_came(tasks):
    async with visiting() as (client, host, hosts):
        call = tasks.create_task(outcome(client.call("orders.place")))
        await host.hears("call 2 orders.place")
        host.drops()
        other = await hosts.next()
        await other.is_asked(3)
        other.drops()
        other, hello = await hosts.welcomes(4, resumed=False)

        assert (hello["resume"], hello["open"]) == ("key of 1", {"2": 0})
        assert (await call).code == "unknown_outcome"


async def test_the_time_of_a_call_goes_on_without_a_connection(tasks):
    async with visiting(backoff=NEVER) as (client, host, _):
        sent = tasks.create_task(outcome(client.call("slow", timeout=0.05)))
        await host.hears("call 2 slow?timeout=0.050")
        host.drops()
        await until(states_of(client), "waiting")
        waits = tasks.create_task(outcome(client.call("slow", timeout=0.05)))

        late, never_sent = await sent, await waits
        assert str(late) == "timeout: There was no answer to slow within 0.05 s; it may have run."
        assert str(never_sent) == "timeout: There was no connection for slow within 0.05 s."
        assert (late.retry, never_sent.retry) == (False, True)


async def test_a_call_that_was_given_up_meanwhile_is_cancelled(tasks):
    async with visiting(backoff=NEVER) as (client, host, hosts):
        call = tasks.create_task(client.call("slow"))
        await host.hears("call 2 slow")
        host.drops()
        await until(states_of(client), "waiting")
        call.cancel()
        await asyncio.wait({call})
        client.wake()
        other, hello = await hosts.welcomes(3)
        await other.hears("cancel 2")

        assert hello["open"] == {"2": 0}


async def test_a_call_that_was_given_up_before_it_was_sent_is_never_sent(tasks):
    async with visiting(backoff=NEVER) as (client, host, hosts):
        states = states_of(client)
        host.drops()
        await until(states, "waiting")
        call = tasks.create_task(client.call("slow"))
        await asyncio.sleep(0)
        call.cancel()
        await asyncio.wait({call})
        client.wake()
        other, _ = await hosts.welcomes(2)
        await until(states, "open")
        await everything_received(client, other)  # it hears `ping`, and no `call` in front of it


async def test_no_more_is_named_than_the_server_takes(tasks):
    async with visiting() as (client, host, hosts):
        host.drops()
        other, _ = await hosts.welcomes(2, limits={"calls": 2, "watches": 1})
        calls = [tasks.create_task(outcome(client.call("slow", number))) for number in range(5)]
        for number in range(5):
            await other.hears(f"call {number + 3} slow {number}")
        other.drops()
        other, hello = await hosts.welcomes(8)
        await other.says("ok 3", "ok 4", "ok 5")

        assert hello["open"] == {"3": 0, "4": 0, "5": 0}
        assert [getattr(each, "code", each) for each in await asyncio.gather(*calls)] == [
            *(None, None, None, "unknown_outcome", "unknown_outcome")
        ]


async def test_a_client_that_stays_away_ends_what_waits_and_what_may_have_run(tasks):
    async with visiting() as (client, host, hosts):
        sent = tasks.create_task(outcome(client.call("first")))
        await host.hears("call 2 first")
        host.drops()
        other = await hosts.next()
        await other.is_asked(3)
        waits = tasks.create_task(outcome(client.call("second")))
        await asyncio.sleep(0)
        await other.websocket.close(4502, "banned")

        assert "first was answered; it may have run (close code 4502: banned)" in str(await sent)
        assert str(await waits) == "There was no connection for second (close code 4502: banned)"
        with pytest.raises(Disconnected, match="The connection is closed"):
            await client.call("third")


async def test_a_new_token_that_was_under_way_is_shown_again(tasks):
    async with visiting("s3cret") as (client, host, hosts):
        refresh = tasks.create_task(client.refresh("n3w"))
        await host.hears('token 2 plugsock {"token":"n3w"}')
        host.drops()
        other, hello = await hosts.welcomes(3)
        await other.hears('token 4 plugsock {"token":"n3w"}')
        await other.says('ok 4 {"user":"ada","permissions":[],"expires":null}')
        await refresh
        other.drops()
        _, next_hello = await hosts.welcomes(5)

        assert (hello["open"], hello["token"], next_hello["token"]) == ({}, "s3cret", "n3w")


# streams


async def test_a_stream_ends_with_an_unknown_outcome_after_what_came(tasks):
    seen = []
    async with visiting() as (client, host, hosts):

        async def consume():
            async for item in client.stream("count", credit=2):
                seen.append(item)  # noqa: PERF401 - what came before the error is the point

        consumer = tasks.create_task(outcome(consume()))
        await host.hears("call 2 count?credit=2")
        await host.says("item 2 1")
        await host.hears("more 2 1")
        host.drops()
        other, hello = await hosts.welcomes(3)
        await other.says(error(2, "unknown_outcome"))

        assert (await consumer).code == "unknown_outcome"
        assert (seen, hello["open"]) == ([1], {"2": 1})


# views


async def test_a_view_is_stale_until_the_session_goes_on_and_hears_what_has_changed():
    statuses = []
    async with visiting() as (client, host, hosts), client.view("count", type=int) as view:
        view.subscribe(lambda value, status: statuses.append((value, status)))
        await host.hears("watch 2 count")
        await host.says("item 2 1")
        assert await anext(view) == 1
        host.drops()
        other, hello = await hosts.welcomes(3)
        await other.says("item 2 2")

        assert await anext(view) == 2
        assert hello["open"] == {"2": 1}
        assert statuses == [(1, "live"), (1, "stale"), (1, "live"), (2, "live")]


async def test_a_view_whose_session_is_gone_is_watched_again():
    async with visiting() as (client, host, hosts), client.view("count", {"a": 1}, type=int, patch=True) as view:
        await host.hears('watch 2 count?patch {"a":1}')
        await host.says("item 2 1")
        await anext(view)
        host.drops()
        other, _ = await hosts.welcomes(3, resumed=False)
        await other.says(error(2, "unknown_outcome"))
        await other.hears('watch 4 count?patch {"a":1}')
        assert (view.value, view.status) == (1, "stale")
        await other.says("item 4 2")

        assert await anext(view) == 2
        assert view.status == "live"
        other.drops()
        _, hello = await hosts.welcomes(5)
        assert hello["open"] == {"4": 1}


@pytest.mark.parametrize("code", ["not_received", "unknown_outcome"])
async def test_a_view_that_the_session_does_not_know_is_watched_again(code):
    async with visiting() as (client, host, hosts), client.view("count", type=int) as view:
        await host.hears("watch 2 count")
        host.drops()
        other, _ = await hosts.welcomes(3)
        await other.says(error(2, code))
        await other.hears("watch 4 count")
        await other.says("item 4 1")

        assert await anext(view) == 1


async def test_the_same_value_once_more_is_no_news():
    async with visiting() as (client, host, hosts), client.view("count", type=int) as view:
        await host.hears("watch 2 count")
        await host.says("item 2 1")
        await anext(view)
        host.drops()
        other, _ = await hosts.welcomes(3, resumed=False)
        await other.hears("watch 4 count")
        await other.says("item 4 1", "item 4 2")
        await everything_received(client, other)

        assert (view.value, view.status) == (2, "live")
        assert await anext(view) == 2


async def test_a_view_that_may_not_be_seen_any_more_ends():
    async with visiting() as (client, host, hosts), client.view("count", type=int) as view:
        await host.hears("watch 2 count")
        await host.says("item 2 1")
        await anext(view)
        host.drops()
        other, _ = await hosts.welcomes(3)
        await other.says(error(2, "revoked"))

        with pytest.raises(Error, match="revoked"):
            await anext(view)
        assert (view.value, view.status) == (None, "revoked")


# a server that stops


async def test_what_is_asked_of_a_server_that_stops_waits_for_the_next_one(tasks):
    async with visiting() as (client, host, hosts):
        await host.says('notice goodbye {"retry_ms":0}')
        await everything_received(client, host)
        call = tasks.create_task(client.call("echo", 1))
        await everything_received(client, host)  # it hears `ping`, and no `call` in front of it
        await host.websocket.close(4000, "drain")
        other, _ = await hosts.welcomes(2, resumed=False)
        await other.hears("call 3 echo 1")
        await other.says("ok 3 1")

        assert await call == 1


@pytest.mark.parametrize("code", ["cancelled", "overloaded"])
async def test_a_view_that_a_server_ends_because_it_stops_goes_on_at_the_next_one(code):
    async with visiting() as (client, host, hosts), client.view("count", type=int) as view:
        await host.hears("watch 2 count")
        await host.says("item 2 1", 'notice goodbye {"retry_ms":0}', error(2, code))
        assert await anext(view) == 1
        await everything_received(client, host)
        assert (view.value, view.status) == (1, "stale")
        await host.websocket.close(4000, "drain")
        other, hello = await hosts.welcomes(3, resumed=False)
        await other.hears("watch 4 count")
        await other.says("item 4 2")

        assert await anext(view) == 2
        assert hello["open"] == {}


async def test_without_reconnect_it_ends_with_its_server():
    async with visiting(reconnect=False) as (client, host, _), client.view("count", type=int) as view:
        await host.hears("watch 2 count")
        await host.says('notice goodbye {"retry_ms":0}', error(2, "cancelled"))

        with pytest.raises(Error, match="cancelled"):
            await anext(view)


# topics


async def let_in(host, id, name=ROOM, **answer):
    await host.hears(f"join {id} {name}")
    await host.says(f"ok {id} " + json.dumps(joined(**answer)))


async def test_a_topic_is_joined_again_where_the_client_was(tasks):
    returns = []
    async with visiting() as (client, host, hosts):
        tasks.create_task(let_in(host, 2, offset=7))
        async with client.topic(ROOM) as topic:
            topic.on_return(returns.append)
            await host.says(f"push {ROOM} said?at=e1.8 8")
            assert (await anext(topic)).data == 8
            host.drops()
            other, hello = await hosts.welcomes(3, topics={ROOM: joined(9, recovered=True)})
            await other.says(f"push {ROOM} said?at=e1.9 9")

            assert (await anext(topic)).data == 9
            assert hello["topics"] == {ROOM: "e1.8"}
            assert (topic.recovered, topic.position, returns) == (True, "e1.9", [True])


async def test_a_hole_in_a_topic_is_told_and_one_goes_on_behind_it(tasks):
    returns = []
    async with visiting() as (client, host, hosts):
        tasks.create_task(let_in(host, 2, offset=7))
        async with client.topic(ROOM) as topic:
            topic.on_return(returns.append)
            host.drops()
            other, _ = await hosts.welcomes(3, resumed=False, topics={ROOM: joined(99, epoch="e2")})
            await other.says(f"push {ROOM} said?at=e2.100 100")

            assert (await anext(topic)).data == 100
            assert (topic.recovered, returns) == (False, [False])


async def test_who_may_not_be_in_a_topic_any_more_is_told(tasks):
    async with visiting() as (client, host, hosts):
        tasks.create_task(let_in(host, 2, offset=7))
        async with client.topic(ROOM) as topic:
            host.drops()
            refused = {"error": {"code": "forbidden", "message": "Not you.", "retry": False}}
            await hosts.welcomes(3, topics={ROOM: refused})

            with pytest.raises(Error, match="forbidden: Not you"):
                await anext(topic)


async def test_a_topic_that_was_being_joined_is_joined_again(tasks):
    async with visiting() as (client, host, hosts):

        async def be_there():
            async with client.topic(ROOM) as topic:
                return topic.position

        there = tasks.create_task(be_there())
        await host.hears(f"join 2 {ROOM}")
        host.drops()
        other, hello = await hosts.welcomes(3)
        await let_in(other, 4, offset=7)

        assert await there == "e1.7"
        assert (hello["open"], hello["topics"]) == ({}, {})


async def test_a_topic_that_was_left_meanwhile_is_left(tasks):
    async with visiting(backoff=NEVER) as (client, host, hosts):
        tasks.create_task(let_in(host, 2, offset=7))
        async with client.topic(ROOM):
            host.drops()
            await until(states_of(client), "waiting")
        client.wake()
        other, hello = await hosts.welcomes(4, topics={ROOM: joined(7)})
        await other.hears(f"leave 5 {ROOM}")

        assert hello["topics"] == {}


async def test_a_leave_that_arrived_is_not_said_again(tasks):
    async with visiting() as (client, host, hosts):
        tasks.create_task(let_in(host, 2, offset=7))
        async with client.topic(ROOM):
            pass
        await host.hears(f"leave 3 {ROOM}")
        states = states_of(client)
        host.drops()
        other, _ = await hosts.welcomes(4)
        await until(states, "open")
        await everything_received(client, other)  # it hears `ping`, and no `leave` in front of it


async def test_pushes_go_on(tasks):
    async with visiting(backoff=AT_ONCE) as (client, host, hosts):
        pushes = client.pushes()
        await host.says("push - said 1")
        await everything_received(client, host)
        host.drops()
        other, _ = await hosts.welcomes(2)
        await other.says("push - said 2")

        assert [(await anext(pushes)).data for _ in range(2)] == [1, 2]
