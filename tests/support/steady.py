"""Clients that call at a steady pace whatever becomes of the answers, and write everything down.

They speak raw frames: a client that matches answers to calls by itself would hide what is doubled or foreign.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_websocket
from websockets.exceptions import ConnectionClosed

from support.server import LIMIT_S, Server


@dataclass(slots=True)
class Call:
    """A call that was sent, and what came back."""

    event: str
    sent: float
    items: list[Any] = field(default_factory=list)
    answers: list[tuple[str, Any]] = field(default_factory=list)
    """Verb and data of each terminal answer."""
    took_s: float = 0.0

    @property
    def code(self) -> str:
        """`ok`, or the code of its error; only for one that was answered."""
        verb, data = self.answers[0]
        return "ok" if verb == "ok" else str(data["code"])


class Steady:
    """One connection that makes a call every so often.

    Attributes:
        calls: By their ids.
        unasked: Frames that belong to none of them.
        is_lost: The connection went.
    """

    def __init__(self, number: int, websocket: ClientConnection, events: Sequence[str]) -> None:
        self.number = number
        self.calls: dict[int, Call] = {}
        self.unasked: list[str] = []
        self.is_lost = False
        self._websocket = websocket
        self._events = events
        self._open = 0
        self._answer = asyncio.Event()
        self._pong = asyncio.Event()

    async def pace(self, every_s: float, first_s: float, until: float) -> None:
        """Call one event after the other, the first one after `first_s`; times are the monotonic clock's."""
        due = time.monotonic() + first_s
        try:
            while due < until:
                await asyncio.sleep(due - time.monotonic())
                await self._call()
                due += every_s
        except ConnectionClosed:
            self.is_lost = True

    async def read(self) -> None:
        """Write down what comes, until the connection is closed."""
        try:
            while True:
                self._take(str(await self._websocket.recv()))
        except ConnectionClosed:
            return

    async def finish(self) -> None:
        """Wait for what is open, then for whatever comes beyond it."""
        try:
            async with asyncio.timeout(LIMIT_S):
                while self._open:
                    self._answer.clear()
                    await self._answer.wait()
                await self._websocket.send("ping")
                await self._pong.wait()
        except ConnectionClosed:
            self.is_lost = True
        except TimeoutError:
            return  # `calls` shows what was never answered

    async def _call(self) -> None:
        id = len(self.calls) + 1
        event = self._events[(id + self.number) % len(self._events)]
        self.calls[id] = Call(event, time.monotonic())
        self._open += 1
        await self._websocket.send(f'call {id} {event} {{"number":{id}}}')

    def _take(self, frame: str) -> None:
        verb, _, rest = frame.partition(" ")
        id, _, payload = rest.partition(" ")
        if verb == "pong":
            self._pong.set()
        elif verb not in ("ok", "error", "item") or int(id) not in self.calls:
            self.unasked.append(frame)
        elif verb == "item":
            self.calls[int(id)].items.append(json.loads(payload))
        else:
            self._answered(self.calls[int(id)], verb, json.loads(payload or "null"))

    def _answered(self, call: Call, verb: str, data: Any) -> None:
        call.answers.append((verb, data))
        call.took_s = time.monotonic() - call.sent
        self._open -= 1
        self._answer.set()


@asynccontextmanager
async def steadily(
    server: Server, events: Sequence[str], *, sockets: int, rate: float, seconds: float
) -> AsyncIterator[list[Steady]]:
    """Make `rate` calls a second over all sockets, for so long; the block's end waits for that and for every answer."""
    clients = [
        Steady(number, await open_websocket(server.url, max_queue=None, compression=None), events)
        for number in range(sockets)
    ]
    loop = asyncio.get_running_loop()
    readers = [loop.create_task(client.read()) for client in clients]
    until = time.monotonic() + seconds
    pacers = [
        loop.create_task(client.pace(sockets / rate, number / rate, until)) for number, client in enumerate(clients)
    ]
    try:
        yield clients
        await asyncio.gather(*pacers)
        await asyncio.gather(*(client.finish() for client in clients))
    finally:
        for pacer in pacers:
            pacer.cancel()
        for client in clients:
            client.is_lost = client.is_lost or client._websocket.close_code is not None
            await client._websocket.close()
        await asyncio.gather(*pacers, *readers, return_exceptions=True)
