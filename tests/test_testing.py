import os
import sys

import pytest
from msgspec import Struct, to_builtins

from plugsock import Error, Member, PlugsockError, Raw, Reach, User
from plugsock.testing import Granted, Joined, Kicked, Published, Revoked, Sent, client

PLUGS = """
import asyncio
from collections.abc import AsyncIterator

from plugsock import (
    Error, Member, Raw, Reach, Server, Socket, User, any_of, blocking, on_join, plug, topic, view
)

topic("room.*", requires="rooms.{*}", presence=True)


@plug
async def greet(name: str) -> str:
    return f"Hello, {name}!"


@plug
def add(a: int, b: int) -> int:
    return a + b


@plug
async def tell(socket: Socket, server: Server) -> None:
    socket.send("you", {"n": 1})
    server.broadcast("all", {"n": 2})
    socket.kick(4500, "enough")


@plug
async def promote(server: Server, user: str) -> Reach:
    reach = await server.grant(user, "orders.approve")
    await server.revoke(user, "orders.*", fence=5)
    return reach


@plug
def demote(server: blocking.Server, user: str) -> Reach:
    server.kick(user=user, reason="bye")
    return server.revoke(user, "*")


@plug
async def refuse() -> None:
    raise Error("out_of_stock", "We have no moon left.", retry=True, after=2.0, data={"sku": "moon"})


@plug
async def fail() -> None:
    raise RuntimeError("secret")


@plug
async def lie() -> int:
    return "no number"


@plug(timeout=0.05)
async def sleep() -> None:
    await asyncio.Event().wait()


closed = []


@plug
async def count(upto: int) -> AsyncIterator[int]:
    try:
        for number in range(upto):
            yield number
    finally:
        closed.append(upto)


@plug
async def ended() -> list[int]:
    return closed


@plug
async def same(payload: Raw) -> Raw:
    return payload


@plug
async def enter(socket: Socket, server: Server, room: str, mood: str | None = None) -> list[str]:
    socket.join(room, mood and {"mood": mood})
    server.publish(room, "entered", {"mood": mood}, requires=["rooms", any_of("a", "b")])
    server.changed("rooms/" + room, "rooms")
    return sorted(socket.topics)


@plug
async def go(socket: Socket, room: str) -> None:
    socket.leave(room)


@plug
async def topics(socket: Socket) -> list[str]:
    return sorted(socket.topics)


@plug
async def here(server: Server, room: str) -> list[Member]:
    return await server.members(room)


@on_join
async def joined(topic: str, socket: Socket) -> None:
    socket.send("welcome", topic)


@view(on="rooms", timeout=5)
async def crowd(server: Server, room: str, factor: int = 1) -> dict[str, int]:
    server.reads("factors/*")
    return {"count": factor * len(await server.members(room))}


@view
def mine(user: User | None, socket: Socket) -> str:
    return socket.id


@view
async def broken() -> int:
    raise Error("closed", "We are closed.")


@view
async def failing(server: Server) -> int:
    server.reads("a")
    raise RuntimeError("secret")
"""


@pytest.fixture
async def plugs(tmp_path):
    folder = tmp_path / "plugs"
    folder.mkdir()
    (folder / "all.py").write_text(PLUGS)
    async with client(folder) as c:
        yield c


async def test_a_call_gives_the_result(plugs):
    assert await plugs.call("all.greet", {"name": "Ada"}) == "Hello, Ada!"
    assert await plugs.call("all.add", {"a": 1, "b": 2}) == 3


async def test_payloads_and_results_can_have_types(plugs):
    class Numbers(Struct):
        a: int
        b: int

    assert await plugs.call("all.add", Numbers(3, 4), type=float) == 7.0
    assert await plugs.call("all.same", Raw(b'{"x": 1}'), type=Raw) == b'{"x": 1}'


async def test_what_a_plug_pushes_can_be_looked_at(plugs):
    await plugs.call("all.tell")

    assert plugs.sent == [Sent("you", {"n": 1}, "test"), Sent("all", {"n": 2})]
    assert plugs.kicked == [Kicked("test", 4500, "enough")]


async def test_what_a_plug_grants_and_revokes_can_be_looked_at(plugs):
    assert await plugs.call("all.promote", {"user": "ada"}) == to_builtins(Reach())
    await plugs.call("all.demote", {"user": "bob"})

    assert plugs.rights == [Granted("ada", "orders.approve"), Revoked("ada", "orders.*", 5.0), Revoked("bob", "*")]
    assert plugs.kicked == [Kicked(None, 4502, "bye", "bob")]


async def test_topics_that_plugs_join_and_publish_to_can_be_looked_at(plugs):
    assert await plugs.call("all.enter", {"room": "room.a", "mood": "hungry"}) == ["room.a"]
    assert await plugs.call("all.enter", {"room": "room.b"}) == ["room.a", "room.b"]
    await plugs.call("all.go", {"room": "room.a"})

    needs = (("rooms",), ("a", "b"))
    assert plugs.joined == [Joined("room.a", {"mood": "hungry"}), Joined("room.b")]
    assert plugs.left == ["room.a"]
    assert plugs.published == [
        Published("room.a", "entered", {"mood": "hungry"}, needs),
        Published("room.b", "entered", {"mood": None}, needs),
    ]
    assert plugs.changed == ["rooms/room.a", "rooms", "rooms/room.b", "rooms"]
    assert await plugs.call("all.topics") == ["room.b"]


async def test_who_has_joined_is_a_member_until_it_leaves(plugs):
    assert await plugs.call("all.here", {"room": "room.a"}) == []
    await plugs.call("all.enter", {"room": "room.a", "mood": "hungry"})
    await plugs.call("all.enter", {"room": "room.a"})
    there = await plugs.call("all.here", {"room": "room.a"}, type=list[Member])
    assert there == [Member("test", None, 1, {"mood": "hungry"})]

    await plugs.call("all.go", {"room": "room.a"})
    assert await plugs.call("all.here", {"room": "room.a"}) == []


async def test_a_user_can_call(tmp_path):
    (tmp_path / "me.py").write_text(
        "from plugsock import Member, Server, Socket, User, plug\n"
        "@plug\nasync def me(user: User) -> User:\n    return user\n"
        "@plug\nasync def here(server: Server, socket: Socket) -> list[Member]:\n"
        "    socket.join('room')\n    return await server.members('room')\n"
    )
    ada = User("ada", frozenset({"orders.*", "audit"}), expires=4e9)
    async with client(tmp_path, user=ada) as c:
        assert await c.call("me", type=User) == ada
        assert await c.call("me.here", type=list[Member]) == [Member("ada", "ada")]
        assert await c.call("me", type=User) == ada


async def test_without_a_user_it_is_a_stranger_who_calls(tmp_path):
    (tmp_path / "me.py").write_text("from plugsock import User, plug\n@plug\ndef me(user: User) -> str: ...\n")
    async with client(tmp_path) as c:
        with pytest.raises(Error, match="for users who have said who they are"):
            await c.call("me")


async def test_what_a_push_requires_can_be_looked_at(tmp_path):
    (tmp_path / "n.py").write_text(
        "from plugsock import Server, plug\n\n\n@plug\nasync def n(server: Server) -> None:\n"
        "    server.send('s1', 'a', requires='x')\n    server.broadcast('b', requires='y')\n"
    )
    async with client(tmp_path) as c:
        await c.call("n")
        assert c.sent == [Sent("a", None, "s1", (("x",),)), Sent("b", requires=(("y",),))]


async def test_a_hook_is_called_like_a_plug_and_a_rule_is_none(plugs):
    await plugs.call("@on_join:all.joined", {"topic": "room.a"})
    assert plugs.sent == [Sent("welcome", "room.a", "test")]
    with pytest.raises(Error, match="no plug answers @topic:"):
        await plugs.call("@topic:room.*")


async def test_a_view_gives_its_value_and_what_it_has_read(plugs):
    await plugs.call("all.enter", {"room": "room.a"})
    assert await plugs.view("all.crowd", {"room": "room.a", "factor": 3}) == {"count": 3}
    assert plugs.reads == ["factors/*", "@members/room.a"]
    assert await plugs.view("all.crowd", {"room": "room.b"}, type=dict[str, float]) == {"count": 0.0}
    assert plugs.reads == ["factors/*", "@members/room.b"]
    assert await plugs.view("all.mine") == "test"
    assert plugs.reads == []


async def test_a_view_can_be_called_too(plugs):
    assert await plugs.call("all.crowd", {"room": "room.a"}) == {"count": 0}
    assert plugs.reads == []


@pytest.mark.parametrize(
    ("event", "data", "code", "reads"),
    [
        ("all.broken", None, "closed", []),
        ("all.failing", None, "plug_error", ["a"]),
        ("all.crowd", {"room": 7}, "bad_payload", []),
        ("all.nothing", None, "not_found", []),
    ],
)
async def test_a_view_that_fails_raises_what_its_watchers_would_see(plugs, event, data, code, reads):
    with pytest.raises(Error) as refused:
        await plugs.view(event, data)

    assert (refused.value.code, plugs.reads) == (code, reads)


@pytest.mark.parametrize(("event", "kind"), [("all.greet", "call"), ("all.count", "stream")])
async def test_only_views_can_be_watched(plugs, event, kind):
    with pytest.raises(PlugsockError, match=f"is a {kind}"):
        await plugs.view(event)


async def test_a_plugs_own_answer_is_raised(plugs):
    with pytest.raises(Error) as refused:
        await plugs.call("all.refuse")

    assert (refused.value.code, refused.value.retry, refused.value.after) == ("out_of_stock", True, 2.0)
    assert refused.value.data == {"sku": "moon"}


@pytest.mark.parametrize(
    ("event", "data", "code"),
    [
        ("all.greet", {"name": 7}, "bad_payload"),
        ("all.greet", {"name": "Ada", "more": 1}, "bad_payload"),
        ("all.fail", None, "plug_error"),
        ("all.lie", None, "plug_error"),
        ("all.sleep", None, "timeout"),
        ("all.nothing", None, "not_found"),
    ],
)
async def test_what_goes_wrong_has_the_code_that_a_client_would_see(plugs, event, data, code):
    with pytest.raises(Error) as refused:
        await plugs.call(event, data)

    assert refused.value.code == code


async def test_a_stream_is_iterated_over(plugs):
    assert [item async for item in plugs.stream("all.count", {"upto": 100})] == list(range(100))


async def test_leaving_a_stream_cancels_it(plugs):
    stream = plugs.stream("all.count", {"upto": 1_000_000})
    assert await anext(stream) == 0
    await stream.aclose()

    while await plugs.call("all.ended") != [1_000_000]:
        pass


async def test_a_stream_is_no_call(plugs):
    with pytest.raises(PlugsockError, match="is a stream"):
        await plugs.call("all.count", {"upto": 3})


async def test_a_folder_with_a_problem_is_not_entered(tmp_path):
    (tmp_path / "broken.py").write_text("1 +\n")

    with pytest.raises(PlugsockError, match=r"has problems:\n.*broken\.py:1: "):
        async with client(tmp_path):
            pass


async def test_a_folder_with_a_problem_that_is_allowed_says_so_where_it_is_missed(tmp_path):
    (tmp_path / "broken.py").write_text("1 +\n")

    async with client(tmp_path, allow_problems=True) as c:
        assert len(c.problems) == 1
        with pytest.raises(Error, match=r"broken\.py:1: "):
            await c.call("broken.x")


async def test_a_folder_that_is_not_there_is_said(tmp_path):
    with pytest.raises(PlugsockError, match="there is no such folder"):
        async with client(tmp_path / "nowhere"):
            pass


async def test_two_folders_can_be_open_one_after_the_other(tmp_path):
    for answer in ("1", "2"):
        folder = tmp_path / answer
        folder.mkdir()
        (folder / "n.py").write_text(
            f"from plugsock import plug\n\n\n@plug\nasync def n() -> int:\n    return {answer}\n"
        )
        async with client(folder) as c:
            assert await c.call("n") == int(answer)


SURROUNDED = """
import os
import shelf
from plugsock import plug

@plug
def seen() -> list[str]:
    return [shelf.NAME, os.environ["GREETING"]]
"""


async def test_plugs_find_the_folders_libraries_and_variables_and_the_next_test_does_not(tmp_path):
    (tmp_path / "site-packages").mkdir()
    (tmp_path / "site-packages" / "shelf.py").write_text("NAME = 'shelf'\n")
    (tmp_path / ".env").write_text("GREETING=hello\n")
    (tmp_path / "seen.py").write_text(SURROUNDED)
    path = list(sys.path)

    async with client(tmp_path) as c:
        assert await c.call("seen") == ["shelf", "hello"]

    assert "GREETING" not in os.environ
    assert sys.path == path
