"""The gateway's end of a worker that is tested: starts runs, and sorts what comes back."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import count
from typing import Any, Final

from msgspec import Struct

from plugsock.client.codec import decode, decode_error, encode
from plugsock.errors import Error
from plugsock.model import JSON, MSGPACK, Announcement, Kind, Problem, User
from plugsock.rpc import views
from plugsock.rpc.frames import OK, VIEW, Call, Details, Document, Emit, Request, SocketState, Staged
from plugsock.rpc.link import Link
from plugsock.testing.records import Records
from plugsock.worker.engine import Engine

SOCKET: Final = "test"
"""Id of the socket that calls."""

CREDIT: Final = 32
"""Items that a stream may be ahead of the test: what clients of a server give by default."""


class Answer(Struct, frozen=True):
    """What has come back: an item of a stream, or the end."""

    payload: bytes
    is_end: bool


class Run:
    """One open call, and what has come back."""

    def __init__(self, link: Link, sequence: int, announced: Announcement, timeout_s: float, *, binary: bool) -> None:
        self.answers: asyncio.Queue[Answer | Error] = asyncio.Queue()
        self._binary = binary
        self._link = link
        self._sequence = sequence
        self._event = announced.event
        self._timeout_s = announced.timeout or timeout_s

    async def next(self) -> Answer:
        """Wait for what comes next.

        Raises:
            Error: That is an error, or nothing comes in time.
        """
        await asyncio.sleep(0)  # a network would give other tasks a turn too, so tests may wait for them by calling
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await self.answers.get()
        except TimeoutError:
            raise Error("timeout", f"{self._event} took longer than {self._timeout_s:g} s") from None
        if isinstance(answer, Error):
            raise answer
        return answer

    def more(self) -> None:
        """Take one more item."""
        self._link.more(self._sequence, 1)

    def decoded(self, answer: Answer, type: Any) -> Any:
        """What an answer says."""
        return decode(answer.payload, type, binary=self._binary)

    def refused(self, payload: bytes) -> Error:
        """What an error says."""
        return decode_error(payload, binary=self._binary)


class Runs:
    """The `Sink` of an engine.

    Args:
        timeout_s: For a run whose plug does not say otherwise.
        user: Who calls.

    Attributes:
        link: The engine; set before anything is said.
        records: What the plugs say.
        events: What can be called.
        problems: What is wrong with the folder.
        loaded: The folder has been looked at.
    """

    link: Engine

    def __init__(self, timeout_s: float, user: User | None) -> None:
        self.records = Records(SOCKET if user is None else user.id, user)
        self.events: dict[str, Announcement] = {}
        self.problems: list[Problem] = []
        self.loaded = asyncio.Event()
        self._open: dict[int, Run] = {}
        self._sequences = count(1)
        self._timeout_s = timeout_s
        self._user = user

    def announced(self, event: str) -> Announcement:
        """What answers an event.

        Raises:
            Error: Nothing does.
        """
        announced = self.events.get(event)
        if announced is None or announced.kind is Kind.TOPIC:
            raise Error("not_found", "; ".join([f"no plug answers {event}", *map(str, self.problems)]))
        return announced

    @asynccontextmanager
    async def start(self, event: str, data: Any, *, is_watched: bool = False) -> AsyncIterator[Run]:
        """Run an event's plug; as a view for those who watch it, whose one answer is then a `rpc.views.Told`.

        Raises:
            Error: Nothing answers it.
        """
        announced = self.announced(event)
        binary, payload = encode(data, "json")
        format, flags, socket = MSGPACK if binary else JSON, 0, SOCKET
        if is_watched:
            flags, payload = VIEW, views.encode(views.Asked(payload))
            socket = "" if announced.view is not None and announced.view.audience == "everybody" else SOCKET
        sequence = next(self._sequences)
        run = self._open[sequence] = Run(self.link, sequence, announced, self._timeout_s, binary=binary)
        call = Call(sequence, event, announced.revision, format, socket, 0, flags, CREDIT, "", "", "", payload)
        self.link.call(call)
        try:
            yield run
        finally:
            if self._open.pop(sequence, None):
                self.link.cancel(sequence)

    def introduce(self) -> None:
        """Tell the worker of the socket that calls."""
        user, topics = self._user, list(self.records.topics)
        if user is None:
            self.link.socket(SocketState(SOCKET, None, [], None, 0, topics))
        else:
            self.link.socket(SocketState(SOCKET, user.id, sorted(user.permissions), user.expires, 0, topics))

    def answer(self, sequence: int, status: int, payload: bytes, ran_s: float, details: Details | None) -> None:  # noqa: ARG002 - a sink is told more than a test asks for
        """See `rpc.link.Sink`."""
        run = self._open.pop(sequence, None)
        if run is not None:
            run.answers.put_nowait(Answer(payload, is_end=True) if status == OK else run.refused(payload))

    def item(self, sequence: int, payload: bytes) -> None:
        """See `rpc.link.Sink`."""
        run = self._open.get(sequence)
        if run is not None:
            run.answers.put_nowait(Answer(payload, is_end=False))

    def emit(self, emit: Emit) -> None:
        """See `rpc.link.Sink`."""
        topics = set(self.records.topics)
        self.records.add(emit)
        if self.records.topics.keys() != topics:
            self.introduce()

    def ask(self, number: int, sequence: int, request: Request) -> None:  # noqa: ARG002 - as in `answer`
        """See `rpc.link.Sink`."""
        self.link.told(number, self.records.answer(request))

    def documented(self, number: int, document: Document) -> None:
        """See `rpc.link.Sink`; nobody asks for any."""

    def ended(self, sequence: int) -> None:
        """See `rpc.link.Sink`; nobody waits for that."""

    def changed(self, paths: Sequence[str]) -> None:
        """See `rpc.link.Sink`."""
        self.link.look(paths)

    def staged(self, staged: Staged) -> None:
        """See `rpc.link.Sink`: all that is good is served at once."""
        good = [group for group in staged.groups if not group.problems]
        for group in good:
            for event in group.gone:
                self.events.pop(event, None)
            self.events.update({announced.event: announced for announced in group.events})
        self.problems[:] = staged.problems
        self.link.commit(staged.stage, [group.id for group in good])
        self.link.retire(staged.stage)
        self.loaded.set()
