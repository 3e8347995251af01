"""WebSocket frames (RFC 6455) for the server's side: an incremental, strict parser, and heads of frames to send.

    parser = Parser(limit=1_048_576)
    for opcode, payload in parser.feed(data): ...
    if parser.failure: close with parser.failure.code

Whole, short, unfragmented frames, nearly all there are, take one loop in `Parser.feed`; everything else takes a path
that is ten times slower and knows all the rules.
"""

import struct
from typing import Final

try:
    from websockets.speedups import apply_mask
except ImportError:  # pragma: no cover - where no wheel was built
    from websockets.utils import apply_mask

from plugsock.wire import utf8
from plugsock.wire.close import Violation, close_code
from plugsock.wire.codes import MESSAGE_TOO_BIG, PROTOCOL_ERROR
from plugsock.wire.deflate import Inflater
from plugsock.wire.message import Message

CONTINUATION: Final = 0x0
TEXT: Final = 0x1
BINARY: Final = 0x2
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA

READY: Final = 0
"""State of a parser between two messages."""
INSIDE: Final = 1
"""State of a parser inside a message."""
CLOSED: Final = 2
"""State of a parser that has read a close frame: what follows is ignored."""
FAILED: Final = 3
"""State of a parser that has met a violation: what follows is ignored."""

PINGS_IN_A_ROW: Final = 16
"""Of more pings in a row only the newest is reported (RFC 6455 section 5.5.3 allows it); Autobahn wants 10 answered."""

_OPCODES: Final = frozenset({CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG})
_WHOLE_TEXT: Final = 0x80 | TEXT
_WHOLE_BINARY: Final = 0x80 | BINARY
_LONGEST_16_BIT: Final = 0xFFFF
_HEAD_16_BIT: Final = struct.Struct("!BBH").pack

SHORT_HEADS: Final = {
    opcode: tuple(bytes((0x80 | opcode, length)) for length in range(126))
    for opcode in (TEXT, BINARY, CLOSE, PING, PONG)
}
"""Heads of unmasked, unfragmented frames: `SHORT_HEADS[opcode][length]` for lengths up to 125."""


def head(opcode: int, length: int, *, compressed: bool = False) -> bytes:
    """Build the head of an unmasked, unfragmented frame."""
    first = 0x80 | opcode | (0x40 if compressed else 0)
    if length < 126:
        return bytes((first, length))
    if length <= _LONGEST_16_BIT:
        return _HEAD_16_BIT(first, 126, length)
    return bytes((first, 127)) + length.to_bytes(8, "big")


class Parser:
    """Reads what one client sends.

    Attributes:
        state: `READY`, `INSIDE`, `CLOSED` or `FAILED`.
        begun: How many messages were not complete when their first bytes came; tells one such message from the next.
        failure: The violation that ended it, if one did.
    """

    __slots__ = (
        "_final",
        "_inflater",
        "_left",
        "_limit",
        "_mask",
        "_message",
        "_short",
        "_tail",
        "begun",
        "failure",
        "state",
    )

    def __init__(self, limit: int, inflater: Inflater | None = None) -> None:
        """Read messages of at most `limit` bytes, compressed ones only where there is an `inflater`."""
        self.state = READY
        self.begun = 0
        self.failure: Violation | None = None
        self._limit = limit
        self._short = min(limit, _LONGEST_16_BIT)
        self._inflater = inflater
        self._tail = b""  # a head or control frame that is not complete
        self._message: Message | None = None
        # Of the data frame that is being read: bytes to come, the mask for the next of them, does it end the message?
        self._left = 0
        self._mask = b""
        self._final = False

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """Take the next bytes and return what they complete, as (opcode, payload).

        The opcode is `TEXT` (checked to be UTF-8), `BINARY`, `PING`, `PONG` or `CLOSE` (payload checked). It never
        raises: what came before a violation is returned, then `failure` says what was wrong.
        """
        # Over 40 lines: each call out of this loop costs a tenth of the whole message.
        events: list[tuple[int, bytes]] = []
        if self.state > INSIDE:
            return events
        if self._tail:
            data = self._tail + data
            self._tail = b""
        position = 0
        size = len(data)
        short = self._short
        try:
            if self._left:
                position = self._payload(data, 0, events)
            whole = self._message is None
            while position < size:
                if whole and size - position >= 8:
                    first = data[position]
                    length = data[position + 1] - 128
                    start = position + 6
                    if length >= 126:
                        extended = (data[position + 2] << 8) + data[position + 3]
                        length = extended if length == 126 and extended >= 126 else -1
                        start += 2
                    end = start + length
                    if _WHOLE_TEXT <= first <= _WHOLE_BINARY and 0 <= length <= short and end <= size:
                        payload = apply_mask(data[start:end], data[start - 4 : start])
                        if first == _WHOLE_BINARY:
                            events.append((BINARY, payload))
                        else:
                            if not payload.isascii():
                                utf8.check_text(payload)
                            events.append((TEXT, payload))
                        position = end
                        continue
                position = self._frame(data, position, events)
                if self.state == CLOSED:
                    break
                whole = self._message is None
        except Violation as violation:
            self.failure = violation
            self.state = FAILED
            self._message = None
        return events

    def _frame(self, data: bytes, position: int, events: list[tuple[int, bytes]]) -> int:
        """Read any one frame, as far as it has come; return the position after it."""
        first = data[position]
        self._check_first(first)
        opcode = first & 0x0F
        found = self._length(data, position + 1, control=opcode >= CLOSE)
        if found is None or (opcode >= CLOSE and len(data) < sum(found)):
            self._tail = data[position:]
            return len(data)
        length, start = found
        mask = data[start - 4 : start]
        if opcode >= CLOSE:
            self._control(opcode, apply_mask(data[start : start + length], mask), events)
            return start + length
        if self._message is None:
            inflater = self._inflater if first & 0x40 else None
            self._message = Message(opcode, self._limit, inflater, text=opcode == TEXT)
            self.begun += 1
            self.state = INSIDE
        self._left = length
        self._mask = mask
        self._final = first >= 0x80
        return self._payload(data, start, events)

    def _check_first(self, first: int) -> None:
        opcode = first & 0x0F
        reserved = first & 0x70
        if opcode not in _OPCODES:
            raise Violation(PROTOCOL_ERROR, f"reserved opcode {opcode}")
        if reserved and not (reserved == 0x40 and self._inflater and opcode in (TEXT, BINARY)):
            raise Violation(PROTOCOL_ERROR, "reserved bit set")
        if opcode >= CLOSE:
            if first < 0x80:
                raise Violation(PROTOCOL_ERROR, "fragmented control frame")
        elif opcode == CONTINUATION and self._message is None:
            raise Violation(PROTOCOL_ERROR, "continuation of no message")
        elif opcode != CONTINUATION and self._message is not None:
            raise Violation(PROTOCOL_ERROR, "new message inside a fragmented one")

    def _length(self, data: bytes, position: int, *, control: bool) -> tuple[int, int] | None:
        """Read length and mask, as far as they have come: (length, where the payload starts), or None if incomplete."""
        if position == len(data):
            return None
        second = data[position]
        length = second & 0x7F
        start = position + 1
        if second < 0x80:
            raise Violation(PROTOCOL_ERROR, "unmasked frame")
        if length >= 126:
            if control:
                raise Violation(PROTOCOL_ERROR, "control frame longer than 125 bytes")
            start += 2 if length == 126 else 8
            if len(data) < start:
                return None
            length = self._extended(data[position + 1 : start])
        room = self._limit if self._message is None else self._message.room()
        if not control and length > room:
            raise Violation(MESSAGE_TOO_BIG, f"message longer than {self._limit} bytes")
        start += 4
        return (length, start) if start <= len(data) else None

    @staticmethod
    def _extended(field: bytes) -> int:
        length = int.from_bytes(field, "big")
        if length < (126 if len(field) == 2 else _LONGEST_16_BIT + 1):
            raise Violation(PROTOCOL_ERROR, "length not in its shortest form")
        if length >> 63:
            raise Violation(PROTOCOL_ERROR, "length with its highest bit set")
        return length

    def _payload(self, data: bytes, start: int, events: list[tuple[int, bytes]]) -> int:
        """Take what has come of a data frame's payload; return the position after it."""
        message = self._message
        assert message is not None
        piece = data[start : start + self._left]
        self._left -= len(piece)
        message.add(apply_mask(piece, self._mask))
        if self._left:
            turn = len(piece) % 4
            self._mask = self._mask[turn:] + self._mask[:turn]
        elif self._final:
            events.append((message.opcode, message.finish()))
            self._message = None
            self.state = READY
        return start + len(piece)

    def _control(self, opcode: int, payload: bytes, events: list[tuple[int, bytes]]) -> None:
        if opcode == CLOSE:
            close_code(payload)
            self.state = CLOSED
            self._message = None
        elif opcode == PING and _ends_in_pings(events):
            events[-1] = (PING, payload)
            return
        events.append((opcode, payload))


def _ends_in_pings(events: list[tuple[int, bytes]]) -> bool:
    return len(events) >= PINGS_IN_A_ROW and all(event[0] == PING for event in events[-PINGS_IN_A_ROW:])
