"""Many sockets that listen, read by one thread: did each of them get this message, and when had the last one?"""

import os
import select
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Final

from listener import PATIENCE_S, BrokenPromise, Listener, frame_of

CHUNK: Final = 4096
"""Bytes read at once: a longer buffer would be mapped and unmapped each time."""
NAP_S: Final = 0.0002


class Crowd:
    """They are all open and have said what they had to say."""

    def __init__(self, listeners: Sequence[Listener]) -> None:
        self._by_number = {listener.fileno(): listener for listener in listeners}
        self._early = [(number, listener.take(b"")) for number, listener in self._by_number.items()]
        self._poll = select.epoll()
        for number in self._by_number:
            os.set_blocking(number, False)
            self._poll.register(number, select.EPOLLIN)

    def hear(self, message: str) -> float:
        """Wait until each has this message, once, and nothing else but notices; return when the last one had it.

        Returns:
            A time of `time.perf_counter`.

        Raises:
            BrokenPromise: Some got something else, or nothing.
        """
        frame, waiting, listeners = frame_of(message), set(self._by_number), self._by_number
        until = time.perf_counter() + PATIENCE_S
        for number, early in self._take_early():
            _cross_off(waiting, number, early, message)
        while waiting:
            for number in self._ready():
                data = os.read(number, CHUNK)
                if data == frame and number in waiting and not listeners[number].has_unread:
                    waiting.discard(number)  # nearly always: it has to be quick
                else:
                    _cross_off(waiting, number, _taken(listeners[number], data), message)
            if time.perf_counter() > until:
                raise BrokenPromise(f"{len(waiting)} of {len(listeners)} sockets were not told `{message[:60]}`")
        return time.perf_counter()

    def overhear(self, seconds: float) -> list[str]:
        """Return every message that comes to any of them within so many seconds."""
        heard = [message for _, early in self._take_early() for message in early]
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            for number in self._ready():
                heard += _taken(self._by_number[number], os.read(number, CHUNK))
        return heard

    def close(self) -> None:
        """Forget them."""
        self._poll.close()

    def _take_early(self) -> list[tuple[int, list[str]]]:
        """Return what was read together with the answers to what they said."""
        early, self._early = self._early, []
        return early

    def _ready(self) -> list[int]:
        """Return who has something to read; it does not sleep in the poll, else each write would have to wake it."""
        ready = [number for number, _ in self._poll.poll(0, len(self._by_number))]
        if not ready:
            time.sleep(NAP_S)
        return ready


def _cross_off(waiting: set[int], number: int, heard: list[str], due: str) -> None:
    heard = [message for message in heard if not message.startswith("notice ")]
    if heard == [due] and number in waiting:
        waiting.discard(number)
    elif heard:
        raise BrokenPromise(f"where `{due[:60]}` was due, once, {[message[:60] for message in heard]} came")


def _taken(listener: Listener, data: bytes) -> list[str]:
    if not data:
        raise BrokenPromise("the server closed one of the connections without a word")
    return listener.take(data)


@contextmanager
def gathered(port: int, size: int, says: Sequence[str]) -> Iterator[Crowd]:
    """Open so many sockets until the block ends, each of which says these frames and has them answered."""
    listeners: list[Listener] = []
    try:
        for _ in range(size):
            listener = Listener(port)
            listeners.append(listener)
            for said in says:
                listener.ask(said)
        with closing(Crowd(listeners)) as crowd:
            yield crowd
    finally:
        for listener in listeners:
            listener.close()
