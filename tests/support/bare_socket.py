"""The client's side of a WebSocket with nothing around it, so that a test says and hears every frame by itself."""

import asyncio
import base64
import os
from collections.abc import Callable

from support.client_frames import BINARY, CLOSE, PING, PONG, TEXT, client_frame, split_frames

HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: plugsock.v1\r\nSec-WebSocket-Key: %b\r\n\r\n"
)
FIN = 0x80


class BareSocket(asyncio.Protocol):
    """One connection.

    Args:
        hear: Gets every message, as (binary, message).
        end: Hears once that it is over, with the close code if there was one.

    Attributes:
        wrong: What is no frame that a server may send.
    """

    def __init__(self, hear: Callable[[bool, bytes], None], end: Callable[[int | None], None]) -> None:
        self.wrong: list[str] = []
        self._hear = hear
        self._end = end
        self._code: int | None = None
        self._transport: asyncio.Transport | None = None
        self._is_open = False
        self._waiting: list[bytes] = []
        self._data = b""

    def send(self, message: bytes, *, binary: bool) -> None:
        """Send a message, after the handshake."""
        self._write(client_frame(BINARY if binary else TEXT, message))

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport):
        self._transport = transport
        transport.write(HANDSHAKE % base64.b64encode(os.urandom(16)))

    def data_received(self, data):
        self._data += data
        if not self._is_open:
            head, end, rest = self._data.partition(b"\r\n\r\n")
            if not end:
                return
            if b" 101 " not in head.partition(b"\r\n")[0]:
                self.wrong.append(f"the handshake was answered {head!r}")
            self._is_open, self._data = True, rest
            for frame in self._waiting:
                self._transport.write(frame)
        frames, self._data = split_frames(self._data)
        for first, payload in frames:
            self._take(first, payload)

    def connection_lost(self, exc):
        self._end(self._code)

    def _take(self, first: int, payload: bytes) -> None:
        if first in {FIN | TEXT, FIN | BINARY}:
            self._hear(first == FIN | BINARY, payload)
        elif first == FIN | PING:
            self._write(client_frame(PONG, payload))
        elif first == FIN | CLOSE:
            self._code = int.from_bytes(payload[:2], "big") if payload else None
            self._transport.close()
        else:
            self.wrong.append(f"a frame began with {first:#x}")

    def _write(self, frame: bytes) -> None:
        if not self._is_open:
            self._waiting.append(frame)
        elif not self._transport.is_closing():
            self._transport.write(frame)
