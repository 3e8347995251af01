"""What outlives a WebSocket: the requests that have no end yet, and by what they find it over the next one.

asked ──> said under an id ──> its one end
  ▲              │
  │              └ the connection goes: named in the next hello. Then the server tells its end, or
  └─────────────── `not_received`; a view of a session that is gone or of a server that stops, and whatever may be said
                   twice, is asked for anew

What the client asks for while there is no connection waits here, and is said in order behind the welcome. Nothing is
ever said between a hello and its welcome: so nothing can have been heard by a session that nobody comes back to.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any, Final

from plugsock.client.codec import decode
from plugsock.client.conversation import Conversation
from plugsock.client.exchange import Answer
from plugsock.client.listeners import Listeners
from plugsock.client.request import ANEW, Request
from plugsock.errors import Disconnected, Error
from plugsock.wire.header import ServerFrame

GOES_ON: Final = {b"item", b"patch", b"fault"}
"""Verbs that name an id without ending it."""

MOST_NAMED: Final = 256
"""Ids that a hello may name where no welcome says otherwise: 128 calls and 128 views (docs/protocol.md)."""

log: Final = logging.getLogger("plugsock.client")


class Session:
    """All that a client has asked for.

    Args:
        heard: Is told every frame that answers nobody: a `push` or a `notice`, and whether it is binary.
        listeners: Have the topics.
        comes_back: Is a connection that went followed by another one?
    """

    def __init__(self, heard: Callable[[ServerFrame, bool], None], listeners: Listeners, *, comes_back: bool) -> None:
        self._heard = heard
        self._listeners = listeners
        self._comes_back = comes_back
        self._conversation: Conversation | None = None
        self._end: Disconnected | None = None
        self._is_draining = False
        """The server is about to go: it takes nothing new."""
        self._key: str | None = None
        self._most_named = MOST_NAMED
        self._last_id = 0
        self._open: dict[bytes, Request] = {}
        self._waiting: dict[Request, None] = {}
        """What is to be said, in that order."""
        self._catching_up: asyncio.Task[None] | None = None
        """Says what waits; until it is done, whatever else is asked for waits behind that."""
        self._cancelled: dict[bytes, None] = {}
        """Ids that nobody cares for any more, and that have not ended as far as is known."""
        self._left: dict[bytes, str] = {}
        """Topics that were left, by the id of the `leave`, until that is answered."""

    # What the client says.

    def opened(self, request: Request) -> "Opened":
        """Ask for something, and let its asker hear the answers; leaving the block before the last cancels it.

        Raises:
            Disconnected: The client is closed, or does not come back and the connection went.
        """
        return Opened(self, request)

    async def ask(self, request: Request) -> None:
        """Begin what `opened` is."""
        if self._end is not None:
            raise self._closed()
        if self._conversation is None or self._is_draining:
            request.wait(self._is_late)
            self._waiting[request] = None
        elif self._catching_up is not None:
            self._waiting[request] = None
        else:
            await self._tell(self._conversation, request)

    async def give_up(self, request: Request) -> None:
        """End it."""
        request.rest()
        if self._open.pop(request.id, None):
            if self._comes_back:
                self._cancelled[request.id] = None
            with suppress(Disconnected):
                await self.say(b"cancel", request.id)
        else:
            self._waiting.pop(request, None)

    async def say(self, *parts: bytes) -> None:
        """Say something of an id that is open; while there is no connection that is of no use, and left out.

        Raises:
            Disconnected: As `opened` does.
        """
        if self._conversation is not None:
            await self._said(self._conversation.say(*parts))
        elif self._end is not None:
            raise self._closed()

    async def leave(self, topic: str) -> None:
        """Be in a topic no more, even if the connection goes before that was heard."""
        id = self.next_id()
        if self._comes_back:
            self._left[id] = topic
        with suppress(Disconnected):
            await self.say(b"leave", id, topic.encode())

    async def ping(self) -> None:
        """Ask the server of the connection that there is for a pong.

        Raises:
            Disconnected: There is none, or it went first.
        """
        if self._conversation is None:
            raise self._closed() if self._end else Disconnected("There is no connection now")
        await self._conversation.ping()

    def next_id(self) -> bytes:
        """An id for the next frame; it is to be said before anything is awaited, because ids grow on the wire."""
        self._last_id += 1
        return b"%d" % self._last_id

    async def _tell(self, conversation: Conversation, request: Request) -> bool:
        request.id = id = self.next_id()
        self._open[id] = request
        frame = (request.verb, id, request.name(), request.payload)
        return await self._said(conversation.say(*frame, binary=request.binary))

    async def _said(self, saying: Coroutine[Any, Any, None]) -> bool:
        """Say something; what may not have come through is settled when the client has come back.

        Returns:
            Is the connection still there?
        """
        try:
            await saying
        except Disconnected:
            if not self._comes_back:
                raise
            return False
        return True

    def _closed(self) -> Disconnected:
        assert self._end is not None
        return Disconnected("The connection is closed", self._end.code, self._end.reason)

    # What the server says.

    def hear(self, frame: ServerFrame, binary: bool) -> None:  # noqa: FBT001 - called by position
        """Take a frame."""
        if frame.verb in {b"push", b"notice"}:
            self._heard(frame, binary)
            return
        id = frame.token
        if id == b"0":  # the server could not read the id in its place, and says whose it may have been
            error = decode(frame.payload, dict[str, Any], binary=binary)
            id = str(error.get("id", "")).encode()
        if frame.verb in GOES_ON:
            if request := self._open.get(id):
                request.count += 1
                request.asker.put(Answer(frame.verb, frame.payload, binary))
            return
        if request := self._open.pop(id, None):
            if not ((request.is_named or self._is_draining) and self._is_asked_anew(request, frame, binary=binary)):
                request.asker.put(Answer(frame.verb, frame.payload, binary))
        elif frame.token == b"0":
            log.warning("the server could not read a frame: %r", frame.payload)
        self._cancelled.pop(id, None)
        self._left.pop(id, None)

    def _is_asked_anew(self, request: Request, frame: ServerFrame, *, binary: bool) -> bool:
        if frame.verb != b"error":
            return False
        code = decode(frame.payload, dict[str, Any], binary=binary).get("code")
        is_view = request.verb == b"watch"
        is_settled = request.is_named and (code == "not_received" or (code == "unknown_outcome" and is_view))
        if is_settled or (self._is_draining and is_view and code in {"cancelled", "overloaded"}):
            request.asker.away()
            self._ask_anew(request)
            self._catch_up()
            return True
        return False

    # Connections come and go.

    def earlier(self) -> dict[str, Any]:
        """What a hello says to take up this session over another connection; nothing if there was none before."""
        if self._key is None:
            return {}
        for request in list(self._open.values())[self._most_named :]:
            self._settle(request)  # the server has room for so many, and has refused this one, or would have
        for request in self._open.values():
            request.is_named = True
        named = {id.decode(): request.count for id, request in self._open.items()}
        room = self._most_named - len(named)
        dropped = {id.decode(): 0 for id in list(self._cancelled)[:room]}
        return {"resume": self._key, "open": named | dropped, "topics": self._listeners.positions()}

    def welcomed(self, conversation: Conversation, welcome: dict[str, Any]) -> None:
        """There is a connection, for all that waits."""
        self._key = welcome.get("resume")
        if limits := welcome.get("limits"):
            self._most_named = limits["calls"] + limits["watches"]
        if welcome.get("resumed"):
            for request in self._open.values():
                request.asker.back()
        else:
            self._cancelled.clear()
            for request in list(self._open.values()):
                self._settle(request)
        topics = welcome.get("topics", {})
        self._left = {id: name for id, name in self._left.items() if name in topics and not self._listeners.knows(name)}
        self._listeners.returned(topics)
        for request in (*self._open.values(), *self._waiting):
            request.rest()
        self._conversation = conversation
        self._is_draining = False
        self._catch_up()

    def drain(self) -> None:
        """The server has said that it goes: what is asked for from now on waits for the next connection."""
        self._is_draining = self._comes_back

    def lost(self) -> None:
        """The connection went, and another one will come."""
        self._disconnect()
        for request in list(self._open.values()):
            request.asker.away()
            request.wait(self._is_late)
            if request.verb in ANEW:
                del self._open[request.id]
                self._ask_anew(request)

    def end(self, code: int, reason: str) -> None:
        """The connection went, and none will come."""
        self._disconnect()
        self._end = Disconnected("The connection is closed", code, reason)
        for request in self._open.values():
            request.rest()
            request.asker.lose(code, reason)
        for request in self._waiting:
            request.rest()
            request.asker.fail(Disconnected(f"There was no connection for {request.asker.event}", code, reason))
        self._open.clear()
        self._waiting.clear()
        self._listeners.lose(code, reason)

    def _disconnect(self) -> None:
        self._conversation = None
        if self._catching_up is not None:
            self._catching_up.cancel()
            self._catching_up = None

    def _settle(self, request: Request) -> None:
        """Nobody can say any more what became of a request: a view is asked for anew, anything else may have run."""
        del self._open[request.id]
        if request.verb == b"watch":
            self._ask_anew(request)
        else:
            request.rest()
            message = f"The session is gone: {request.asker.event} may have run."
            request.asker.fail(Error("unknown_outcome", message))

    def _ask_anew(self, request: Request) -> None:
        request.id, request.count, request.is_named = b"", 0, False
        self._waiting[request] = None

    def _is_late(self, request: Request) -> None:
        """The time of a request is over, and no server has said so."""
        message = f"There was no connection for {request.asker.event} within {request.timeout_s:g} s."
        was_sent = self._open.pop(request.id, None) is not None
        if was_sent:
            self._cancelled[request.id] = None
            message = f"There was no answer to {request.asker.event} within {request.timeout_s:g} s; it may have run."
        self._waiting.pop(request, None)
        request.asker.fail(Error("timeout", message, retry=not was_sent))

    def _catch_up(self) -> None:
        if self._catching_up is None and not self._is_draining and (self._waiting or self._cancelled or self._left):
            saying = self._say_what_waits()
            self._catching_up = asyncio.get_running_loop().create_task(saying, name="plugsock client catches up")

    async def _say_what_waits(self) -> None:
        conversation = self._conversation
        assert conversation is not None
        for id in list(self._cancelled):
            await self.say(b"cancel", id)
        left, self._left = self._left, {}
        for topic in left.values():
            await self.leave(topic)
        while self._waiting and not self._is_draining:
            request = next(iter(self._waiting))
            del self._waiting[request]
            if not await self._tell(conversation, request):
                return  # the others wait on: a hello may name only so many
        self._catching_up = None


class Opened(AbstractAsyncContextManager[None]):
    """A request that is open within a block.

    It is no generator: a loop that ends closes all generators at once, those within others first.

    Args:
        session: Of the request.
        request: What is asked for.
    """

    def __init__(self, session: Session, request: Request) -> None:
        self._session = session
        self._request = request

    async def __aenter__(self) -> None:
        try:
            await self._session.ask(self._request)
        except BaseException:
            await self._session.give_up(self._request)
            raise

    async def __aexit__(self, *_: object) -> None:
        await self._session.give_up(self._request)
