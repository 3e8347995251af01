"""Clients that do not read, and clients that ask for too much, at a real server: it costs nobody else anything."""

import asyncio
import json
import re
import sys
import time

import psutil
import pytest

from support.ear import ears
from support.server import running

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.skipif(sys.platform == "win32", reason="its sockets can't be made to hold little"),
]

MIB = 1024 * 1024
PAD = 100_000
"""Bytes of one value."""

VALUE = re.compile(r'item \d+ {"number":(\d+),')

TICKER = f"""
from plugsock import Server, Socket, on_disconnect, plug, topic, view

topic("door")
NUMBER = [0]


@plug
async def tick(server: Server) -> int:
    NUMBER[0] += 1
    server.changed("number")
    return NUMBER[0]


@view(on="number")
async def shown() -> dict[str, object]:
    return {{"number": NUMBER[0], "pad": "x" * {PAD}}}


@on_disconnect
async def gone(server: Server, socket: Socket) -> None:
    server.publish("door", "gone", socket.id)
"""


def numbers(ear):
    """Of the values of a view that came."""
    return [int(found[1]) for frame in ear.heard if (found := VALUE.match(frame))]


def has_gone(porter, count=1):
    """Have so many sockets gone? Who has joined `door` is told."""
    return sum(frame.startswith("push door ") for frame in porter.heard) >= count


@pytest.mark.fault("R2")
async def test_who_never_reads_a_view_is_closed_and_only_the_newest_value_waits_for_them(tmp_path):
    async with (
        running(tmp_path / "plugs", "--workers", "1", "--slow", "1", ticker=TICKER) as server,
        ears(server, 3) as (driver, neighbour, porter),
        ears(server, narrow=True) as [stuck],
    ):
        gateway = psutil.Process(server.pid)
        await porter.ask("join 1 door")
        for ear in (neighbour, stuck):
            ear.says("watch 1 ticker.shown")
            await ear.until(lambda ear=ear: numbers(ear))
        for id in range(1, 21):
            await driver.ask(f"call {id} ticker.tick")
        await asyncio.gather(*(ear.until(lambda ear=ear: numbers(ear)[-1] == 20) for ear in (neighbour, stuck)))
        before, most, slowest = gateway.memory_info().rss, 0, 0.0
        came = len(numbers(stuck))

        stuck.stop()
        number = 20
        while not has_gone(porter):
            number = await driver.ask(f"call {number + 1} ticker.tick")
            since = time.monotonic()
            await neighbour.ping()
            await neighbour.until(lambda number=number: numbers(neighbour)[-1] == number)
            slowest = max(slowest, time.monotonic() - since)
            most = max(most, gateway.memory_info().rss)

        stuck.go_on()
        assert await stuck.over() == 4003
        assert (number - 20) * PAD > 5 * MIB, "else this shows nothing"
        assert most - before < 4 * MIB
        assert len(numbers(stuck)) - came < 10
        assert numbers(neighbour) == sorted(set(numbers(neighbour)))
        assert slowest < 1


@pytest.mark.fault("R2")
async def test_who_reads_a_view_again_in_time_gets_the_newest_value_and_few_others(tmp_path):
    async with (
        running(tmp_path / "plugs", "--workers", "1", ticker=TICKER) as server,
        ears(server) as [driver],
        ears(server, narrow=True) as [slow],
    ):
        slow.says("watch 1 ticker.shown")
        await slow.until(lambda: numbers(slow))
        slow.stop()
        for id in range(1, 201):
            await driver.ask(f"call {id} ticker.tick")
        slow.go_on()
        await slow.until(lambda: numbers(slow)[-1] == 200)
        await slow.ping()
        assert numbers(slow) == sorted(set(numbers(slow)))
        assert len(numbers(slow)) < 10
        await driver.ask("call 201 ticker.tick")
        await slow.until(lambda: numbers(slow)[-1] == 201)


NEWS = """
from plugsock import Server, Socket, on_leave, plug, topic

topic("door")
topic("news", history=1000)


@plug
async def tell(server: Server, count: int) -> None:
    for number in range(1, count + 1):
        server.publish("news", "told", {"number": number, "pad": "x" * 500})


@on_leave
async def left(server: Server, socket: Socket, topic: str) -> None:
    if topic == "news":
        server.publish("door", "left", socket.id)
"""

TOLD = 400
LISTENERS = 200
STUCK = 10


def told(ear):
    """Of the pushes that came."""
    return [json.loads(frame.split(" ", 3)[3])["number"] for frame in ear.heard if frame.startswith("push news ")]


@pytest.mark.fault("R3")
async def test_ten_who_do_not_read_are_closed_and_hundreds_of_others_miss_nothing(tmp_path):
    async with (
        running(tmp_path / "plugs", "--workers", "1", "--slow", "1", news=NEWS) as server,
        ears(server, 2) as (driver, porter),
        ears(server, LISTENERS) as listeners,
        ears(server, STUCK, narrow=True) as stuck,
        ears(server, STUCK) as back,
    ):
        await porter.ask("join 1 door")
        await asyncio.gather(*(ear.ask("join 1 news") for ear in listeners))
        keys = [(await ear.ask("hello 1 plugsock {}"))["resume"] for ear in stuck]
        for ear in stuck:
            await ear.ask("join 2 news")
            ear.stop()

        await driver.ask(f'call 1 news.tell {{"count":{TOLD}}}')
        since = time.monotonic()
        for ear in listeners:
            await ear.until(lambda ear=ear: len(told(ear)) >= TOLD)
        took_s = time.monotonic() - since
        assert all(told(ear) == list(range(1, TOLD + 1)) for ear in listeners)

        await porter.until(lambda: has_gone(porter, STUCK))
        for ear in stuck:
            ear.go_on()
        assert {await ear.over() for ear in stuck} == {4003}
        assert not any(ear.is_over for ear in listeners)
        assert took_s < 3

        for old, new, key in zip(stuck, back, keys, strict=True):
            came = told(old)
            assert came == list(range(1, len(came) + 1))
            assert len(came) < TOLD
            pushes = [frame for frame in old.heard if frame.startswith("push news ")]
            at = pushes[-1].split(" ")[2].partition("?at=")[2]
            welcome = await new.ask(f"hello 1 plugsock {json.dumps({'resume': key, 'topics': {'news': at}})}")
            assert (welcome["resumed"], welcome["topics"]["news"]["recovered"]) == (True, True)
            await new.until(lambda new=new: TOLD in told(new))
            assert came + told(new) == list(range(1, TOLD + 1))


ROOMS = """
from plugsock import Server, plug, topic

topic("room.*", presence=True)
topic("kept.*", history=5)
topic("brief.*", history=5, ttl=0.2)
topic("large.*", history=100)


@plug
async def tell(server: Server, topic: str, count: int, size: int = 1) -> None:
    for _ in range(count):
        server.publish(topic, "told", "x" * size)
"""


@pytest.mark.fault("R4")
async def test_joining_and_leaving_ever_other_topics_leaves_nothing_behind(tmp_path):
    async with (
        running(tmp_path / "plugs", "--workers", "1", rooms=ROOMS) as server,
        ears(server) as [ear],
    ):
        gateway = psutil.Process(server.pid)

        async def churn(start, count):
            frames = len(ear.heard)
            for number in range(start, start + count):
                ear.says(f"join {2 * number + 1} room.{number}", f"leave {2 * number + 2} room.{number}")
                if number % 500 == 0:
                    await ear.ping()
            await ear.ping()
            answers = [frame for frame in ear.heard[frames:] if frame.startswith("ok ")]
            assert len(answers) == 2 * count
            ear.heard[:] = [frame for frame in ear.heard if frame == "pong"]

        await churn(0, 2_000)
        before = gateway.memory_info().rss
        await churn(2_000, 10_000)
        assert gateway.memory_info().rss - before < 2 * MIB


@pytest.mark.fault("R4")
async def test_one_topic_too_many_and_a_name_that_is_too_long_are_errors_and_the_socket_stays(tmp_path):
    async with (
        running(tmp_path / "plugs", "--workers", "1", rooms=ROOMS) as server,
        ears(server) as [ear],
    ):
        for number in range(1, 129):
            assert await ear.ask(f"join {number} room.{number}") != "limit"
        assert await ear.ask("join 129 room.129") == "limit"
        long = "room." + "x" * 124
        ear.says(f"join 130 {long}")
        await ear.until(lambda: [frame for frame in ear.heard if '"bad_frame"' in frame])
        assert await ear.ask("leave 131 room.1") is None
        assert await ear.ask(f"join 132 {long[:-1]}") != "limit"
        await ear.ping()


async def recovered(ear, id, topic, at):
    """Join a topic; is all here that was missed since a position?"""
    return (await ear.ask(f"join {id} {topic}?at={at}"))["recovered"]


@pytest.mark.fault("R11")
async def test_what_is_not_kept_any_more_is_never_passed_over_in_silence(tmp_path):
    async with (
        running(tmp_path / "plugs", "--workers", "1", rooms=ROOMS) as server,
        ears(server, 2) as (driver, ear),
    ):
        ids = iter(range(2, 10_000))
        epochs = {topic: (await driver.ask(f"join {next(ids)} {topic}"))["epoch"] for topic in ("kept.a", "large.a")}

        await driver.ask(f'call {next(ids)} rooms.tell {{"topic":"kept.a","count":7}}')
        assert not await recovered(ear, 1, "kept.a", f"{epochs['kept.a']}.1")
        assert await recovered(ear, 2, "kept.a", f"{epochs['kept.a']}.2")
        await ear.ping()
        assert sum(frame.startswith("push kept.a ") for frame in ear.heard) == 5

        await driver.ask(f'call {next(ids)} rooms.tell {{"topic":"large.a","count":12,"size":100000}}')
        assert not await recovered(ear, 3, "large.a", f"{epochs['large.a']}.1")
        assert await recovered(ear, 4, "large.a", f"{epochs['large.a']}.2")

        at = f"{(await driver.ask(f'join {next(ids)} brief.a'))['epoch']}.0"
        await driver.ask(f'call {next(ids)} rooms.tell {{"topic":"brief.a","count":3}}')
        tries = 5
        while await recovered(ear, tries, "brief.a", at):
            tries += 1
        assert await recovered(ear, tries + 1, "brief.a", at.replace(".0", ".3"))
