"""Connections that watch all that their users may see, and have a history judge every frame that comes.

What is guarded says in its payload what it takes to see it, as `needs`; and which round of the server's news it belongs
to, as `number`, if it does. They speak raw frames: a client that sorts answers by itself would hide what is foreign.
"""

import asyncio
import socket
import zlib
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
from msgspec import Struct

from plugsock.wire.header import ServerFrame, parse_server
from support.client_frames import BINARY, CLOSE, PING, PONG, client_frame, split_frames, text
from support.identity import hello
from support.rights_history import Change, RightsHistory
from support.server import LIMIT_S
from support.wires import HOST, upgrade

SMALL = 4096
"""Bytes of a slow reader's receive buffer."""

COMPRESSED = 0x40
"""The bit of a frame's first byte that says so (RFC 7692)."""


MINE = "floor.me"
"""The view that shows what its user may do."""


class Seen(Struct):
    """What the checker reads of a payload."""

    needs: list[str] = []
    number: int = 0
    permissions: list[str] = []
    code: str = ""
    topic: str = ""
    session: str = ""


NOTHING = Seen()
from_json = msgspec.json.Decoder(Seen)
from_msgpack = msgspec.msgpack.Decoder(Seen)


@dataclass(frozen=True, eq=False)
class Want:
    """Something that is kept open, or a call that is made again and again."""

    verb: str
    name: str
    args: dict | None = None
    needs: tuple[str, ...] | None = ()
    """None if a swap may change them."""
    options: str = ""

    @property
    def label(self) -> str:
        return " ".join((self.name, *map(str, (self.args or {}).values())))


@dataclass(frozen=True)
class Seat:
    """Who somebody is, and how they are connected."""

    user: str
    binary: bool
    deflate: bool
    slow: bool
    wants: Sequence[Want] = ()
    calls: Sequence[Want] = ()


@dataclass(eq=False)
class Onlooker(asyncio.Protocol):
    """One connection.

    Attributes:
        id: As plugs know it.
        listing: What it was told that it may do.
        shown: The same, as the view shows it that says so.
        latest: The round of the newest of everything that has come, by what it is.
        got: How many frames have come, by what they were.
        is_lost: The server has cut it off.
    """

    number: int
    seat: Seat
    history: RightsHistory
    is_new: bool = True
    id: str = ""
    listing: Sequence[str] = ()
    shown: Sequence[str] | None = None
    latest: dict[str, int] = field(default_factory=dict)
    got: Counter[str] = field(default_factory=Counter)
    is_lost: bool = False
    _open: dict[int, Want] = field(default_factory=dict)
    _needs: dict[int, list[str]] = field(default_factory=dict)
    """What the newest value of each view needs: a patch leaves out what has not changed."""
    _joined: dict[str, Want] = field(default_factory=dict)
    _busy: set[Want] = field(default_factory=set)
    _pings: deque[Change | asyncio.Future] = field(default_factory=deque)
    _buffer: bytes = b""
    _last: int = 1

    async def connect(self, port: int) -> "Onlooker":
        """Open it, and be welcome."""
        loop = asyncio.get_running_loop()
        self._ready = loop.create_future()
        sock = socket.socket()
        sock.setblocking(False)
        if self.seat.slow:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
        await loop.sock_connect(sock, (HOST, port))
        self._transport, _ = await loop.create_connection(lambda: self, sock=sock)
        extension = {"sec_websocket_extensions": "permessage-deflate"} if self.seat.deflate else {}
        self._inflate = zlib.decompressobj(-15)
        self._take = self._take_head
        self._transport.write(upgrade(port, **extension))
        async with asyncio.timeout(LIMIT_S):
            await self._ready
        return self

    # What it says.

    def tend(self) -> None:
        """Ask for what it wants and has not, and make one call."""
        for want in self.seat.wants:
            if want not in self._busy:
                self._ask(want)
        if self.seat.calls:
            call = self.seat.calls[self._last % len(self.seat.calls)]
            if call not in self._busy:
                self._ask(call)

    def is_waiting(self) -> bool:
        """Has it asked for something of which nothing has come yet?"""
        return any(self.latest.get(want.label) is None for want in self._open.values())

    def ping(self, what: "Change | asyncio.Future") -> None:
        """Ask for a pong: for a revoke that was answered, or for somebody who waits."""
        self._pings.append(what)
        self._transport.write(text("ping"))

    async def settle(self) -> None:
        """Wait until it has read all that was sent so far."""
        self.ping(waiter := asyncio.get_running_loop().create_future())
        async with asyncio.timeout(LIMIT_S):
            await waiter

    async def finish(self) -> None:
        """End what is open, and wait for that."""
        for id, want in self._open.items():
            if want.verb == "watch" or want not in self.seat.calls:
                self._transport.write(text(f"cancel {id}"))
        async with asyncio.timeout(LIMIT_S):
            while self._open and not self.is_lost:
                await self.settle()

    def doze(self, *, awake: bool) -> None:
        """Read no more, or again."""
        if not self.is_lost:
            (self._transport.resume_reading if awake else self._transport.pause_reading)()

    def close(self) -> None:
        """Hang up."""
        self.is_lost = True
        self._transport.abort()

    def _ask(self, want: Want) -> None:
        self._last += 1
        id = self._last
        self._open[id] = want
        self._busy.add(want)
        self.latest.pop(want.label, None)
        self.history.send(self.number, id, want.name, want.needs)
        head = f"{want.verb} {id} {want.name}{want.options}".encode()
        if want.args is None:
            self._transport.write(client_frame(BINARY, head) if self.seat.binary else text(head.decode()))
        elif self.seat.binary:
            self._transport.write(client_frame(BINARY, head + b" " + msgspec.msgpack.encode(want.args)))
        else:
            self._transport.write(text((head + b" " + msgspec.json.encode(want.args)).decode()))

    # What it hears.

    def data_received(self, data: bytes) -> None:
        self.history.read(self.number, len(data))
        self._take(data)

    def connection_lost(self, _error: Exception | None) -> None:
        if self.is_lost:
            return
        self.is_lost = True
        if not self.seat.slow:
            self.history.blame(self.number, "was cut off, although it reads")
        self.history.lose(self.number)
        for waiter in (self._ready, *self._pings):
            if isinstance(waiter, asyncio.Future) and not waiter.done():
                waiter.set_result(None)

    def _take_head(self, data: bytes) -> None:
        head, _, rest = (self._buffer + data).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 "), head
        assert (b"permessage-deflate" in head) == self.seat.deflate
        self._take, self._buffer = self._take_frames, b""
        self._transport.write(text(hello(self.seat.user, format="msgpack" if self.seat.binary else "json")))
        self._take_frames(rest)

    def _take_frames(self, data: bytes) -> None:
        frames, self._buffer = split_frames(self._buffer + data)
        for first, payload in frames:
            opcode = first & 0x0F
            if opcode == PING:
                self._transport.write(client_frame(PONG, payload))
            elif opcode == CLOSE:
                self.got[f"close {int.from_bytes(payload[:2], 'big')}"] += 1
            else:
                if first & COMPRESSED:
                    payload = self._inflate.decompress(payload + b"\x00\x00\xff\xff")  # noqa: PLW2901
                self._hear(parse_server(payload), is_binary=opcode == BINARY)

    def _hear(self, frame: ServerFrame, *, is_binary: bool) -> None:
        decoder = from_msgpack if is_binary else from_json
        seen = decoder.decode(frame.payload) if frame.payload else NOTHING
        verb = frame.verb.decode()
        if verb == "pong":
            self._ponged(self._pings.popleft())
        elif verb == "welcome":
            self.id, self.listing = seen.session, seen.permissions
            reads = not self.seat.slow
            self.history.enter(self.number, self.seat.user, seen.permissions, is_new=self.is_new, reads=reads)
            self._ready.set_result(None)
        elif verb == "notice":
            self._notice(frame.token.decode(), seen)
        elif verb == "push":
            self._push(frame.token.decode(), frame.event.decode().partition("?")[0], seen)
        elif (id := int(frame.token)) in self._open:
            self._answer(verb, id, seen)
        else:
            self.history.blame(self.number, f"got `{verb} {id}`, which is not open: {frame.payload[:100]!r}")

    def _ponged(self, what: "Change | asyncio.Future") -> None:
        if isinstance(what, Change):
            self.history.bar(self.number, what)
        elif not what.done():
            what.set_result(None)

    def _notice(self, name: str, seen: Seen) -> None:
        self.got[f"notice {name}"] += 1
        if name == "permissions":
            self.listing = seen.permissions
            let_in = [*self._joined.values(), *(self._open[id] for id in self._needs)]
            self.history.notice(self.number, seen.permissions, {want.label: want.needs or () for want in let_in})
        elif name == "left":
            self._busy.discard(self._joined.pop(seen.topic))
        elif name == "presence":
            self._push(seen.topic, "presence", seen)

    def _push(self, topic: str, event: str, seen: Seen) -> None:
        needs = list(seen.needs)
        if topic != "-":
            want = self._joined.get(topic)
            if want is None:
                self.history.blame(self.number, f"got a push of {topic}, which it is not in")
            else:
                needs += want.needs or ()
        self._show(f"{topic} {event}" if topic != "-" else event, needs, seen)

    def _answer(self, verb: str, id: int, seen: Seen) -> None:
        want = self._open[id]
        if verb in {"item", "patch"}:
            needs = self._needs[id] = seen.needs or self._needs.get(id, [])
            self._show(want.label, needs, seen)
            self.shown = seen.permissions if want.name == MINE else self.shown
            self.got[f"{verb} {want.name}"] += 1
            return
        if verb == "fault":
            self.history.blame(self.number, f"was told of a fault of {want.label}: {seen.code}")
            return
        del self._open[id]
        self._needs.pop(id, None)
        if verb == "ok" and want.verb == "join":
            self._joined[want.name] = want
        else:
            self._busy.discard(want)
        if verb == "ok":
            self.got[want.name] += 1
        self.history.end(self.number, id, "ok" if verb == "ok" else seen.code)

    def _show(self, label: str, needs: Sequence[str], seen: Seen) -> None:
        self.got[label] += 1
        self.latest[label] = max(seen.number, self.latest.get(label, 0))
        self.history.show(self.number, label, needs, label)
