"""Both ends for tests of the sockets: a conversation that writes down what happens, and a client that speaks raw bytes."""

import asyncio
import ssl
from contextlib import asynccontextmanager, suppress

from plugsock.gateway.access import Access
from plugsock.gateway.handshake import Handshake
from plugsock.gateway.limits import Limits
from plugsock.gateway.listener import Listener
from support.client_frames import split_frames, text

HOST = "127.0.0.1"


class Recorder:
    """A conversation that notes everything, and answers messages with `answer(wire, binary, message)`."""

    def __init__(self, wire, answer):
        self.wire = wire
        self.answer = answer
        self.messages = []
        self.congestion = []
        self.closes = []
        self.is_open = False
        self.is_closed = asyncio.Event()
        self.is_congested = asyncio.Event()
        self.clearings = 0
        self.is_cleared = asyncio.Event()

    def opened(self):
        self.is_open = True

    def received(self, binary, message):
        self.messages.append((binary, message))
        self.answer(self.wire, binary, message)

    def cleared(self):
        assert not self.wire.is_jammed
        self.clearings += 1
        self.is_cleared.set()

    def congested(self, *, congested):
        self.congestion.append(congested)
        self.is_congested.set()

    def closed(self, code):
        self.closes.append(code)
        self.is_closed.set()


def echo(wire, binary, message):
    wire.send(binary, message)


def silent(wire, binary, message):
    pass


class Server:
    """A listener and the conversations that were led over it."""

    def __init__(self, listener, conversations, arrived):
        self.listener = listener
        self.conversations = conversations
        self.arrived = arrived

    @property
    def port(self):
        return self.listener.addresses[0][1]

    async def conversation(self, number=0):
        async with asyncio.timeout(10):
            while len(self.conversations) <= number:
                self.arrived.clear()
                await self.arrived.wait()
        return self.conversations[number]


@asynccontextmanager
async def serving(answer=echo, *, compression=False, tls=None, ready=lambda: True, host=HOST, access=None, **limits):
    """Serve on a free port, with short times where a test waits for them to pass."""
    conversations = []
    arrived = asyncio.Event()

    def converse(wire):
        conversations.append(Recorder(wire, answer))
        arrived.set()
        return conversations[-1]

    access = access or Access(HOST, secure=tls is not None, allow_host=(), allow_origin=())
    handshake = Handshake(access, ready=ready, compression=compression)
    limits = {"sweep_s": 0.02, **limits}
    listener = Listener(handshake, Limits(**limits), converse, tls=tls)
    await listener.start(host, 0)
    try:
        yield Server(listener, conversations, arrived)
    finally:
        async with asyncio.timeout(10):
            await listener.close(1001)
        assert all(len(each.closes) == 1 for each in conversations), "closed exactly once"


KEY = "dGhlIHNhbXBsZSBub25jZQ=="


def upgrade(port, *, host=HOST, target="/", method="GET", version="HTTP/1.1", without=(), **fields):
    """Build a request; `fields` are added or replaced (underscores are dashes, a list is sent as several fields)."""
    given = {
        "host": f"{host}:{port}",
        "upgrade": "websocket",
        "connection": "Upgrade",
        "sec-websocket-key": KEY,
        "sec-websocket-version": "13",
    }
    given.update({name.replace("_", "-"): value for name, value in fields.items()})
    lines = [f"{method} {target} {version}"]
    for name, values in given.items():
        if name not in without:
            lines += [f"{name}: {value}" for value in (values if isinstance(values, list) else [values])]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"


class Client:
    """Speaks raw bytes."""

    def __init__(self, reader, writer):
        self.reader = reader
        self.writer = writer
        self.buffer = b""
        self.ready = []

    def send(self, data):
        self.writer.write(data)

    async def response(self):
        """Read the head of a response."""
        async with asyncio.timeout(10):
            return await self.reader.readuntil(b"\r\n\r\n")

    async def frames(self, count):
        """Read frames, as (first byte, payload)."""
        async with asyncio.timeout(20):
            while len(self.ready) < count:
                data = await self.reader.read(1 << 20)
                assert data, f"closed after {self.ready!r:.200}"
                self._take(data)
        frames, self.ready = self.ready[:count], self.ready[count:]
        return frames

    async def rest(self):
        """Read until the server hangs up; return all frames."""
        async with asyncio.timeout(20):
            with suppress(ConnectionResetError):
                while data := await self.reader.read(1 << 20):
                    self._take(data)
        frames, self.ready = self.ready, []
        return frames

    def _take(self, data):
        found, self.buffer = split_frames(self.buffer + data)
        self.ready += found

    async def close_code(self):
        """Read until the server hangs up; return the code of its close frame, 1006 if there was none."""
        frames = await self.rest()
        if not frames or frames[-1][0] != 0x88:
            return 1006
        return int.from_bytes(frames[-1][1][:2], "big") if frames[-1][1] else 1005

    async def echoes(self, message="are you there?"):
        """The probe: does the server still answer this client?"""
        self.send(text(message))
        return await self.frames(1) == [(0x81, message.encode())]

    async def hang_up(self):
        self.writer.close()
        with suppress(ConnectionError, ssl.SSLError):
            await self.writer.wait_closed()


@asynccontextmanager
async def connected(server, request=None, *, tls=None, **fields):
    """Connect, send a request, and see it accepted, unless the request is empty."""
    reader, writer = await asyncio.open_connection(HOST, server.port, ssl=tls, limit=1 << 22)
    client = Client(reader, writer)
    try:
        if request is None:
            client.send(upgrade(server.port, **fields))
            client.head = await client.response()
            assert client.head.startswith(b"HTTP/1.1 101 "), client.head
        else:
            client.send(request)
        yield client
    finally:
        await client.hang_up()


async def ask(server, request):
    """Send a request on a connection of its own; return everything that comes back until the server hangs up."""
    async with connected(server, request) as client, asyncio.timeout(10):
        return await client.reader.read()
