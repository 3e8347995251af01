"""The sending half of a connection: what waits, what the transport has been given, and what may be taken back.

Messages wait here as they are; they become frames when they are handed over, and nothing is handed over while the
transport takes no more.
"""

import asyncio
import socket
import struct
import sys
from abc import abstractmethod
from collections.abc import Callable
from typing import Final

from websockets.extensions.permessage_deflate import PerMessageDeflate

from plugsock.gateway.context import Context
from plugsock.gateway.given import Given
from plugsock.gateway.outbox import LONG, OVERHEAD, Age, Outbox, long_frame, next_batch, next_deflated_batch, take_back
from plugsock.gateway.protected import Protected
from plugsock.wire.deflate import deflater_of
from plugsock.wire.frames import BINARY, TEXT

OPEN: Final = 0
CLOSING: Final = 1
LEAVING: Final = 2
GONE: Final = 3
"""The phases of a connection, in order; see `connection`."""

_SMALL: Final = 1024
"""Bytes; messages up to this length can wait for the end of a turn, however many one read may ask for."""

_RESET: Final = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
"""For SO_LINGER: what is closed so throws away what it has not sent, and resets the connection."""


class Sender(asyncio.Protocol):
    """What a connection is to those who send on it.

    Attributes:
        due: When the sweep should look at it, on the loop's clock.
        is_jammed: See `Wire`.
    """

    __slots__ = (
        "_age", "_context", "_deflater", "_given", "_handed", "_is_guarded", "_outbox", "_phase", "_queued", "_transport",
        "_will_flush", "due", "is_jammed",
    )  # fmt: skip

    def __init__(self, context: Context, transport: asyncio.Transport, deflate: PerMessageDeflate | None) -> None:
        self._context = context
        self._transport = transport
        self._phase = OPEN
        self._deflater = deflater_of(deflate) if deflate else None
        # What is to be sent: bytes ever queued and ever handed over, payloads and OVERHEAD.
        self._outbox: Outbox = []
        self._queued = 0
        self._handed = 0
        self._will_flush = False
        self.is_jammed = False
        self._is_guarded = False
        """Not everybody may see all that is sent on it."""
        self._given = Given()
        self._age: Age | None = None
        self.due = 0.0

    @property
    def is_open(self) -> bool:
        """Nobody has closed it yet."""
        return self._phase == OPEN

    def send(self, binary: bool, payload: bytes) -> None:  # noqa: FBT001 - by position: once a message
        """Queue one message; nothing happens once the connection closes."""
        if self._phase == OPEN:
            self._outbox.append((BINARY if binary else TEXT, payload))
            length = len(payload)
            self._queued += length + OVERHEAD
            if type(payload) is Protected:
                self._is_guarded = True
            if not self._will_flush:
                self._will_flush = True
                self._context.turn.add(self)
            if length > _SMALL and self._queued - self._handed > self._context.limits.high_water:
                self._relieve()

    def withhold(self, may_see: Callable[[bytes], bool], instead: Callable[[bool, bytes], bytes | None]) -> None:
        """Take back what has not been handed over and may not be seen any more; see `Wire`.

        What the transport has and the kernel has not can't be taken back, so a connection with such is cut off.
        """
        if self._given.may_be_seen(self._transport, may_see):
            self._queued -= take_back(self._outbox, may_see, instead, self._age, self._handed)
        else:
            self.cut()

    def cut(self) -> None:
        """See `Wire`; the other side gets a reset, since a close would still deliver what the kernel has."""
        self._outbox.clear()
        if not self._transport.is_closing():
            self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self._transport.abort()

    def flush(self) -> bool:
        """Hand over what is short, up to the first long frame; is there one?"""
        self._will_flush = False
        outbox = self._outbox
        transport = self._transport
        if len(outbox) == 1 and self._deflater is None and not (self.is_jammed or self._phase):
            # One answer, or what everybody is told: nearly always, so it is flat.
            opcode, payload = outbox[0]
            length = len(payload)
            if length > LONG:
                return True
            if not transport.is_closing():
                outbox.clear()
                self._handed += length + OVERHEAD
                transport.write(self._context.turn.frame(opcode, payload))
                if self._is_guarded:
                    self._given.note(transport, (payload,))
                if self.is_jammed:
                    self._check_unsent()  # type: ignore[unreachable]  # to write may have jammed it
                return False
        while outbox and not self.is_jammed and not transport.is_closing():
            if self._deflater is None:
                count, size, frames = next_batch(outbox)
            else:
                count, size, frames = next_deflated_batch(outbox, self._deflater)
            if not count:
                return True
            self._handed += size
            transport.write(frames)
            if self._is_guarded:
                self._given.note(transport, (payload for _, payload in outbox[:count]))
            del outbox[:count]
        if self.is_jammed or self._phase:
            self._check_unsent()
        return False

    def flush_all(self) -> None:
        """Hand over everything that the transport takes."""
        while self.flush():
            opcode, payload = self._outbox.pop(0)
            self._handed += len(payload) + OVERHEAD
            # Not `writelines`: asyncio's does not pause the protocol before Python 3.12.9 and 3.13.2.
            for part in long_frame(opcode, payload, self._deflater):
                if not self._transport.is_closing():
                    self._transport.write(part)
            if self._is_guarded:
                self._given.note(self._transport, [payload])

    def pause_writing(self) -> None:
        """The kernel takes no more."""
        self.is_jammed = True
        if self._age is None and self._phase == OPEN:
            self._age = Age(self._context.loop.time(), self._queued)
            self.due = 0.0

    def resume_writing(self) -> None:
        """The kernel has taken everything that was handed over."""
        self.is_jammed = False
        self._given.clear()
        self.flush_all()
        if not self.is_jammed:
            self._age = None
            self._check_unsent()

    @abstractmethod
    def _check_unsent(self) -> None:
        """Look whether too much is unsent, or no longer so, or all has been handed over."""

    def _send_control(self, opcode: int, payload: bytes) -> None:
        self._outbox.append((opcode, payload))
        self._queued += len(payload) + OVERHEAD
        if not self._will_flush:
            self._will_flush = True
            self._context.turn.add(self)

    def _relieve(self) -> None:
        """Don't wait for the end of the turn: what answers one read, or one burst of a plug, may be any amount."""
        if self.is_jammed:
            self._check_unsent()
        else:
            self.flush_all()

    def _taken(self) -> int:
        """How many of the bytes ever queued the kernel has taken."""
        return self._handed - (0 if self._transport.is_closing() else self._transport.get_write_buffer_size())

    def _unguard(self) -> None:
        """Hand over now or never what somebody may lose the right to see: from here on no revoke reaches it."""
        if not self.is_jammed:
            self.flush_all()
        self._outbox[:] = [message for message in self._outbox if not isinstance(message[1], Protected)]
        if not self._given.may_be_seen(self._transport, _is_public):
            self.cut()


def _is_public(payload: bytes) -> bool:
    return not isinstance(payload, Protected)
