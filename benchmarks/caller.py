"""The least client that can call a plug: one call at a time on one connection."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect


class Caller:
    """An open connection."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._id = 0

    async def call(self, event: str, payload: str = "{}") -> tuple[bool, Any]:
        """Call an event, without arguments unless told; return whether it went well, and the result or the error."""
        self._id += 1
        await self._connection.send(f"call {self._id} {event} {payload}")
        while True:
            verb, _, rest = str(await self._connection.recv()).partition(" ")
            answered, _, payload = rest.partition(" ")
            if verb in ("ok", "error") and answered == str(self._id):
                return verb == "ok", json.loads(payload)


@asynccontextmanager
async def calling(port: int) -> AsyncIterator[Caller]:
    """Open a connection until the block ends."""
    async with connect(f"ws://127.0.0.1:{port}/", subprotocols=["plugsock.v1"], compression=None) as connection:
        yield Caller(connection)
