"""The gateway's end of a link, written down: everything a worker says is kept, in order, and can be awaited."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec

from plugsock.model import Fault
from plugsock.rpc.frames import OK, Details, Document, Emit, Request, Staged
from plugsock.rpc.link import Link


class Answer(NamedTuple):
    """The one end of a call."""

    sequence: int
    status: int
    payload: bytes
    ran_s: float
    details: Details | None

    @property
    def ok(self) -> bool:
        return self.status == OK

    @property
    def value(self) -> Any:
        """The result of a call that was answered as JSON."""
        assert self.ok, self.payload
        return msgspec.json.decode(self.payload) if self.payload else None

    @property
    def fault(self) -> Fault:
        assert not self.ok, self.payload
        return msgspec.json.decode(self.payload, type=Fault)

    @property
    def code(self) -> str:
        return self.fault.code


class Item(NamedTuple):
    """One value of a stream."""

    sequence: int
    payload: bytes


class Asked(NamedTuple):
    """Something that a plug asks for."""

    number: int
    sequence: int
    request: Request


class Ended(NamedTuple):
    """A run that was cancelled has come to rest."""

    sequence: int


class Again(NamedTuple):
    """A call whose event is put in another order now."""

    sequence: int


class Documented(NamedTuple):
    """What the plugs look like."""

    number: int
    document: Document


class Changed(NamedTuple):
    """The folder may have changed."""

    paths: list[str]


class RecordingSink:
    """A gateway that has its worker look whenever it wants to, commits whatever could be staged, and only listens else.

    Attributes:
        said: All that the worker has said, in order.
        link: Whom to answer; while it is None, whoever reads what was said has to.
        hear: Called with everything that is said, before the worker goes on.
    """

    def __init__(self) -> None:
        self.said: list[Answer | Item | Emit | Asked | Ended | Again | Changed | Staged | Documented] = []
        self.link: Link | None = None
        self.hear: Callable[[Any], None] = lambda _said: None
        self._changed = asyncio.Event()

    def answer(self, sequence: int, status: int, payload: bytes, ran_s: float, details: Details | None) -> None:
        self._say(Answer(sequence, status, payload, ran_s, details))

    def item(self, sequence: int, payload: bytes) -> None:
        self._say(Item(sequence, payload))

    def emit(self, emit: Emit) -> None:
        self._say(emit)

    def ask(self, number: int, sequence: int, request: Request) -> None:
        self._say(Asked(number, sequence, request))

    def ended(self, sequence: int) -> None:
        self._say(Ended(sequence))

    def again(self, sequence: int) -> None:
        self._say(Again(sequence))

    def changed(self, paths: Sequence[str]) -> None:
        self._say(Changed(list(paths)))
        if self.link is not None:
            self.link.look(paths)

    def staged(self, staged: Staged) -> None:
        self._say(staged)
        if self.link is not None:
            self.link.commit(staged.stage, [group.id for group in staged.groups if not group.problems])

    def documented(self, number: int, document: Document) -> None:
        self._say(Documented(number, document))

    async def document(self, number: int) -> Document:
        """Wait for the answer with this number."""
        return await self.until(lambda: self.documents().get(number))

    def documents(self) -> dict[int, Document]:
        """What was told so far, by number."""
        return {said.number: said.document for said in self.said if isinstance(said, Documented)}

    def answers(self, sequence: int) -> list[Answer]:
        return [said for said in self.said if isinstance(said, Answer) and said.sequence == sequence]

    def items(self, sequence: int) -> list[Any]:
        return [
            msgspec.json.decode(said.payload)
            for said in self.said
            if isinstance(said, Item) and said.sequence == sequence
        ]

    def emits(self) -> list[Emit]:
        return [said for said in self.said if isinstance(said, Emit)]

    def questions(self) -> list[Asked]:
        return [said for said in self.said if isinstance(said, Asked)]

    async def question(self, count: int = 1) -> Asked:
        """Wait for the n-th question."""
        await self.until(lambda: len(self.questions()) >= count)
        return self.questions()[count - 1]

    def changes(self) -> list[list[str]]:
        """The paths of each `changed`."""
        return [said.paths for said in self.said if isinstance(said, Changed)]

    def stages(self) -> list[Staged]:
        return [said for said in self.said if isinstance(said, Staged)]

    async def until(self, ready: Callable[[], Any]) -> Any:
        """Wait until a look at what was said is true, and return it."""
        while not (found := ready()):
            self._changed.clear()
            await self._changed.wait()
        return found

    async def answer_of(self, sequence: int) -> Answer:
        return (await self.until(lambda: self.answers(sequence)))[0]

    async def items_of(self, sequence: int, count: int) -> list[Any]:
        await self.until(lambda: len(self.items(sequence)) >= count)
        return self.items(sequence)

    def _say(self, said: Any) -> None:
        self.said.append(said)
        self._changed.set()
        self.hear(said)
