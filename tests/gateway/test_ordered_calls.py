"""Ordered calls through a real server with several workers, while their plug is swapped."""

import asyncio
from collections import defaultdict

from support.identity import AUTH
from support.once import connect
from support.server import running

VISIT = """
import asyncio
from plugsock import plug

inside = {}


@plug(order="{room}")
async def visit(room: str, number: int) -> tuple[int, int]:
    assert not inside.get(room), "two calls are in one room"
    inside[room] = True
    try:
        await asyncio.sleep(0.001)
    finally:
        await asyncio.sleep(0.001)  # a call that was cancelled is here for a while, too
        inside[room] = False
    return number, VERSION
"""

WRITE = """
import asyncio
from pathlib import Path
from plugsock import User, plug


@plug(order="user")
async def write(user: User, number: int) -> int:
    writing = Path(f"{user.id} is writing")
    writing.touch(exist_ok=False)  # on whichever worker: two calls of one user never run
    await asyncio.sleep(0.001)
    writing.unlink()
    return number
"""

ROOMS = ("kitchen", "cellar", "attic")
CALLS = 240


async def test_each_room_has_one_call_at_a_time_in_order_and_never_an_older_revision(tmp_path):
    answers: dict[str, list[tuple[int, int]]] = defaultdict(list)
    begun = asyncio.Event()

    async def visit(socket, number):
        room = ROOMS[number % len(ROOMS)]
        answer = await socket.call("room.visit", {"room": room, "number": number})
        answers[room].append(answer)
        begun.set()

    first = VISIT.replace("VERSION", "1")
    flags = ("--workers", "2", "--max-open", str(CALLS))
    async with (
        running(tmp_path / "plugs", *flags, room=first) as server,
        connect(server.url) as socket,
        asyncio.TaskGroup() as group,  # what a call is refused with would end it
    ):
        visits = [group.create_task(visit(socket, number)) for number in range(CALLS // 2)]
        await begun.wait()
        for number in range(50, CALLS // 2, 7):
            visits[number].cancel()
        server.save("room.py", VISIT.replace("VERSION", "2"))
        await server.says("swapped .*event=room.visit")
        for number in range(CALLS // 2, CALLS):
            group.create_task(visit(socket, number))

    for visited in answers.values():
        assert visited == sorted(visited)
        assert [version for _, version in visited] == sorted(version for _, version in visited)
    assert {version for visited in answers.values() for _, version in visited} == {1, 2}


async def test_each_user_has_one_call_at_a_time_in_order_over_all_their_sockets(tmp_path):
    answers: dict[str, list[int]] = defaultdict(list)

    async def write(user, socket, number):
        answers[user].append(await socket.call("notes.write", {"number": number}))

    async with (
        running(tmp_path / "plugs", "--workers", "2", auth=AUTH, notes=WRITE) as server,
        connect(server.url, "ada") as first,
        connect(server.url, "ada") as second,
        connect(server.url, "bob") as other,
        asyncio.TaskGroup() as group,  # what a call is refused with would end it
    ):
        for number in range(60):
            group.create_task(write("ada", first, number))
            group.create_task(write("ada", second, 100 + number))
            group.create_task(write("bob", other, number))

    assert answers["bob"] == list(range(60))
    assert sorted(answers["ada"]) == [*range(60), *range(100, 160)]
    for begin in (0, 100):
        of_one_socket = [number for number in answers["ada"] if begin <= number < begin + 100]
        assert of_one_socket == sorted(of_one_socket)
