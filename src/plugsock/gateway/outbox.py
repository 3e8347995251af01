"""What waits to be sent on a connection: a list of (opcode, payload), turned into frames when it is handed over.

As long as the transport is paused nothing is handed over, so a message can still be dropped or replaced, and what the
transport holds beyond the kernel is at most one batch or one long frame.
"""

from collections import deque
from collections.abc import Callable
from typing import Final

from plugsock.wire.deflate import Deflater
from plugsock.wire.frames import BINARY, SHORT_HEADS, head

Outbox = list[tuple[int, bytes]]

LONG: Final = 65_536
"""Bytes; a longer payload waits until the short ones of all connections have been handed over."""

BATCH: Final = 65_536
"""Bytes handed over at a time."""

OVERHEAD: Final = 4
"""Bytes that a frame counts beside its payload: the head of nearly all."""


def next_batch(outbox: Outbox) -> tuple[int, int, bytes]:
    """Take the messages in front of the next long one, up to a batch; return their number, size and frames."""
    chunks: list[bytes] = []
    append = chunks.append
    count = size = 0
    for opcode, payload in outbox:
        length = len(payload)
        if length < 126:
            append(SHORT_HEADS[opcode][length])
        elif length <= LONG:
            append(head(opcode, length))
        else:
            break
        append(payload)
        count += 1
        size += length
        if size >= BATCH:
            break
    return count, size + count * OVERHEAD, b"".join(chunks)


def next_deflated_batch(outbox: Outbox, deflater: Deflater) -> tuple[int, int, bytes]:
    """Do what `next_batch` does, and compress what is not a control frame."""
    chunks: list[bytes] = []
    count = size = 0
    for opcode, payload in outbox:
        if len(payload) > LONG:
            break
        chunks += long_frame(opcode, payload, deflater)
        count += 1
        size += len(payload)
        if size >= BATCH:
            break
    return count, size + count * OVERHEAD, b"".join(chunks)


def long_frame(opcode: int, payload: bytes, deflater: Deflater | None) -> tuple[bytes, bytes]:
    """Build one frame of any length, as head and payload."""
    compressed = deflater is not None and opcode <= BINARY
    if deflater is not None and compressed:
        payload = deflater.deflate(payload)
    return head(opcode, len(payload), compressed=compressed), payload


def take_back(
    outbox: Outbox,
    may_see: Callable[[bytes], bool],
    instead: Callable[[bool, bytes], bytes | None],
    age: "Age | None",
    handed: int,
) -> int:
    """Take out what may not be seen any more, or put something else in its place; see `Wire.withhold`.

    Args:
        outbox: What waits; it is changed.
        may_see: May this message still be sent?
        instead: What is sent in its place, by (binary, message); None for nothing.
        age: Of what waits, if that is known; its positions follow.
        handed: The position at which the outbox begins.

    Returns:
        How many bytes fewer are queued now.
    """
    kept: Outbox = []
    end = handed
    fewer = 0
    for opcode, payload in outbox:
        other = payload if may_see(payload) else instead(opcode == BINARY, payload)
        before = len(payload) + OVERHEAD
        after = 0 if other is None else len(other) + OVERHEAD
        if other is not None:
            kept.append((opcode, other))
        if age is not None and before != after:
            age.move(end + before, after - before)
        end += after
        fewer += before - after
    outbox[:] = kept
    return fewer


class Age:
    """How long the oldest unsent byte has been waiting, to the precision of the marks made.

    Positions count all the bytes ever queued on a connection: what was queued before a mark and is not yet sent is
    older than it.
    """

    __slots__ = ("_marks",)

    def __init__(self, now: float, queued: int) -> None:
        """Begin when the transport takes no more, with `queued` bytes queued so far."""
        self._marks = deque([(now, queued)])

    def mark(self, now: float, queued: int, sent: int) -> float:
        """Set a mark and return the age in seconds, given how many bytes were queued and sent so far."""
        marks = self._marks
        while marks and marks[0][1] <= sent:
            marks.popleft()
        age = now - marks[0][0] if marks else 0.0
        marks.append((now, queued))
        return age

    def move(self, start: int, by: int) -> None:
        """What is queued from a position on is so many bytes further on than it was."""
        self._marks = deque((now, queued + by if queued >= start else queued) for now, queued in self._marks)
