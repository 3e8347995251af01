"""An event loop in a thread of its own, for those who have none."""

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import Future, wait
from contextlib import AbstractAsyncContextManager, contextmanager, suppress
from typing import Any, Final, TypeVar

from plugsock.errors import Disconnected, PlugsockError

T = TypeVar("T")

INTERRUPTIBLE_S: Final = 0.2 if sys.platform == "win32" else None
"""On Windows nothing interrupts a wait that has no end, so that Ctrl-C is heard between two short ones."""


class LoopThread:
    """The loop. It ends with the program, at the latest.

    Args:
        name: Of the thread, for those who look at all of them.
    """

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._is_open = True
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._live, name=name, daemon=True)
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """Does it go on? Not in a process that was forked off, which has none of the threads, nor when Python ends."""
        return self._is_open and self._thread.is_alive() and not sys.is_finalizing()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something there and wait for it; whoever is interrupted meanwhile cancels it.

        Raises:
            Disconnected: The loop was stopped.
            PlugsockError: This is its own thread, which would wait for itself.
        """
        if threading.current_thread() is self._thread:
            work.close()
            raise PlugsockError("A callback can't wait for the client: hand over to another thread")
        with self._lock:
            if not self.is_alive:
                work.close()
                raise Disconnected(
                    "The connection is another process's" if self._is_open else "The connection is closed"
                )
            tasks: list[asyncio.Task[T]] = []
            future: Future[T] = Future()
            self._loop.call_soon_threadsafe(_start, self._loop, work, tasks, future)
        try:
            return _outcome(future)
        except BaseException:
            if not future.done():
                with suppress(RuntimeError):  # the loop was stopped, which cancels all
                    self._loop.call_soon_threadsafe(lambda: tasks[0].cancel())  # noqa: PLW0108 - it may only be there then
                wait({future})  # what was begun there is over, so that something else can follow
            raise

    def do(self, function: Callable[[], T]) -> T:
        """Call a function there, and wait for what it returns; in the loop's own thread, at once."""
        if threading.current_thread() is self._thread:
            return function()

        async def work() -> T:
            return function()

        return self.run(work())

    def told(self, subscribe: Callable[[], Callable[[], None]]) -> Callable[[], None]:
        """Subscribe to something there; what is returned ends that, from any thread, also when the loop is no more."""
        forget = self.do(subscribe)

        def end() -> None:
            with suppress(Disconnected):
                self.do(forget)

        return end

    def each(self, items: AsyncIterator[T]) -> Iterator[T]:
        """Iterate over what is iterated over there."""
        end: Any = object()

        async def following() -> Any:
            return await anext(items, end)

        while (item := self.run(following())) is not end:
            yield item

    @contextmanager
    def entered(self, block: AbstractAsyncContextManager[T]) -> Iterator[T]:
        """Be in an async block while in this one."""

        async def enter() -> T:
            return await block.__aenter__()

        async def leave() -> None:
            await block.__aexit__(None, None, None)

        value = self.run(enter())
        try:
            yield value
        finally:
            with suppress(Disconnected):
                self.run(leave())

    def stop(self) -> None:
        """End it, and whatever still runs there."""
        with self._lock:
            if not self.is_alive:
                return
            if threading.current_thread() is self._thread:
                raise PlugsockError("A callback can't end the thread that it runs in")
            self._is_open = False
            self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _live(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.get_loop().run_forever()


def _start(
    loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, T], tasks: list[asyncio.Task[T]], future: "Future[T]"
) -> None:
    task = loop.create_task(work)
    tasks.append(task)
    task.add_done_callback(lambda task: _hand_over(task, future))


def _hand_over(task: asyncio.Task[T], future: "Future[T]") -> None:
    if task.cancelled():
        future.set_exception(Disconnected("The connection is closed"))
    elif error := task.exception():
        future.set_exception(error)
    else:
        future.set_result(task.result())


def _outcome(future: "Future[T]") -> T:
    while True:
        try:
            return future.result(INTERRUPTIBLE_S)
        except TimeoutError:
            if future.done():
                return future.result()
