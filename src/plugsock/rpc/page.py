"""The page of memory that a worker shares with the gateway, so that something is known of it when it has died.

Messages can't tell which calls had started, because a worker sends them in batches. So it writes here, before a call's
first step, that it begins (27 ns), and whoever holds the other end of the page still reads it afterwards.

    word 0            the highest sequence that the event loop has begun with: it decodes the payload of every call, and
                      makes the first step of those that don't run in a thread
    word 1            what the loop does: 0 that beginning, IDLE nothing of a call, else the call that it has resumed
    word 2            the group that is being imported, 0 for none
    word 3            written by the gateway: calls up to this sequence which have not begun must not begin any more
    word 4 + 2n       of thread n the highest sequence whose first step has begun in it
    word 5 + 2n       of thread n the call that it runs, 0 for none

Calls reach a worker in the order of their sequences and threads take them in that order, so a number tells of all
below it. While its payload is decoded a call for a thread has not started, but it is running. A word is eight bytes in
the machine's own order, and is written in one instruction.

Calls that have not begun can be taken back from a worker that stands still. Each end writes its own word and reads the
other's after that: the worker `STARTED` and then `TAKEN_BACK`, the gateway `TAKEN_BACK` and then, so much later that
the first is surely seen everywhere, `STARTED`. So of a call of which the worker reads that it may begin, the gateway
reads that it has. One that it has begun with too late it gives back by a message.
"""

from typing import Final, TypeAlias

Page: TypeAlias = "memoryview[int]"
"""A view of the page as words: `memoryview(mmap).cast("Q")`."""

SIZE: Final = 4096
"""Bytes: what one page of memory has almost everywhere."""

STARTED: Final = 0
STEP: Final = 1
STAGING: Final = 2
TAKEN_BACK: Final = 3
THREADS: Final = 4
"""Of the words of threads the first."""

IDLE: Final = (1 << 64) - 1

MOST_THREADS: Final = (SIZE // 8 - THREADS) // 2
"""Threads that have room on the page: 254."""


def private() -> Page:
    """A page that nobody shares: what a worker without a process writes to."""
    return memoryview(bytearray(SIZE)).cast("Q")


def is_started(page: Page, sequence: int, *, in_thread: bool) -> bool:
    """Had the first step of a call begun? Where that can't be told from a neighbour's, yes."""
    return sequence <= (max(page[THREADS::2]) if in_thread else page[STARTED])


def running(page: Page) -> set[int]:
    """The calls that were being run, as far as it was their own code that ran.

    Of a batch of first steps the last one counts until the next one begins or the batch ends.
    """
    step = page[STEP]
    on_loop = page[STARTED] if step == 0 else 0 if step == IDLE else step
    return {on_loop, *page[THREADS + 1 :: 2]} - {0}


def staging(group: str) -> int:
    """The word for a group: the beginning of its id, a hash in hex."""
    return int(group[:16], 16)
