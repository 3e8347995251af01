"""The least client that can listen: a blocking socket, and WebSocket frames of a server that does not compress."""

import socket
from typing import Final, Self

from machine import BenchmarkError

PATIENCE_S: Final = 10.0
CHUNK: Final = 256 * 1024
"""Bytes read at once."""

TEXT: Final = 0x81
CLOSE: Final = 0x88
PING: Final = 0x89
PONG: Final = 0x8A
MASKED: Final = 0x80
NO_MASK: Final = bytes(4)
"""The mask that changes nothing."""

# The sample of RFC 6455, section 1.3.
UPGRADE: Final = (
    "GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: plugsock.v1\r\n\r\n"
)


class BrokenPromise(Exception):
    """A server did what it must not do; its text is for a person."""


def frame_of(message: str, *, masked: bool = False) -> bytes:
    """Return the frame that carries a text message as a server sends it, or as a client does."""
    payload = message.encode()
    length, mark = len(payload), MASKED if masked else 0
    if length < 126:
        head = bytes((TEXT, mark | length))
    elif length < 65_536:
        head = bytes((TEXT, mark | 126)) + length.to_bytes(2)
    else:
        head = bytes((TEXT, mark | 127)) + length.to_bytes(8)
    return head + (NO_MASK if masked else b"") + payload


class Listener:
    """One open WebSocket.

    Args:
        port: Of the server.
        room: Bytes that the kernel keeps for it unread; 0 for as many as it likes.

    Raises:
        BenchmarkError: The server does not open it.
    """

    def __init__(self, port: int, *, room: int = 0) -> None:
        self._unread = bytearray()
        self._socket = socket.socket()
        if room:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        self._socket.settimeout(PATIENCE_S)
        self._socket.connect(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._upgrade(port)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close it, without a word."""
        self._socket.close()

    def fileno(self) -> int:
        """Return the number that polls know it by."""
        return self._socket.fileno()

    def say(self, message: str) -> None:
        """Send a text message."""
        self._socket.sendall(frame_of(message, masked=True))

    def ask(self, message: str) -> str:
        """Send a frame with an id, and return the one that answers it; nothing but notices may come before.

        Raises:
            BenchmarkError: Something else came, or an error.
        """
        self.say(message)
        id = message.split(" ", 2)[1]
        answer = self.hear()
        while answer.startswith("notice "):
            answer = self.hear()
        verb, answered, *_ = [*answer.split(" ", 2), ""]
        if answered != id or verb == "error":
            raise BenchmarkError(f"`{message[:80]}` was answered with `{answer[:200]}`")
        return answer

    def hear(self) -> str:
        """Wait for the next message."""
        while True:
            messages = self.take(b"", most=1)
            if messages:
                return messages[0]
            messages = self.take(self._receive(), most=1)
            if messages:
                return messages[0]

    def take(self, data: bytes, most: int = 0) -> list[str]:
        """Return the messages that are complete with what was read, up to so many; 0 for all of them.

        Raises:
            BrokenPromise: The server has closed.
        """
        self._unread += data
        messages: list[str] = []
        while (end := self._end_of_frame()) is not None and not (most and len(messages) == most):
            head_end, frame_end = end
            opcode, payload = self._unread[0], bytes(self._unread[head_end:frame_end])
            del self._unread[:frame_end]
            if opcode == TEXT:
                messages.append(payload.decode())
            elif opcode == PING:
                self._socket.sendall(bytes((PONG, MASKED | len(payload))) + NO_MASK + payload)
            elif opcode == CLOSE:
                raise BrokenPromise(f"the server closed: {int.from_bytes(payload[:2])} {payload[2:].decode()}")
        return messages

    @property
    def has_unread(self) -> bool:
        """Is there part of a frame?"""
        return bool(self._unread)

    def _end_of_frame(self) -> tuple[int, int] | None:
        """Return where the head and the whole of the first frame end, if it is there."""
        unread = self._unread
        if len(unread) < 2:
            return None
        head = 2 + {126: 2, 127: 8}.get(unread[1], 0)
        end = head + (unread[1] if head == 2 else int.from_bytes(unread[2:head]))
        return (head, end) if len(unread) >= end else None

    def _receive(self) -> bytes:
        try:
            data = self._socket.recv(CHUNK)
        except TimeoutError:
            raise BrokenPromise(f"nothing came within {PATIENCE_S:g} s") from None
        if not data:
            raise BrokenPromise("the server closed the connection without a word")
        return data

    def _upgrade(self, port: int) -> None:
        self._socket.sendall(UPGRADE.format(port=port).encode())
        while b"\r\n\r\n" not in self._unread:
            self._unread += self._receive()
        head, _, rest = bytes(self._unread).partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 101 "):
            raise BenchmarkError(f"no WebSocket was opened, but: {head.decode()}")
        self._unread = bytearray(rest)
