"""Keeps a client connected: opens, says hello, reads until the connection ends, and comes back."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import InvalidURI

from plugsock.client.backoff import Backoff
from plugsock.client.conversation import Conversation
from plugsock.client.greeting import Greeting
from plugsock.client.session import Session
from plugsock.client.states import States, Why
from plugsock.errors import Disconnected, Error
from plugsock.wire.codes import ABNORMAL, NORMAL, UNAUTHORIZED, may_come_back

LOOK_S: Final = 1.0
"""Between two looks at the clock."""

SLEPT_S: Final = 5.0
"""How far the time of day has to get ahead of the event loop's, which stands still while a machine sleeps."""

log: Final = logging.getLogger("plugsock.client")


class Keeper:
    """The connections of one client, one after the other.

    Args:
        session: What is said over them.
        states: Are told of each.
        opens: Opens a WebSocket, or raises `Disconnected`.
        greeting: What is said first; None for a client without a session, which can't come back.
        welcomed: Is told what a welcome says, before the session is.
        backoff: Says how long to wait before coming back; None stays away.
        hello_s: Seconds for the token, and for the welcome.
    """

    def __init__(
        self,
        session: Session,
        states: States,
        opens: Callable[[], Awaitable[ClientConnection]],
        greeting: Greeting | None,
        welcomed: Callable[[dict[str, object]], None],
        backoff: Backoff | None,
        hello_s: float,
    ) -> None:
        self._session = session
        self._states = states
        self._opens = opens
        self._greeting = greeting
        self._welcomed = welcomed
        self._backoff = backoff
        self._hello_s = hello_s
        self._conversation: Conversation | None = None
        self._since = 0.0
        """When it was welcomed."""
        self._told_s: float | None = None
        """Seconds after which the server wants this client back."""
        self._hurry = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def begin(self, wait_s: float) -> None:
        """Connect for the first time.

        Args:
            wait_s: Seconds for which it is tried again and again; 0 for one try.

        Raises:
            Disconnected, Error: Why it can't be.
        """
        backoff = self._backoff or Backoff()
        loop = asyncio.get_running_loop()
        until = loop.time() + wait_s
        while True:
            try:
                return await self._come()
            except (Disconnected, Error) as error:
                told_s = error.after if isinstance(error, Error) else None
                pause_s = backoff.pause(told_s=told_s)
                if not _may_pass(error) or loop.time() + pause_s > until:
                    raise
            await self._rest(pause_s)

    def start(self) -> None:
        """Read from now on, and come back when the connection goes."""
        # No TaskGroup: it would wrap what the caller's block raises in an exception group.
        self._task = asyncio.get_running_loop().create_task(self._keep(), name="plugsock client")

    async def close(self) -> None:
        """Say goodbye, and come back no more."""
        self._backoff = None
        task = self._task
        assert task is not None
        try:
            if self._conversation is None:
                task.cancel()
            else:
                await self._conversation.close()
            await asyncio.wait({task})
        finally:
            task.cancel()  # whoever closes may be cancelled as well
        if not task.cancelled():
            task.result()

    def wake(self) -> None:
        """Come back now, if it waits for that."""
        self._hurry.set()

    def come_back_in(self, seconds: float) -> None:
        """The server has said when it wants this client back, once the connection has gone."""
        self._told_s = seconds

    async def _keep(self) -> None:
        why = Why(ABNORMAL, "")
        try:
            while self._conversation is not None:
                try:
                    await self._conversation.read()
                finally:
                    why = Why(*self._conversation.ending)
                    self._conversation = None
                why = await self._come_back(why)
        except asyncio.CancelledError:
            why = Why(NORMAL, "")
            raise
        finally:
            self._session.end(why.code or ABNORMAL, why.reason)
            self._states.become("closed", why)

    async def _come_back(self, why: Why) -> Why:
        """Connect again; if that can't be, there is no conversation, and it says why."""
        open_s, told_s = asyncio.get_running_loop().time() - self._since, self._told_s
        if self._backoff is not None and _invites(why):
            self._session.lost()
        while self._backoff is not None and _invites(why):
            pause_s = self._backoff.pause(open_s, told_s)
            self._states.become("waiting", Why(why.code, why.reason, pause_s))
            await self._rest(pause_s)
            open_s, told_s = 0.0, None
            try:
                await self._come()
                break
            except Disconnected as lost:
                why = Why(lost.code, lost.reason or str(lost))
            except Error as refused:
                why, told_s = Why(None if refused.retry else UNAUTHORIZED, str(refused)), refused.after
            except Exception as error:  # what the function raised that knows the token: it may know it later
                log.exception("the client could not come back")
                why = Why(None, str(error))
        return why

    async def _come(self) -> None:
        self._states.become("connecting")
        token = None if self._greeting is None else await self._shown(self._greeting)
        websocket = await self._opens()
        conversation = Conversation(websocket, self._session.hear)
        try:
            welcome = {} if self._greeting is None else await self._greet(conversation, self._greeting, token)
            self._welcomed(welcome)
            self._session.welcomed(conversation, welcome)
        except BaseException:
            await websocket.close()
            raise
        self._told_s = None
        self._since = asyncio.get_running_loop().time()
        self._conversation = conversation
        self._states.become("open")

    async def _shown(self, greeting: Greeting) -> str | None:
        try:
            async with asyncio.timeout(self._hello_s) as limit:
                return await greeting.show()
        except TimeoutError as error:
            if not limit.expired():  # it is the function's own
                raise
            raise Disconnected(f"The function for the token took longer than {self._hello_s:g} s") from error

    async def _greet(self, conversation: Conversation, greeting: Greeting, token: str | None) -> dict[str, object]:
        hello = greeting.hello(token, self._session.earlier())
        try:
            async with asyncio.timeout(self._hello_s):
                return await conversation.greet(self._session.next_id(), hello)
        except TimeoutError as error:
            raise Disconnected(f"The server did not answer hello within {self._hello_s:g} s") from error

    async def _rest(self, pause_s: float) -> None:
        """Wait, but not on when somebody says so, or when the machine has slept: then the network may be there again."""
        self._hurry.clear()
        loop = asyncio.get_running_loop()
        until = loop.time() + pause_s
        while (left_s := until - loop.time()) > 0:
            began, slice_s = time.time(), min(left_s, LOOK_S)
            with suppress(TimeoutError):
                async with asyncio.timeout(slice_s):
                    await self._hurry.wait()
                    return
            if time.time() - began > slice_s + SLEPT_S:
                return


def _invites(why: Why) -> bool:
    """Does it pay to come back?"""
    return why.code is None or may_come_back(why.code)


def _may_pass(error: Disconnected | Error) -> bool:
    """Does it pay to try the first connection once more? Not with an address or a certificate that can be none."""
    if isinstance(error, Error):
        return error.retry
    return not isinstance(error.__cause__, ValueError | InvalidURI) and (
        error.code is None or may_come_back(error.code)
    )
