"""The conversation with one nursery's process."""

import asyncio
import itertools
from collections.abc import Callable
from typing import Final, cast

from plugsock.pool.handle import Handle
from plugsock.pool.program import KILL
from plugsock.rpc import start
from plugsock.rpc.start import Failed, Fork, Forked

ANSWER_S: Final = 15.0
"""Who has not forked by then, the start of its process included, never will."""


class Forker(asyncio.Protocol):
    """The gateway's end of the control socket.

    Args:
        born: Told that a worker was forked.
        died: Told that a worker has ended, with its exit status.
        lost: Told that the nursery is gone.
    """

    def __init__(self, born: Callable[[int], None], died: Callable[[int, int], None], lost: Callable[[], None]) -> None:
        self._born = born
        self._died = died
        self._lost = lost
        self._transport: asyncio.Transport | None = None
        self._unread = b""
        self._tokens = itertools.count(1)
        self._asked: dict[int, asyncio.Future[int]] = {}
        self.is_lost = False

    async def fork(self, address: str, key: str) -> int:
        """Have a worker forked; its pid.

        Raises:
            OSError: The system has no room for it, the nursery has died, or it has not answered in time (TimeoutError).
        """
        if self.is_lost or self._transport is None:
            raise ConnectionResetError("the nursery of workers has died")
        token = next(self._tokens)
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._asked[token] = answer
        self._transport.write(start.encode(Fork(token, address, key)))
        try:
            async with asyncio.timeout(ANSWER_S):
                return await answer
        finally:
            self._asked.pop(token, None)

    def close(self) -> None:
        """Tell the nursery to end."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is ready; called by asyncio, as what follows."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """The nursery has said something."""
        lines, newline, self._unread = (self._unread + data).rpartition(b"\n")
        for answer in start.answers(lines + newline):
            if isinstance(answer, Forked):
                self._forked(answer)
            elif isinstance(answer, Failed):
                if waiting := self._waiting(answer.token):
                    waiting.set_exception(OSError(answer.message))
            else:
                self._died(answer.pid, answer.status)

    def connection_lost(self, _exc: Exception | None) -> None:
        """The nursery is gone."""
        self.is_lost = True
        for waiting in self._asked.values():
            if not waiting.done():
                waiting.set_exception(ConnectionResetError("the nursery of workers has died"))
        self._lost()

    def _forked(self, answer: Forked) -> None:
        if waiting := self._waiting(answer.token):
            self._born(answer.pid)
            waiting.set_result(answer.pid)
        else:
            unwanted = Handle(answer.pid)
            unwanted.send(KILL)
            unwanted.close()

    def _waiting(self, token: int) -> "asyncio.Future[int] | None":
        """Who waits for an answer; nobody if the request was cancelled or has taken too long."""
        waiting = self._asked.pop(token, None)
        return None if waiting is None or waiting.done() else waiting
