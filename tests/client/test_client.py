import asyncio
import gc
import logging
from contextlib import aclosing

import msgspec
import pytest

from plugsock.errors import Disconnected, Error, PlugsockError
from support.conversing import everything_received, outcome


class Order(msgspec.Struct):
    sku: str
    count: int = 1


class Receipt(msgspec.Struct):
    number: int


# calls


async def test_a_struct_goes_out_and_a_struct_comes_back(talk, tasks):
    async with talk() as (socket, peer):
        receipt = tasks.create_task(socket.call("orders.place", Order("tea", 2), type=Receipt))
        await peer.hears('call 1 orders.place {"sku":"tea","count":2}')
        await peer.says('ok 1 {"number":17}')

        assert await receipt == Receipt(17)


async def test_a_call_without_arguments_has_no_payload(talk, tasks):
    async with talk() as (socket, peer):
        call = tasks.create_task(socket.call("reset"))
        await peer.hears("call 1 reset")
        await peer.says("ok 1")

        assert await call is None


async def test_msgpack_travels_in_binary_frames(talk, tasks):
    async with talk(format="msgpack") as (socket, peer):
        call = tasks.create_task(socket.call("orders.place", Order("tea", 2), type=Receipt))
        await peer.hears(b"call 1 orders.place " + msgspec.msgpack.encode({"sku": "tea", "count": 2}))
        await peer.says(b"ok 1 " + msgspec.msgpack.encode({"number": 17}))

        assert await call == Receipt(17)


async def test_a_timeout_travels_with_the_call(talk, tasks):
    async with talk() as (socket, peer):
        call = tasks.create_task(outcome(socket.call("slow", timeout=2.5)))
        await peer.hears("call 1 slow?timeout=2.500")
        await peer.says('error 1 {"code":"timeout","message":"It took longer than 2.5 s.","retry":true}')

        error = await call
        assert (error.code, error.retry) == ("timeout", True)


async def test_ids_grow_and_answers_may_come_in_any_order(talk, tasks):
    async with talk() as (socket, peer):
        calls = [tasks.create_task(socket.call("slow", number)) for number in range(3)]
        for number in range(3):
            await peer.hears(f"call {number + 1} slow {number}")
        await peer.says('ok 3 "third"', 'ok 1 "first"', 'ok 2 "second"')

        assert await asyncio.gather(*calls) == ["first", "second", "third"]


async def test_what_is_said_of_an_id_that_is_not_open_is_ignored(talk, tasks):
    async with talk() as (socket, peer):
        await peer.says('ok 7 "late"', 'item 8 "late"', 'error 9 {"code":"gone","message":""}')
        call = tasks.create_task(socket.call("echo", 1))
        await peer.hears("call 1 echo 1")
        await peer.says("ok 1 1", "ok 1 2")

        assert await call == 1


async def test_a_result_of_another_type_is_the_callers_error(talk, tasks):
    async with talk() as (socket, peer):
        call = tasks.create_task(outcome(socket.call("orders.place", type=Receipt)))
        await peer.hears("call 1 orders.place")
        await peer.says('ok 1 {"number":"seventeen"}')

        assert isinstance(await call, msgspec.ValidationError)


async def test_a_name_that_no_event_can_have_is_refused_before_anything_is_sent(talk, tasks):
    async with talk() as (socket, peer):
        with pytest.raises(Error, match="bad_frame"):
            await socket.call("not a name")

        call = tasks.create_task(socket.call("fine"))
        await peer.hears("call 1 fine")
        await peer.says("ok 1")
        await call


async def test_an_answer_for_a_frame_that_could_not_be_read_reaches_its_caller(talk, tasks):
    async with talk() as (socket, peer):
        call = tasks.create_task(outcome(socket.call("echo")))
        await peer.hears("call 1 echo")
        await peer.says('error 0 {"code":"bad_frame","message":"What?","id":"1"}')

        assert (await call).code == "bad_frame"


async def test_an_error_that_belongs_to_no_call_is_logged(talk, caplog):
    async with talk() as (socket, peer):
        with caplog.at_level(logging.WARNING, logger="plugsock.client"):
            await peer.says('error 0 {"code":"bad_frame","message":"What?"}')
            await everything_received(socket, peer)

    assert "What?" in caplog.text


async def test_leaving_a_call_cancels_it(talk, tasks):
    async with talk() as (socket, peer):
        call = tasks.create_task(socket.call("slow"))
        await peer.hears("call 1 slow")
        call.cancel()
        await peer.hears("cancel 1")
        await peer.says('error 1 {"code":"cancelled","message":""}')

        with pytest.raises(asyncio.CancelledError):
            await call


async def test_calling_a_stream_says_so_and_cancels_it(talk, tasks):
    async with talk() as (socket, peer):
        call = tasks.create_task(outcome(socket.call("orders.feed")))
        await peer.hears("call 1 orders.feed")
        await peer.says("item 1 1")
        await peer.hears("cancel 1")

        assert "orders.feed is a stream" in str(await call)


# the connection goes


async def test_when_the_connection_goes_every_open_call_is_told(talk, tasks):
    async with talk() as (socket, peer):
        calls = [tasks.create_task(outcome(socket.call(event))) for event in ("first", "second")]
        await peer.hears("call 1 first")
        await peer.hears("call 2 second")
        await peer.says('ok 1 "made it"')
        await peer.websocket.close(4000, "drain")

        first, second = await asyncio.gather(*calls)
        assert first == "made it"
        assert isinstance(second, Disconnected)
        assert (second.code, second.reason) == (4000, "drain")
        assert "second" in str(second)


async def test_a_connection_that_breaks_without_a_close_is_1006(talk, tasks):
    async with talk() as (socket, peer):
        call = tasks.create_task(outcome(socket.call("slow")))
        await peer.hears("call 1 slow")
        peer.websocket.transport.abort()

        assert (await call).code == 1006


async def test_nothing_can_be_said_on_a_closed_connection(talk):
    async with talk() as (socket, peer):
        pushes = socket.pushes()
        await peer.websocket.close(4000)
        with pytest.raises(Disconnected):
            await anext(pushes)

        for word in (socket.call("echo"), socket.ping()):
            with pytest.raises(Disconnected, match="The connection is closed"):
                await word


async def test_a_ping_under_way_is_told_too(talk, tasks):
    async with talk() as (socket, peer):
        ping = tasks.create_task(outcome(socket.ping()))
        await peer.hears("ping")
        await peer.websocket.close(4000)

        assert isinstance(await ping, Disconnected)


@pytest.mark.parametrize("nonsense", ["shout 1", "ok", "push - chat.message {", "notice plugs {"])
async def test_a_server_that_talks_nonsense_is_left(talk, tasks, nonsense):
    async with talk() as (socket, peer):
        call = tasks.create_task(outcome(socket.call("slow")))
        await peer.hears("call 1 slow")
        await peer.says(nonsense)

        assert (await call).code == 1002


# streams


async def test_a_stream_yields_its_items_until_it_ends(talk, tasks):
    async with talk() as (socket, peer):

        async def consume():
            return [order async for order in socket.stream("orders.feed", {"since": 0}, type=Order)]

        consumed = tasks.create_task(consume())
        await peer.hears('call 1 orders.feed {"since":0}')
        await peer.says('item 1 {"sku":"tea"}', 'item 1 {"sku":"milk"}', "ok 1")

        assert await consumed == [Order("tea"), Order("milk")]


async def test_credit_is_refilled_as_items_are_consumed(talk, tasks):
    async with talk() as (socket, peer):
        stream = socket.stream("count", credit=4)
        first = tasks.create_task(anext(stream))
        await peer.hears("call 1 count?credit=4")
        await peer.says("item 1 1", "item 1 2", "item 1 3", "item 1 4")

        assert await first == 1
        assert await anext(stream) == 2
        assert await anext(stream) == 3  # asking for the third says that two were consumed
        await peer.hears("more 1 2")
        await stream.aclose()


async def test_a_stream_that_is_not_consumed_gets_no_new_credit(talk, tasks):
    async with talk() as (socket, peer):
        stream = socket.stream("count", credit=4)
        first = tasks.create_task(anext(stream))
        await peer.hears("call 1 count?credit=4")
        await peer.says("item 1 1", "item 1 2", "item 1 3", "item 1 4")
        await first
        await everything_received(socket, peer)  # it hears `ping`, and no `more` in front of it
        await stream.aclose()


async def test_a_credit_of_nothing_is_refused(talk):
    async with talk() as (socket, _):
        with pytest.raises(ValueError, match="at least 1"):
            await anext(socket.stream("count", credit=0))


async def test_leaving_the_loop_cancels_the_stream(talk, tasks):
    async with talk() as (socket, peer):

        async def consume():
            async for _ in socket.stream("count"):
                break

        consumed = tasks.create_task(consume())
        await peer.hears("call 1 count")
        await peer.says("item 1 1", "item 1 2")
        await peer.hears("cancel 1")

        await consumed


async def test_a_loop_that_is_cancelled_cancels_the_stream(talk, tasks):
    async with talk() as (socket, peer):

        async def consume():
            async with aclosing(socket.stream("count")) as stream:
                async for _ in stream:
                    pass

        consumer = tasks.create_task(consume())
        await peer.hears("call 1 count")
        consumer.cancel()
        await peer.hears("cancel 1")


async def test_an_error_ends_a_stream_after_what_came_before(talk, tasks):
    seen = []
    async with talk() as (socket, peer):

        async def consume():
            async for item in socket.stream("count"):
                seen.append(item)  # noqa: PERF401 - what came before the error is the point

        consumer = tasks.create_task(outcome(consume()))
        await peer.hears("call 1 count")
        await peer.says("item 1 1", 'error 1 {"code":"plug_error","message":"It failed.","ref":"r1"}')

        error = await consumer
        assert (error.code, error.ref, seen) == ("plug_error", "r1", [1])


async def test_a_plain_call_is_a_stream_of_its_one_result(talk, tasks):
    async with talk() as (socket, peer):

        async def consume():
            return [item async for item in socket.stream("math.add", {"a": 2, "b": 3})]

        consumed = tasks.create_task(consume())
        await peer.hears('call 1 math.add {"a":2,"b":3}')
        await peer.says("ok 1 5")

        assert await consumed == [5]


# what the server says unasked


async def test_a_push_reaches_its_callback_before_the_answer_that_followed_it(talk, tasks):
    heard = []
    async with talk() as (socket, peer):
        socket.on("chat.message", heard.append)
        call = tasks.create_task(socket.call("chat.send", {"text": "hi"}))
        await peer.hears('call 1 chat.send {"text":"hi"}')
        await peer.says('push - chat.message?at=e3.119 {"text":"hi"}', "push - other 1", "ok 1")

        await call
        assert heard == [{"text": "hi"}]


async def test_a_callback_can_be_taken_back(talk):
    heard = []
    async with talk() as (socket, peer):
        forget = socket.on("chat.message", heard.append)
        forget()
        await peer.says("push - chat.message 1")
        await everything_received(socket, peer)

    assert heard == []


async def test_a_callback_that_raises_is_logged_and_harms_nobody(talk, tasks, caplog):
    async with talk() as (socket, peer):
        socket.on("chat.message", lambda data: data["no such key"])
        await peer.says("push - chat.message {}")
        call = tasks.create_task(socket.call("echo", 1))
        await peer.hears("call 1 echo 1")
        await peer.says("ok 1 1")

        assert await call == 1
    assert "a callback raised" in caplog.text


async def test_pushes_can_be_looped_over_with_their_topics(talk):
    async with talk() as (socket, peer):
        pushes = socket.pushes()
        await peer.says('push kitchen orders.placed {"sku":"tea"}', "push - orders.thanks")

        first, second = await anext(pushes), await anext(pushes)
        assert (first.topic, first.event, first.data) == ("kitchen", "orders.placed", {"sku": "tea"})
        assert (second.topic, second.event, second.data) == (None, "orders.thanks", None)


async def test_pushes_that_nobody_holds_are_not_collected(talk):
    async with talk() as (socket, peer):
        socket.pushes()
        gc.collect()
        await peer.says("push - chat.message 1")
        await everything_received(socket, peer)

        assert not socket._listeners._pushes


async def test_a_slow_reader_of_pushes_is_told_instead_of_losing_some(talk):
    async with talk() as (socket, peer):
        pushes = socket.pushes(limit=1)
        await peer.says("push - chat.message 1", "push - chat.message 2")
        await everything_received(socket, peer)

        assert (await anext(pushes)).data == 1
        with pytest.raises(PlugsockError, match="More than 1 pushes"):
            await anext(pushes)


async def test_notices_reach_their_callback(talk):
    heard = []
    async with talk() as (socket, peer):
        forget = socket.on_notice(lambda name, data: heard.append((name, data)))
        await peer.says('notice plugs {"changed":["greet"]}')
        await everything_received(socket, peer)
        forget()
        await peer.says('notice goodbye {"retry_ms":10}')
        await everything_received(socket, peer)

    assert heard == [("plugs", {"changed": ["greet"]})]


async def test_a_ping_that_nobody_waits_for_any_more_leaves_nothing_behind(talk, tasks, caplog):
    async with talk() as (socket, peer):
        ping = tasks.create_task(socket.ping())
        await peer.hears("ping")
        ping.cancel()
        await peer.websocket.close(4000)
        with pytest.raises(Disconnected):
            await anext(socket.pushes())
    del ping
    gc.collect()

    assert "never retrieved" not in caplog.text


async def test_two_may_close_at_once(talk):
    async with talk() as (socket, _):
        await asyncio.gather(socket.close(), socket.close())

        assert socket.state == "closed"


async def test_what_nobody_understands_is_said_in_as_many_bytes_as_there_is_room(talk):
    async with talk() as (_, peer):
        await peer.says("push - " + "x" * 200 + "?at=" + "\u00e4" * 200 + " {")
        await peer.websocket.wait_closed()

        assert peer.websocket.close_code == 1002
        assert len(peer.websocket.close_reason.encode()) <= 123


async def test_a_ping_says_how_long_it_took(talk, tasks):
    async with talk() as (socket, peer):
        ping = tasks.create_task(socket.ping())
        await peer.hears("ping")
        await peer.says("pong", "pong")

        assert await ping > 0


# who one is


async def test_a_notice_of_permissions_is_followed_before_it_is_told(talk):
    heard = []
    async with talk() as (socket, peer):
        assert (socket.user, socket.permissions) == (None, [])
        socket.on_notice(lambda name, _data: heard.append((name, socket.user, socket.permissions)))
        await peer.says('notice permissions {"user":"ada","permissions":["orders.*","!orders.delete"]}')
        await everything_received(socket, peer)

    assert heard == [("permissions", "ada", ["orders.*", "!orders.delete"])]


@pytest.mark.parametrize("format", ["json", "msgpack"])
async def test_a_new_token_is_shown_as_json_and_says_until_when_it_is_good(talk, tasks, format):
    async with talk(format=format) as (socket, peer):
        refresh = tasks.create_task(socket.refresh("s3cret"))
        await peer.hears('token 1 plugsock {"token":"s3cret"}')
        await peer.says('ok 1 {"user":"ada","permissions":["a"],"expires":1700000000.5}')

        assert await refresh == 1700000000.5
        assert (socket.user, socket.permissions) == ("ada", ["a"])


async def test_a_notice_right_behind_the_answer_to_a_new_token_is_the_newer_one(talk, tasks):
    async with talk() as (socket, peer):
        refresh = tasks.create_task(socket.refresh("s3cret"))
        await peer.hears('token 1 plugsock {"token":"s3cret"}')
        await peer.says(
            'ok 1 {"user":"ada","permissions":["a"],"expires":null}',
            'notice permissions {"user":"ada","permissions":[]}',
        )

        assert await refresh is None
        await everything_received(socket, peer)
        assert socket.permissions == []


async def test_a_new_token_that_is_refused_changes_nothing(talk, tasks):
    async with talk() as (socket, peer):
        await peer.says('notice permissions {"user":"ada","permissions":["a"]}')
        refresh = tasks.create_task(outcome(socket.refresh("wrong")))
        await peer.hears('token 1 plugsock {"token":"wrong"}')
        await peer.says('error 1 {"code":"unauthorized","message":"Nobody knows you by that."}')

        assert str(await refresh) == "unauthorized: Nobody knows you by that."
        assert (socket.user, socket.permissions) == ("ada", ["a"])
