import asyncio
import json
from contextlib import asynccontextmanager

import pytest

from plugsock.errors import Disconnected, Error, PlugsockError
from plugsock.model import Member
from support.conversing import everything_received, outcome

NAME = "room.kitchen"


def joined(*, epoch="e3", offset=118, recovered=False, members=None):
    return json.dumps({"epoch": epoch, "offset": offset, "recovered": recovered, "members": members})


def member(id, **more):
    return {"id": id, "user": id, "sockets": 1, "data": None, **more}


def presence(*come, left=()):
    return "notice presence " + json.dumps({"topic": NAME, "joined": list(come), "left": list(left)})


@asynccontextmanager
async def in_topic(socket, peer, *behind, id=1, **answer):
    """The client in a topic; `behind` are frames right behind the answer."""
    async with asyncio.TaskGroup() as tasks:

        async def let_in():
            await peer.hears(f"join {id} {NAME}")
            await peer.says(f"ok {id} {joined(**answer)}", *behind)

        tasks.create_task(let_in())
        async with socket.topic(NAME) as topic:
            yield topic


# joining and leaving


async def test_a_topic_is_joined_and_left_at_the_end_of_the_block(talk):
    async with talk() as (socket, peer):
        async with in_topic(socket, peer) as topic:
            assert (topic.name, topic.recovered, topic.position, topic.members) == (NAME, False, "e3.118", None)

        await peer.hears(f"leave 2 {NAME}")


async def test_a_topic_that_keeps_no_history_has_no_position(talk):
    async with talk() as (socket, peer), in_topic(socket, peer, epoch="", offset=0) as topic:
        await peer.says(f"push {NAME} chat.message 1")
        assert (await anext(topic)).position is None
        assert topic.position is None


async def test_who_may_not_join_is_told_and_does_not_leave(talk, tasks):
    async with talk() as (socket, peer):

        async def join():
            async with socket.topic(NAME):
                pass

        joining = tasks.create_task(outcome(join()))
        await peer.hears(f"join 1 {NAME}")
        await peer.says('error 1 {"code":"forbidden","message":"Not you."}')

        assert str(await joining) == "forbidden: Not you."
        await everything_received(socket, peer)  # it hears `ping`, and no `leave` in front of it


async def test_who_gives_up_while_joining_leaves(talk, tasks):
    async with talk() as (socket, peer):

        async def join():
            async with socket.topic(NAME):
                pass

        joining = tasks.create_task(join())
        await peer.hears(f"join 1 {NAME}")
        joining.cancel()
        await peer.hears("cancel 1")
        await peer.hears(f"leave 2 {NAME}")


async def test_a_topic_is_left_when_the_last_one_in_it_leaves(talk):
    async with talk() as (socket, peer):
        async with in_topic(socket, peer):
            async with in_topic(socket, peer, id=2) as second:
                await peer.says(f"push {NAME} chat.message 1")
                assert (await anext(second)).data == 1
            await everything_received(socket, peer)  # it hears `ping`, and no `leave` in front of it

        await peer.hears(f"leave 3 {NAME}")


@pytest.mark.parametrize(
    ("name", "at"), [("-", None), ("not a name", None), (NAME, "e3"), (NAME, "e3.1 x"), (NAME, "")]
)
async def test_what_can_be_no_topic_or_position_is_refused_before_anything_is_sent(talk, name, at):
    async with talk() as (socket, peer):
        with pytest.raises(Error, match="bad_frame"):
            async with socket.topic(name, at=at):
                pass
        await everything_received(socket, peer)


# pushes


async def test_a_loop_gets_the_pushes_of_its_topic_and_of_no_other(talk):
    async with talk() as (socket, peer), in_topic(socket, peer) as topic:
        await peer.says(
            f'push {NAME} chat.message?at=e3.119 {{"text":"hi"}}',
            "push - chat.message 1",
            "push room.hall chat.message 2",
            f"push {NAME} chat.typing?at=e3.120",
        )

        first, second = await anext(topic), await anext(topic)
        assert (first.topic, first.event, first.data, first.position) == (
            NAME,
            "chat.message",
            {"text": "hi"},
            "e3.119",
        )
        assert (second.event, second.data) == ("chat.typing", None)
        assert topic.position == "e3.120"


async def test_a_callback_gets_its_event_on_its_topic_alone(talk):
    heard = []
    async with talk() as (socket, peer), in_topic(socket, peer) as topic:
        forget = topic.on("chat.message", heard.append)
        await peer.says(f"push {NAME} chat.message 1", "push - chat.message 2", f"push {NAME} chat.typing 3")
        await everything_received(socket, peer)
        forget()
        await peer.says(f"push {NAME} chat.message 4")
        await everything_received(socket, peer)

    assert heard == [1]


async def test_the_sockets_own_listeners_hear_a_topic_too(talk):
    heard = []
    async with talk() as (socket, peer), in_topic(socket, peer):
        socket.on("chat.message", heard.append)
        pushes = socket.pushes()
        await peer.says(f"push {NAME} chat.message?at=e3.119 1")

        push = await anext(pushes)
        assert (push.topic, push.data, push.position, heard) == (NAME, 1, "e3.119", [1])


async def test_pushes_from_before_it_was_joined_are_not_the_topics(talk, tasks):
    async with talk() as (socket, peer):

        async def let_in():
            await peer.hears(f"join 1 {NAME}")
            await peer.says(f"push {NAME} chat.message?at=e3.118 1", f"ok 1 {joined()}")
            await peer.says(f"push {NAME} chat.message?at=e3.119 2")

        tasks.create_task(let_in())
        async with socket.topic(NAME) as topic:
            assert (await anext(topic)).data == 2


async def test_a_slow_loop_is_told_instead_of_losing_some(talk, tasks):
    async with talk() as (socket, peer):

        async def let_in():
            await peer.hears(f"join 1 {NAME}")
            await peer.says(f"ok 1 {joined()}", *(f"push {NAME} chat.message {number}" for number in range(3)))

        tasks.create_task(let_in())
        async with socket.topic(NAME, limit=1) as topic:
            await everything_received(socket, peer)
            assert (await anext(topic)).data == 0
            with pytest.raises(PlugsockError, match="More than 1 pushes"):
                await anext(topic)


async def test_leaving_ends_the_loop_of_somebody_else(talk, tasks):
    async with talk() as (socket, peer):

        async def follow(topic):
            return [push.data async for push in topic]

        async with in_topic(socket, peer) as topic:
            following = tasks.create_task(follow(topic))
            await peer.says(f"push {NAME} chat.message 1")
            await everything_received(socket, peer)

        assert await following == [1]


async def test_when_the_connection_goes_the_loop_is_told_after_what_came(talk):
    async with talk() as (socket, peer), in_topic(socket, peer) as topic:
        await peer.says(f"push {NAME} chat.message?at=e3.119 1")
        await peer.websocket.close(4000, "drain")

        assert (await anext(topic)).data == 1
        with pytest.raises(Disconnected, match="4000"):
            await anext(topic)
        assert topic.position == "e3.119"


# coming back


async def coming_back(peer, *frames):
    await peer.hears(f"join 1 {NAME}?at=e3.116")
    await peer.says(*frames)


async def test_who_comes_back_gets_what_was_missed_even_right_behind_the_answer(talk, tasks):
    async with talk() as (socket, peer):
        missed = [f"push {NAME} chat.message?at=e3.{number} {number}" for number in (117, 118)]
        tasks.create_task(coming_back(peer, f"ok 1 {joined(recovered=True)}", *missed))

        async with socket.topic(NAME, at="e3.116") as topic:
            assert topic.recovered
            assert [(await anext(topic)).data for _ in missed] == [117, 118]
            assert topic.position == "e3.118"


async def test_who_is_cut_off_before_what_was_missed_came_is_where_they_were(talk, tasks):
    async with talk() as (socket, peer):
        tasks.create_task(coming_back(peer, f"ok 1 {joined(recovered=True)}"))

        async with socket.topic(NAME, at="e3.116") as topic:
            assert topic.position == "e3.116"


async def test_a_hole_is_told_and_one_goes_on_from_the_newest(talk, tasks):
    async with talk() as (socket, peer):
        tasks.create_task(coming_back(peer, f"ok 1 {joined(epoch='f1', offset=2)}"))

        async with socket.topic(NAME, at="e3.116") as topic:
            assert (topic.recovered, topic.position) == (False, "f1.2")


async def test_a_topic_that_somebody_is_in_can_not_be_come_back_to(talk):
    async with talk() as (socket, peer), in_topic(socket, peer):
        with pytest.raises(PlugsockError, match=r"is in room\.kitchen already"):
            async with socket.topic(NAME, at="e3.116"):
                pass


# members


async def test_members_are_kept_current(talk):
    async with talk() as (socket, peer), in_topic(socket, peer, members=[member("ada"), member("bob")]) as topic:
        assert topic.members == [Member("ada", "ada"), Member("bob", "bob")]
        await peer.says(presence(member("cyd"), member("ada", sockets=2, data={"away": True}), left=["bob", "eve"]))
        await everything_received(socket, peer)

        assert topic.members == [Member("ada", "ada", 2, {"away": True}), Member("cyd", "cyd")]


async def test_a_notice_of_who_is_there_holds_before_it_is_told(talk):
    told = []
    async with talk() as (socket, peer), in_topic(socket, peer, members=[]) as topic:
        socket.on_notice(lambda name, data: told.append((name, data["joined"][0]["id"], len(topic.members))))
        await peer.says(presence(member("ada")))
        await everything_received(socket, peer)

    assert told == [("presence", "ada", 1)]


async def test_a_notice_right_behind_the_answer_is_not_missed(talk):
    async with talk() as (socket, peer), in_topic(socket, peer, presence(member("ada")), members=[]) as topic:
        await everything_received(socket, peer)

        assert [each.id for each in topic.members] == ["ada"]


async def test_a_notice_of_another_topic_changes_nothing(talk):
    async with talk() as (socket, peer), in_topic(socket, peer, members=[]) as topic:
        await peer.says(presence(member("ada")).replace(NAME, "room.hall"))
        await everything_received(socket, peer)

        assert topic.members == []


# being taken out


async def test_who_is_taken_out_reads_what_came_and_is_told_why(talk):
    notices = []
    async with talk() as (socket, peer):
        async with in_topic(socket, peer, members=[member("ada")]) as topic:
            socket.on_notice(lambda name, _data: notices.append(name))
            reason = {"code": "revoked", "message": "It was revoked.", "retry": False}
            await peer.says(
                f"push {NAME} chat.message 1",
                "notice left " + json.dumps({"topic": NAME, "reason": reason}),
                f"push {NAME} chat.message 2",
            )

            assert (await anext(topic)).data == 1
            with pytest.raises(Error, match="revoked: It was revoked"):
                await anext(topic)
            assert topic.members == []

        await everything_received(socket, peer)  # it hears `ping`, and no `leave` in front of it
        assert notices == ["left"]
