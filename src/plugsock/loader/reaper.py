"""Ends what was replaced: runs `on_unload` and frees old modules, beside the calls that go on.

A module and its functions refer to each other, so only the cycle collector frees them, and only a full collection:
they have lived too long for a small one. Left to itself Python collects fully when a quarter more objects have come
to live long, which a server that swaps once a minute may not see for hours. A full collection stops everything for
20 to 50 ms per 100,000 objects, so it runs only after something was replaced and takes at most `SHARE` of the time.
A program should call `gc.freeze()` before its first look, which takes its own objects out of that.
"""

import contextlib
import gc
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final
from weakref import ref

SHARE: Final = 0.05
"""The part of the time that full collections may take."""
AGAIN_S: Final = (0.1, 1.0, 10.0)
"""What is still alive after that, since somebody was just using it, is collected so much later once more."""
YOUNG: Final = 1
"""The generations that are always collected: what was served only for moments is still in there."""


class Reaper:
    """Runs tasks one after another in a thread that lives only while there are any, then collects."""

    def __init__(self) -> None:
        self._tasks: deque[Callable[[], None]] = deque()
        self._dying: list[ref[object]] = []
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()
        self._not_before = 0.0

    def add(self, task: Callable[[], None], dying: Iterable[object] = ()) -> None:
        """Run this soon, then collect what it left, above all what is `dying`; returns at once."""
        with self._lock:
            self._dying = [each for each in self._dying if each() is not None] + [ref(each) for each in dying]
            self._tasks.append(task)
            if self._thread is None and not self._closing.is_set():
                thread = threading.Thread(target=self._work, name="plugsock-reap", daemon=True)
                with contextlib.suppress(RuntimeError):  # the system has no thread left: the next one will do it
                    thread.start()
                    self._thread = thread

    def join(self, timeout_s: float) -> bool:
        """Wait until everything is done; False if it was not in time."""
        with self._lock:
            thread = self._thread
        if thread is None or thread is threading.current_thread():
            return True
        thread.join(timeout_s)
        return not thread.is_alive()

    def close(self, timeout_s: float) -> bool:
        """Do what is left without collecting."""
        self._closing.set()
        return self.join(timeout_s)

    def _work(self) -> None:
        again_s = iter(AGAIN_S)
        while True:
            self._run_tasks()
            gc.collect(YOUNG)
            self._closing.wait(max(0.0, self._not_before - time.monotonic()))
            self._run_tasks()
            if not self._closing.is_set():
                self._collect()
            with self._lock:
                lives_on = any(each() is not None for each in self._dying) and not self._closing.is_set()
                later_s = next(again_s, None) if lives_on and not self._tasks else None
                if not self._tasks and later_s is None:
                    self._thread = None
                    return
            self._closing.wait(later_s or 0.0)

    def _run_tasks(self) -> None:
        while self._tasks:
            with contextlib.suppress(Exception):  # of a task: the others, and this thread, go on
                self._tasks.popleft()()

    def _collect(self) -> None:
        began = time.monotonic()
        gc.collect()
        took_s = time.monotonic() - began
        self._not_before = time.monotonic() + took_s / SHARE
