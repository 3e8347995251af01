"""Talking as a client that comes back, to a server that a test speaks itself."""

import asyncio
import json
from contextlib import asynccontextmanager

from websockets.asyncio.server import serve

from plugsock.client import Backoff, connect
from support.conversing import Peer

AT_ONCE = Backoff(draw=lambda least, _most: least)
"""Comes back without a pause."""

NEVER = Backoff(draw=lambda _least, _most: 3600.0)
"""Comes back when it is woken."""


class Host(Peer):
    """The server's side of one of the client's connections."""

    async def welcomes(self, id=1, **welcome):
        """Answer `hello`; what it said."""
        message = await self.websocket.recv()
        assert message.startswith(f"hello {id} plugsock ")
        said = {"session": "s1", "resume": f"key of {id}", "resumed": id > 1, "topics": {}} | welcome
        await self.says(f"welcome {id} " + json.dumps(said))
        return json.loads(message.removeprefix(f"hello {id} plugsock "))

    async def is_asked(self, id=1):
        """Hear `hello`, and say nothing."""
        assert (await self.websocket.recv()).startswith(f"hello {id} plugsock ")

    def drops(self):
        """Cut the connection."""
        self.websocket.transport.abort()


class Hosts:
    """A server that takes any number of connections.

    Attributes:
        url: Where.
    """

    def __init__(self):
        self._came: asyncio.Queue[Host] = asyncio.Queue()

    async def next(self):
        """The next connection."""
        return await self._came.get()

    async def welcomes(self, id=1, **welcome):
        """Welcome the next connection; it, and what its hello said."""
        host = await self.next()
        return host, await host.welcomes(id, **welcome)

    async def handle(self, websocket):
        await self._came.put(Host(websocket))
        await websocket.wait_closed()


@asynccontextmanager
async def hosting():
    """The server."""
    hosts = Hosts()
    async with serve(hosts.handle, "127.0.0.1", 0, subprotocols=["plugsock.v1"]) as server:
        host, port = server.sockets[0].getsockname()
        hosts.url = f"ws://{host}:{port}"
        yield hosts


@asynccontextmanager
async def visiting(*args, backoff=AT_ONCE, **options):
    """A client that was welcomed, its first connection, and the server for the next ones."""
    async with hosting() as hosts:
        welcoming = asyncio.ensure_future(hosts.welcomes())  # noqa: TID251 - the test has no group yet
        async with connect(hosts.url, *args, backoff=backoff, **options) as client:
            yield client, (await welcoming)[0], hosts


def states_of(client):
    """The states that come, as they come, with why."""
    states: asyncio.Queue = asyncio.Queue()
    client.on_state(lambda state, why: states.put_nowait((state, why)))
    return states


async def until(states, wanted):
    """Wait for a state; why it is."""
    while True:
        state, why = await states.get()
        if state == wanted:
            return why
