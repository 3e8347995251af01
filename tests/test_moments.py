"""Hooks in plug files, through a real server: what they are told of the sockets that come, join, leave and go."""

import asyncio
import signal

import pytest

from support.identity import AUTH, hello, line
from support.once import connect
from support.server import LIMIT_S, running

pytestmark = pytest.mark.end_to_end

both = pytest.mark.parametrize("workers", ["0", "2"], ids=["inline", "workers"])

DIARY = """
from pathlib import Path

from plugsock import Server, Socket, User, on_connect, on_disconnect, on_join, on_leave, plug, topic

topic("room.*")


def write(what: str, socket: Socket, user: User | None, where: str = "-") -> None:
    with Path(PLACE).open("a", encoding="utf-8") as diary:
        diary.write(f"{socket.id} {what} {user and user.id} {where}\\n")


@on_connect
async def came(socket: Socket, user: User | None) -> None:
    write("came", socket, user)
    socket.send("greeting", user and user.id)


@on_disconnect
def went(socket: Socket, user: User | None) -> None:
    write("went", socket, user)


@on_join
async def joined(socket: Socket, user: User | None, topic: str) -> None:
    write("joined", socket, user, topic)


@on_leave
async def left(topic: str, socket: Socket, user: User | None) -> None:
    write("left", socket, user, topic)


@on_join
async def counted(server: Server) -> None:
    server.broadcast("somebody-joined")


@plug
async def enter(socket: Socket, room: str) -> str:
    socket.join(room)
    return socket.id
"""


class Diary:
    """What the hooks have written down, by socket."""

    def __init__(self, folder) -> None:
        self.path = folder / "diary"
        self.plug = DIARY.replace("PLACE", repr(str(self.path)))

    def of(self, socket: str) -> list[str]:
        lines = self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []
        return [line.partition(" ")[2] for line in lines if line.startswith(f"{socket} ")]

    async def says(self, socket: str, last: str) -> list[str]:
        """Wait until something is written of a socket."""
        async with asyncio.timeout(LIMIT_S):
            while (lines := self.of(socket))[-1:] != [last]:  # noqa: ASYNC110 - another process writes it
                await asyncio.sleep(0.01)
        return lines


@pytest.fixture
def diary(tmp_path):
    return Diary(tmp_path)


@both
async def test_hooks_follow_a_user_from_the_welcome_to_the_end(tmp_path, diary, workers):
    async with running(tmp_path / "plugs", "--workers", workers, auth=AUTH, diary=diary.plug) as server:
        async with line(server) as ada:
            await ada.says(hello("ada"))
            assert (await ada.hears())[0].startswith("welcome ")
            assert await ada.hears() == ("push - greeting", "ada")
            await ada.says('call 2 diary.enter {"room":"room.a"}')
            heard = dict([await ada.hears(), await ada.hears()])
            assert heard["push - somebody-joined"] is None
            id = heard["ok 2"]
        assert await diary.says(id, "went ada -") == [
            "came ada -",
            "joined ada room.a",
            "left ada room.a",
            "went ada -",
        ]


async def test_hooks_follow_who_says_no_hello_from_the_first_frame(tmp_path, diary):
    async with running(tmp_path / "plugs", "--workers", "1", diary=diary.plug) as server:
        async with line(server) as somebody:
            await somebody.says("join 1 room.a", "leave 2 room.a", 'call 3 diary.enter {"room":"room.b"}')
            heard = [await somebody.hears() for _ in range(6)]
            [id] = [payload for head, payload in heard if head == "ok 3"]
            assert ("push - greeting", None) in heard
        assert await diary.says(id, "went None -") == [
            "came None -",
            "joined None room.a",
            "left None room.a",
            "joined None room.b",
            "left None room.b",
            "went None -",
        ]


async def test_hooks_are_swapped_and_hear_of_the_end_of_what_began_before(tmp_path, diary):
    async with running(tmp_path / "plugs", "--workers", "1", diary=diary.plug) as server:
        async with connect(server.url) as client:
            id = await client.call("diary.enter", {"room": "room.a"})
            await diary.says(id, "joined None room.a")
            server.save("diary.py", diary.plug.replace('"went"', '"went for good"'))
            await server.says("swapped .*event=diary.enter")
        assert (await diary.says(id, "went for good None -"))[-1] == "went for good None -"


async def test_a_server_that_ends_tells_hooks_who_goes(tmp_path, diary):
    async with (
        running(tmp_path / "plugs", "--workers", "1", diary=diary.plug) as server,
        line(server) as somebody,
    ):
        await somebody.says('call 1 diary.enter {"room":"room.a"}')
        heard = [await somebody.hears() for _ in range(3)]
        [id] = [payload for head, payload in heard if head == "ok 1"]
        server.send(signal.SIGTERM)
        await somebody.ended()
        assert await server.end() == 0
    assert diary.of(id)[-1] == "went None -"
    assert not [line for line in server.err if " error " in line]
