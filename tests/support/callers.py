"""Clients that keep calls in flight and write down whatever comes back, and a plug that says which version it is.

They speak raw frames: a client that matches answers to calls by itself would hide what is doubled or foreign.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_websocket
from websockets.exceptions import ConnectionClosed

from support.history import History
from support.server import LIMIT_S, Server

EVENT = "version"

SOURCE = """\
from plugsock import plug
from plugs._freed import tell_when_freed

FIRST = {version}
tell_when_freed(__name__, FIRST)

@plug(idempotent=True)
async def version(connection: int = 0, id: int = 0) -> dict:
    return {{"made_for": [connection, id], "versions": [FIRST, LAST]}}

{filler}
LAST = {version}
"""
FILLER = "# As long as a real file is, so that nobody writes it all at once.\n" * 300


def source(version: int) -> str:
    """A plug file that holds its version at both ends."""
    return SOURCE.format(version=version, filler=FILLER)


class Caller:
    """One connection with `depth` calls in flight, until it is told to stop."""

    def __init__(self, number: int, websocket: ClientConnection, history: History, depth: int) -> None:
        self.number = number
        self.answered = 0
        self._websocket = websocket
        self._history = history
        self._depth = depth
        self._open: set[int] = set()
        self._last_id = 0
        self._stopping = False

    async def run(self) -> None:
        """Call; after `stop`, wait for what is open, and for whatever comes beyond it."""
        try:
            for _ in range(self._depth):
                await self._call()
            while self._open:
                is_answer = self._take((await self._websocket.recv(decode=False)).split(b" ", 2))
                if is_answer and not self._stopping:
                    await self._call()
            await self._websocket.send("ping")
            while (frame := await self._websocket.recv(decode=False)) != b"pong":
                self._take(frame.split(b" ", 2))
        except ConnectionClosed:
            return  # what is open then was lost: the history says so

    def stop(self) -> None:
        self._stopping = True

    async def _call(self) -> None:
        self._last_id += 1
        id = self._last_id
        self._open.add(id)
        self._history.send(self.number, id)
        await self._websocket.send(f'call {id} {EVENT} {{"connection":{self.number},"id":{id}}}')

    def _take(self, frame: list[bytes]) -> bool:
        """Write an answer down; False if it is none: a notice, say."""
        verb, id, payload = frame
        if verb not in (b"ok", b"error"):
            return False
        data = json.loads(payload)
        outcome = "ok" if verb == b"ok" else data["code"]
        made_for = tuple(data["made_for"]) if verb == b"ok" else None
        self._history.receive(self.number, int(id), outcome, made_for, data.get("versions", ()))
        self._open.discard(int(id))
        self.answered += 1
        return True


@asynccontextmanager
async def calling(server: Server, history: History, *, connections: int, depth: int) -> AsyncIterator[list[Caller]]:
    """Call without pause during the block; at its end everything that was sent has been answered, or is lost."""
    callers = [
        Caller(number, await open_websocket(server.url, max_queue=None, compression=None), history, depth)
        for number in range(1, connections + 1)
    ]
    running = [asyncio.get_running_loop().create_task(caller.run()) for caller in callers]
    try:
        yield callers
    finally:
        for caller in callers:
            caller.stop()
        _, stuck = await asyncio.wait(running, timeout=LIMIT_S)
        for task in stuck:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        for caller in callers:
            await caller._websocket.close()
    for task in running:
        if not task.cancelled():
            task.result()
