"""A thousand open views whose plug is swapped, broken, changed and taken away, through a real server."""

import json
import re

import pytest

from plugsock.client.merge import merge
from support.ear import ears
from support.server import running

pytestmark = pytest.mark.end_to_end

SOCKETS = 50
SCREENS = 20
"""A socket."""

BOARD = """
from pathlib import Path

from plugsock import Server, Socket, plug, view

VERSION = {version}
COUNT = Path(__file__).parents[1] / "count"


def state(more: object) -> dict[str, object]:
    count = int(COUNT.read_text()) if COUNT.exists() else 0
    return {{"version": VERSION, "count": count, "of": more, "pad": "x" * 100}}


@plug
async def bump(server: Server, count: int) -> None:
    COUNT.with_suffix(".new").write_text(str(count))
    COUNT.with_suffix(".new").replace(COUNT)
    server.changed("count")


{mark}
async def shared(number: {type}) -> dict[str, object]:
    return state(number)


@view(on="count")
async def own(socket: Socket, number: int) -> dict[str, object]:
    return state(socket.id)
"""


def board(version, *, mark='@view(on="count")', type="int"):
    return BOARD.format(version=version, mark=mark, type=type)


class Screen:
    """One view as its client shows it: every value that it had, from the frames that came."""

    def __init__(self, ear, id, view, *, patches):
        self.ear = ear
        self.id = id
        self.values = []
        self.patched = 0
        self.end = None
        ear.says(f'watch {id} board.{view}{"?patch" if patches else ""} {{"number":{id}}}')

    def take(self, verb, payload):
        data = json.loads(payload)
        if verb == "error":
            self.end = data["code"]
        elif verb == "patch":
            self.patched += 1
            self.values.append(merge(self.values[-1], data))
        else:
            assert verb == "item", (verb, data)
            self.values.append(data)

    @property
    def states(self):
        """Which revision it showed, and which count."""
        return [(value["version"], value["count"]) for value in self.values]

    @property
    def state(self):
        """What it shows now."""
        return self.values[-1]["version"], self.values[-1]["count"]


class Wall:
    """All of them."""

    def __init__(self, all_ears):
        self.ears = all_ears
        self.screens = [self._screen(ear, id) for ear in all_ears for id in range(1, SCREENS + 1)]
        self._of = {ear: [screen for screen in self.screens if screen.ear is ear] for ear in all_ears}

    def _screen(self, ear, id):
        return Screen(ear, id, "own" if id > SCREENS - 2 else "shared", patches=id % 2 == 0)

    @property
    def shared(self):
        return [screen for screen in self.screens if screen.id <= SCREENS - 2]

    def look(self, ear):
        """Take in what has come on a socket."""
        frames, ear.heard[:] = ear.heard[:], [frame for frame in ear.heard if frame == "pong"]
        for frame in frames:
            if found := re.match(r"(item|patch|error|fault) (\d+) (.*)", frame):
                self._of[ear][int(found[2]) - 1].take(found[1], found[3])

    async def until(self, holds):
        """Wait until something is so of every screen."""
        for ear in self.ears:

            def ready(ear=ear):
                self.look(ear)
                return all(map(holds, self._of[ear]))

            await ear.until(ready)

    async def quiet(self):
        """Wait until everything has come that was sent."""
        for ear in self.ears:
            await ear.ping()
            self.look(ear)


@pytest.mark.fault("S28")
async def test_a_thousand_open_views_follow_every_save_of_their_plug(tmp_path):
    async with (
        running(tmp_path / "plugs", "--workers", "2", board=board(1)) as server,
        ears(server) as [driver],
        ears(server, SOCKETS) as all_ears,
    ):
        wall = Wall(all_ears)
        await wall.until(lambda screen: screen.values)
        first = wall.screens[0]
        count = 0

        async def bump():
            nonlocal count
            count += 1
            assert await driver.ask(f'call {count} board.bump {{"count":{count}}}') is None

        for version in (2, 3, 4):
            server.save("board.py", board(version))
            while first.state[0] != version:
                await bump()
                await wall.until(lambda screen: screen is not first or screen.state[1] == count)
            await bump()
            await wall.until(lambda screen, now=(version, count): screen.state == now)
        for screen in wall.screens:
            assert screen.states == sorted(set(screen.states)), "one twice, or an older one after a newer one"
            assert {version for version, _ in screen.states} == {1, 2, 3, 4}
        assert sum(screen.patched for screen in wall.screens) >= SOCKETS * SCREENS / 2
        assert not any(screen.patched for screen in wall.screens if screen.id % 2)

        shown = [len(screen.values) for screen in wall.screens]
        server.save("board.py", board(5) + "\nthis is no Python\n")
        await server.says(r"board\.py:\d+")
        await wall.quiet()
        assert [len(screen.values) for screen in wall.screens] == shown
        await bump()
        await wall.until(lambda screen: screen.state == (4, count))

        server.save("board.py", board(6, type="str"))
        await wall.until(lambda screen: screen.end or screen.state == (6, count))
        assert {screen.end for screen in wall.shared} == {"bad_payload"}
        server.save("board.py", "")
        await wall.until(lambda screen: screen.end)
        assert {screen.end for screen in wall.screens if screen not in wall.shared} == {"gone"}
        await wall.quiet()
        assert not any(ear.is_over for ear in wall.ears)


@pytest.mark.fault("S28")
async def test_a_view_that_is_a_plain_plug_now_is_gone(tmp_path):
    async with (
        running(tmp_path / "plugs", "--workers", "1", board=board(1)) as server,
        ears(server) as [ear],
    ):
        ear.says('watch 1 board.shared {"number":1}')
        await ear.until(lambda: any(frame.startswith("item 1 ") for frame in ear.heard))
        server.save("board.py", board(2, mark="@plug"))
        assert await ear.answer("1") == "gone"
        assert (await ear.ask('call 2 board.shared {"number":1}'))["version"] == 2
