"""`bare_loop.py PORT`: what one connection says is written to all the others, in a loop around `transport.write`.

Nothing else is done for it: no call, no session, no limit, no look at who reads slowly.
"""

import asyncio
import sys

import uvloop
from websockets.utils import accept_key, apply_mask

SWITCH = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
transports: dict[asyncio.Transport, None] = {}


class Connection(asyncio.Protocol):
    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        self.received = b""
        self.is_open = False

    def data_received(self, data: bytes) -> None:
        self.received += data
        if self.is_open:
            self.take_frame()
        elif b"\r\n\r\n" in self.received:
            self.shake_hands()

    def connection_lost(self, error: Exception | None) -> None:
        transports.pop(self.transport, None)

    def shake_hands(self) -> None:
        head, _, self.received = self.received.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
        self.transport.write(SWITCH.format(accept=accept_key(headers["Sec-WebSocket-Key"])).encode())
        self.is_open = True
        transports[self.transport] = None

    def take_frame(self) -> None:
        received = self.received
        length, start = received[1] & 0x7F, 2
        if length == 126:
            length, start = int.from_bytes(received[2:4]), 4
        if len(received) < start + 4 + length:
            return
        mask, payload = received[start : start + 4], received[start + 4 : start + 4 + length]
        self.received = received[start + 4 + length :]
        transports.pop(self.transport, None)
        frame = received[:1] + bytes((received[1] & 0x7F,)) + received[2:start] + apply_mask(payload, mask)
        for transport in transports:
            transport.write(frame)


async def main(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
