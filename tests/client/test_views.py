import asyncio
import copy

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugsock.client.exchange import Answer
from plugsock.client.views import View
from plugsock.errors import Disconnected, Error
from plugsock.model import Raw
from support.conversing import everything_received, outcome


class Summary(msgspec.Struct):
    orders: int
    total: float = 0.0


def frame(verb, value, *, binary):
    encode = msgspec.msgpack.encode if binary else msgspec.json.encode
    return Answer(verb, encode(value), binary)


# watching


async def test_a_view_is_watched_from_the_first_value_to_the_end_of_the_block(talk):
    async with talk() as (socket, peer):
        async with socket.view("orders.summary", {"day": "2026-11-23"}, type=Summary) as view:
            assert (view.value, view.status, view.error) == (None, "loading", None)
            await peer.hears('watch 1 orders.summary {"day":"2026-11-23"}')
            await peer.says('item 1 {"orders":2,"total":7.5}')

            assert await anext(view) == Summary(2, 7.5)
            assert (view.value, view.status) == (Summary(2, 7.5), "live")

        await peer.hears("cancel 1")
        assert (view.value, view.status) == (Summary(2, 7.5), "stale")


@pytest.mark.parametrize("patch", [False, True])
async def test_with_messagepack_arguments_and_values_are_binary(talk, patch):
    async with (
        talk(format="msgpack") as (socket, peer),
        socket.view("orders.summary", {"day": 1}, type=Summary, patch=patch) as view,
    ):
        asked = b"orders.summary?patch " if patch else b"orders.summary "
        await peer.hears(b"watch 1 " + asked + msgspec.msgpack.encode({"day": 1}))
        await peer.says(b"item 1 " + msgspec.msgpack.encode({"orders": 2}))

        assert await anext(view) == Summary(2)


async def test_a_loop_gets_each_value_as_it_comes(talk, tasks):
    seen = []
    async with talk() as (socket, peer), socket.view("count", type=int) as view:
        await peer.hears("watch 1 count")

        async def follow():
            async for value in view:
                seen.append(value)
                await peer.says(f"item 1 {value + 1}" if value < 3 else "ok 1")

        following = tasks.create_task(follow())
        await peer.says("item 1 1")
        await following

    assert seen == [1, 2, 3]


async def test_a_slow_loop_gets_the_newest_value_and_no_backlog(talk):
    async with talk() as (socket, peer), socket.view("count") as view:
        await peer.says("item 1 1", "item 1 2", "item 1 3")
        await peer.hears("watch 1 count")
        await everything_received(socket, peer)

        assert await anext(view) == 3
        await peer.says("item 1 4")
        assert await anext(view) == 4


async def test_null_is_a_value_too(talk):
    async with talk() as (socket, peer), socket.view("newest") as view:
        await peer.says("item 1 null")

        assert await anext(view) is None
        assert view.status == "live"


async def test_a_subscriber_is_told_of_everything_that_comes(talk):
    told = []
    async with talk() as (socket, peer), socket.view("count", type=int) as view:
        view.subscribe(lambda value, status: told.append((value, status)))
        await peer.hears("watch 1 count")
        await peer.says("item 1 1", "item 1 2", 'fault 1 {"code":"plug_error","message":"No."}', "item 1 3")
        await everything_received(socket, peer)

    assert told == [(1, "live"), (2, "live"), (2, "error"), (3, "live"), (3, "stale")]


async def test_a_subscriber_can_be_taken_back_and_may_raise(talk, caplog):
    told = []
    async with talk() as (socket, peer), socket.view("count", type=int) as view:
        view.subscribe(lambda value, status: value["no such key"])
        forget = view.subscribe(lambda value, status: told.append(value))
        await peer.says("item 1 1")
        await anext(view)
        forget()
        await peer.says("item 1 2")
        await anext(view)

    assert told == [1]
    assert "a callback raised" in caplog.text


async def test_a_name_that_no_view_can_have_is_refused_before_anything_is_sent(talk):
    async with talk() as (socket, _):
        with pytest.raises(Error, match="bad_frame"):
            async with socket.view("not a name"):
                pass


# faults and ends


async def test_a_run_that_fails_leaves_the_value_and_the_next_run_mends_it(talk):
    async with talk() as (socket, peer), socket.view("count", type=int) as view:
        await peer.hears("watch 1 count")
        await peer.says("item 1 1", 'fault 1 {"code":"plug_error","message":"It failed.","ref":"r1"}')
        await everything_received(socket, peer)

        assert (view.value, view.status) == (1, "error")
        assert (view.error.code, view.error.ref) == ("plug_error", "r1")
        assert await anext(view) == 1

        await peer.says("item 1 2")
        assert await anext(view) == 2
        assert (view.status, view.error) == ("live", None)


async def test_an_error_ends_the_loop_and_takes_the_value_away(talk, tasks):
    async with talk() as (socket, peer), socket.view("orders.summary") as view:
        await peer.hears("watch 1 orders.summary")
        await peer.says("item 1 17")
        assert await anext(view) == 17
        waiting = tasks.create_task(outcome(anext(view)))
        await peer.says('error 1 {"code":"revoked","message":"It was revoked."}')

        assert (await waiting).code == "revoked"
        assert (view.value, view.status, view.error.code) == (None, "revoked", "revoked")
        with pytest.raises(Error, match="revoked"):
            await anext(view)


async def test_a_value_that_nobody_has_taken_is_not_seen_after_an_error(talk):
    async with talk() as (socket, peer), socket.view("orders.summary") as view:
        await peer.hears("watch 1 orders.summary")
        await peer.says("item 1 17", 'error 1 {"code":"revoked","message":""}')
        await everything_received(socket, peer)

        with pytest.raises(Error, match="revoked"):
            await anext(view)


async def test_a_view_that_the_server_has_ended_is_not_cancelled(talk):
    async with talk() as (socket, peer):
        async with socket.view("count") as view:
            await peer.hears("watch 1 count")
            await peer.says('error 1 {"code":"gone","message":""}')
            with pytest.raises(Error, match="gone"):
                await anext(view)

        await everything_received(socket, peer)  # it hears `ping`, and no `cancel` in front of it


async def test_leaving_ends_the_loop_of_somebody_else(talk, tasks):
    async with talk() as (socket, peer):

        async def follow(view):
            return [value async for value in view]

        async with socket.view("count") as view:
            following = tasks.create_task(follow(view))
            await peer.says("item 1 1")
            await peer.hears("watch 1 count")
            await everything_received(socket, peer)

        assert await following == [1]


async def test_a_loop_that_is_cancelled_cancels_the_view(talk, tasks):
    async with talk() as (socket, peer):

        async def follow():
            async with socket.view("count") as view:
                async for _ in view:
                    pass

        following = tasks.create_task(follow())
        await peer.hears("watch 1 count")
        following.cancel()
        await peer.hears("cancel 1")


async def test_when_the_connection_goes_the_value_stays_and_is_stale(talk):
    async with talk() as (socket, peer), socket.view("count", type=int) as view:
        await peer.hears("watch 1 count")
        await peer.says("item 1 1")
        await peer.websocket.close(4000, "drain")

        assert await anext(view) == 1
        with pytest.raises(Disconnected, match="count") as lost:
            await anext(view)
        assert (lost.value.code, lost.value.reason) == (4000, "drain")
        assert (view.value, view.status, view.error) == (1, "error", lost.value)


async def test_on_a_closed_connection_nothing_can_be_watched(talk):
    async with talk() as (socket, peer):
        await peer.websocket.close(4000)

        with pytest.raises(Disconnected):
            async with socket.view("count"):
                pass


async def test_a_value_of_another_type_is_the_callers_error_and_ends_the_view(talk):
    async with talk() as (socket, peer):
        async with socket.view("orders.summary", type=Summary) as view:
            await peer.hears("watch 1 orders.summary")
            await peer.says('item 1 {"orders":1}', 'item 1 {"orders":"many"}', 'item 1 {"orders":2}')
            await everything_received(socket, peer)

            assert await anext(view) == Summary(1)
            with pytest.raises(msgspec.ValidationError, match=r"\$\.orders"):
                await anext(view)

        await peer.hears("cancel 1")


async def test_what_ended_a_view_is_not_forgotten_when_the_connection_goes(talk):
    async with talk() as (socket, peer), socket.view("count", type=int) as view:
        await peer.hears("watch 1 count")
        await peer.says('item 1 "one"')
        await peer.websocket.close(4000)
        with pytest.raises(Disconnected):
            await anext(socket.pushes())

        with pytest.raises(msgspec.ValidationError):
            await anext(view)
        assert (view.status, view.is_over) == ("error", True)


async def test_a_value_that_can_not_be_read_ends_the_view_alone(talk):
    async with talk() as (socket, peer), socket.view("count") as view:
        await peer.hears("watch 1 count")
        await peer.says("item 1 {")
        with pytest.raises(msgspec.DecodeError):
            await anext(view)

        assert (view.status, view.is_over) == ("error", True)
        await everything_received(socket, peer)


# patches


async def test_patches_are_asked_for_and_applied_to_the_newest_value(talk):
    async with talk() as (socket, peer), socket.view("orders.summary", type=Summary, patch=True) as view:
        await peer.hears("watch 1 orders.summary?patch")
        await peer.says('item 1 {"orders":1,"total":2.5}')
        assert await anext(view) == Summary(1, 2.5)
        await peer.says('patch 1 {"orders":2}', 'patch 1 {"total":null}')
        await everything_received(socket, peer)

        assert await anext(view) == Summary(2, 0.0)


async def test_what_somebody_does_to_a_value_does_not_change_the_next(talk):
    async with talk() as (socket, peer), socket.view("stock", patch=True) as view:
        await peer.says('item 1 {"tea":[1],"milk":2}')
        value = await anext(view)
        value["tea"].append("spoilt")
        del value["milk"]
        await peer.says('patch 1 {"beer":3}')

        assert await anext(view) == {"tea": [1], "milk": 2, "beer": 3}


async def test_a_patch_that_can_not_be_read_ends_the_view(talk):
    async with talk() as (socket, peer), socket.view("stock", patch=True) as view:
        await peer.says('item 1 {"tea":1}')
        await anext(view)
        await peer.says("patch 1 {")

        with pytest.raises(msgspec.DecodeError):
            await anext(view)


async def test_raw_values_are_patched_as_well(talk):
    async with talk() as (socket, peer), socket.view("stock", type=Raw, patch=True) as view:
        await peer.says('item 1 {"tea":1,"milk":2}')
        await anext(view)
        await peer.says('patch 1 {"milk":null}')

        assert await anext(view) == b'{"tea":1}'


LEAVES = st.booleans() | st.integers(-9, 9) | st.floats(-9, 9) | st.text("ab", max_size=2) | st.none()
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=3)
)


def difference(old, new):
    """A patch from one object to another, or None if none says it: a patch takes away what it says is null."""
    patch = dict.fromkeys(old.keys() - new.keys())
    for name, value in new.items():
        if name in old and msgspec.json.encode(old[name]) == msgspec.json.encode(value):
            continue
        below = old.get(name)
        said = difference(below if isinstance(below, dict) else {}, value) if isinstance(value, dict) else value
        if said is None:
            return None
        patch[name] = said
    return patch


@settings(deadline=None)
@given(st.lists(VALUES, min_size=1, max_size=6), st.booleans())
def test_a_view_has_the_newest_value_whether_it_comes_whole_or_as_a_patch(values, binary):
    async def follow():
        view = View("stock", object)
        before = None
        for value in values:
            both = isinstance(before, dict) and isinstance(value, dict)
            patch = difference(copy.deepcopy(before), value) if both else None
            view.put(frame(b"item", value, binary=binary) if patch is None else frame(b"patch", patch, binary=binary))
            before = value
            assert msgspec.json.encode(view.value, order="sorted") == msgspec.json.encode(value, order="sorted")
        assert await anext(view) == values[-1]

    asyncio.run(follow())
