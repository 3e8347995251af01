"""The server that clients behind a bad network talk to, and somebody with a good one, who knows how things are."""

import asyncio
import os
import signal
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from support.cutting import Proxy
from support.guest import Guest
from support.server import running
from support.stay import HISTORY, Place, Stay
from support.truth import Truth
from support.workforce import come

WORKERS = 2

WORK = f"""
import asyncio
import json
import os
from pathlib import Path

from plugsock import Server, Socket, blocking, plug, topic

HERE = Path(__file__).parents[1]
RUNS = os.open(HERE / "runs", os.O_WRONLY | os.O_APPEND | os.O_CREAT)

topic("cuts.*", history={HISTORY})


def note(token):
    os.write(RUNS, f"{{token}} {{os.getpid()}}\\n".encode())


@plug
async def once(token: int) -> int:
    note(token)
    return token


@plug(idempotent=True)
async def safe(token: int) -> int:
    note(token)
    return token


@plug
async def slow(token: int) -> int:
    note(token)
    await asyncio.sleep(0.005)
    return token


@plug(order="socket")
def thread(token: int) -> int:
    note(token)
    return token


@plug
async def flow(token: int):
    note(token)
    for number in (1, 2, 3):
        yield number


@plug
async def publish(server: Server, token: int, topic: str) -> int:
    note(token)
    server.publish(topic, "work.said", token)
    return token


@plug
async def invite(socket: Socket, token: int, topic: str) -> int:
    note(token)
    socket.join(topic)
    return token


@plug
def put(server: blocking.Server, token: int, world: int, key: str, row: str, value: int | None) -> int:
    note(token)
    path = HERE / f"{{world}}{{key}}.json"
    data = json.loads(path.read_text()) if path.exists() else {{}}
    data[row] = value and f"a value that is longer than its row: {{value}}"
    new = HERE / f"{{token}}.new"
    new.write_text(json.dumps(data, sort_keys=True))
    new.replace(path)
    server.changed(f"board/{{world}}/{{key}}")
    return token
"""

BOARD = """
import asyncio
import json
from pathlib import Path

from plugsock import Error, Server, Socket, plug, view

HERE = Path(__file__).parents[1]
VERSION = {version}


def read(server, world, key):
    server.reads(f"board/{{world}}/{{key}}")
    path = HERE / f"{{world}}{{key}}.json"
    data = json.loads(path.read_text()) if path.exists() else {{}}
    if None in data.values():
        raise Error("broken", "A row of it is.")
    return {{"version": VERSION, "rows": data}}


@view
async def shared(server: Server, world: int, key: str) -> dict:
    return read(server, world, key)


@view
async def own(server: Server, socket: Socket, world: int, key: str) -> dict:
    value = read(server, world, key)
    await asyncio.sleep(0.003)
    return value


@plug
async def version() -> int:
    return VERSION
"""


class World:
    """A server, proxies before it, and the driver: a client that nobody cuts off.

    Attributes:
        truth: See there.
        proxies: One for each client.
    """

    def __init__(self, folder: Path, guests: int) -> None:
        self._folder = folder
        self._guests = guests
        self._version = 1
        self._killed: set[int] = set()
        self._stack = AsyncExitStack()

    async def open(self) -> None:
        """Start it all."""
        plugs = {"work": WORK, "board": BOARD.format(version=1)}
        flags = ("--workers", str(WORKERS))
        self.server = await self._stack.enter_async_context(running(self._folder / "plugs", *flags, **plugs))
        self.truth = Truth(self._folder / "runs")
        self.proxies = [Proxy(self.server.port) for _ in range(self._guests)]
        for proxy in self.proxies:
            await proxy.open()
        self.driver = Guest("the driver", self.server.port, self.truth, binary=False)
        await self.driver.come()
        await self.driver.until(lambda: self.driver.is_welcome or not self.driver.is_connected)
        assert self.driver.is_welcome, self.server.err

    async def close(self) -> None:
        """End it all."""
        self.driver.close()
        for proxy in self.proxies:
            proxy.close()
        self.truth.close()
        await self._stack.aclose()

    def save(self) -> None:
        """Save another version of the file with the views."""
        self._version += 1
        self.truth.tell(f"saved version {self._version}")
        self.server.save("board.py", BOARD.format(version=self._version))

    async def is_in_force(self) -> None:
        """Wait until the version that was saved last is."""
        while True:
            heard = self.driver.swaps
            if await self.driver.ask("board.version", None) == self._version:
                return
            await self.driver.until(lambda heard=heard: self.driver.swaps != heard)

    async def kill(self, which: int) -> None:
        """Kill a worker, when all are there."""
        pid = sorted(await come(self.server, WORKERS, without=self._killed))[which]
        self._killed.add(pid)
        self.truth.kills += 1
        self.truth.tell(f"killed {pid}")
        os.kill(pid, signal.SIGKILL)

    async def is_staffed(self) -> None:
        """Wait until all workers are there."""
        await come(self.server, WORKERS, without=self._killed)

    async def put(self, world: int, key: str, row: str, value: int | None) -> None:
        """Change something, surely."""
        fate = self.truth.begin("work.put", is_safe=False)
        args = {"token": fate.token, "world": world, "key": key, "row": row, "value": value}
        assert await self.driver.ask("work.put", args) == fate.token

    async def watch_over(self, topic: str) -> None:
        """See all that is pushed on a topic."""
        self.driver.stays[topic] = Stay(topic, self.truth)
        await self._join(topic)

    async def place(self, topic: str) -> Place:
        """Where a topic stands."""
        if topic in self.driver.stays:
            return await self._join(topic)
        await self.watch_over(topic)
        place = self.driver.stays[topic].place
        await self.forget(topic)
        return place

    async def forget(self, topic: str) -> None:
        """See it no more."""
        stay = self.driver.stays[topic]
        self.driver.leave(stay)
        await self.driver.until(lambda: not stay.is_pending)
        del self.driver.stays[topic]

    async def _join(self, topic: str) -> Place:
        stay = self.driver.stays[topic]
        self.driver.join(stay)
        await self.driver.until(lambda: not stay.is_pending)
        return stay.place

    async def value(self, view: str, args: Any) -> tuple[str, Any]:
        """What a view shows now, as `Shown.news` has it."""
        answer = await self.driver.ask(view, args)
        return ("fault", answer) if isinstance(answer, str) else ("value", answer)

    async def turn(self) -> None:
        """Let what is ready be done."""
        for _ in range(3):
            await asyncio.sleep(0)
