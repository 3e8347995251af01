"""The product's own client behind a bad network, and what it must not have been told."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

from plugsock.client import Backoff, Push, Topic, View, connect
from plugsock.errors import Disconnected, Error
from support.stay import Place
from support.truth import Fate, Truth

SOON = Backoff(first_s=0.002, longest_s=0.02)


class Traveller:
    """A client, with what it has asked for.

    Attributes:
        calls: What has no outcome yet.
        views: What it watches, with the arguments.
        visits: Its topics, by name.
    """

    def __init__(self, name: str, port: int, truth: Truth, *, binary: bool) -> None:
        self.name = name
        self.calls: set[asyncio.Task] = set()
        self.views: list[tuple[View, dict[str, Any]]] = []
        self.visits: dict[str, Visit] = {}
        self._truth = truth
        self._opening = connect(
            f"ws://127.0.0.1:{port}", format="msgpack" if binary else "json", backoff=SOON, wait=9.0
        )
        self._stack = AsyncExitStack()

    async def come(self) -> None:
        """Connect."""
        self._loop = asyncio.get_running_loop()
        self.client = await self._stack.enter_async_context(self._opening)
        self.client.on_state(lambda state, why: self._note(f"is {state} {why or ''}", state))

    async def go(self) -> None:
        """Leave all that there is."""
        for task in self.calls:
            task.cancel()
        await self._stack.aclose()

    def call(self, event: str, fate: Fate, **args: Any) -> None:
        """Call a plug, or iterate over its stream, in the background."""
        asking = self._flow(event, fate) if event == "work.flow" else self._call(event, fate, args)
        task = self._loop.create_task(asking)
        self.calls.add(task)
        task.add_done_callback(self.calls.discard)

    async def watch(self, event: str, args: dict[str, Any], *, patch: bool) -> None:
        """Watch a view from now on."""
        view = await self._stack.enter_async_context(self.client.view(event, args, patch=patch))
        self.views.append((view, args))

    def visit(self, topic: str, *, at: str | None = None) -> None:
        """Be in a topic from now on."""
        self.visits[topic] = Visit(self, topic, at, self._truth)

    async def is_there(self) -> None:
        """Wait until it has a connection, over which all has come that was sent before."""
        while True:
            try:
                return await self.client.ping()
            except Disconnected:
                assert self.client.state != "closed"
                await self.stirs()

    async def stirs(self) -> None:
        """Wait until it has another state."""
        stirred = asyncio.Event()
        forget = self.client.on_state(lambda *_: stirred.set())
        await stirred.wait()
        forget()

    def complain(self, what: str) -> None:
        """Something that must not be."""
        self._truth.wrong.append(f"{self.name} {what}")

    async def _call(self, event: str, fate: Fate, args: dict[str, Any]) -> None:
        outcome = "ok"
        try:
            answer = await self.client.call(event, args | {"token": fate.token})
        except Error as error:
            outcome = error.code
        else:
            if answer != fate.token:
                self.complain(f"got {answer} for {fate}")
        self._ended(event, fate, outcome)

    async def _flow(self, event: str, fate: Fate) -> None:
        outcome, items = "ok", []
        try:
            async for item in self.client.stream(event, {"token": fate.token}, credit=2):
                items.append(item)  # noqa: PERF401 - what came before an error counts, too
        except Error as error:
            outcome = error.code
        if items != [1, 2, 3][: len(items)] or (outcome == "ok" and len(items) < 3):
            self.complain(f"got {items} for {fate}")
        self._ended(event, fate, outcome)

    def _ended(self, event: str, fate: Fate, outcome: str) -> None:
        fate.outcomes.append(outcome)
        self._note(f"has {outcome} of {fate}", f"{'stream' if event == 'work.flow' else 'call'} {outcome}")
        if outcome not in {"ok", "unknown_outcome"}:
            self.complain(f"was told {outcome} of {fate}")

    def _note(self, line: str, counted: str) -> None:
        self._truth.tell(f"{self.name} {line}")
        self._truth.count(counted)


class Visit:
    """A topic that a client is in, from when it was asked for until it is left.

    Attributes:
        topic: Once it was joined.
    """

    def __init__(self, who: Traveller, name: str, at: str | None, truth: Truth) -> None:
        self.name = name
        self.topic: Topic | None = None
        self._who = who
        self._truth = truth
        self._at = at
        self._place: str | None = None
        """The last position that was read."""
        self._told: set[str | None] = set()
        """Positions behind a hole of which the client was told."""
        self._task = asyncio.get_running_loop().create_task(self._stay())

    async def end(self) -> None:
        """Leave it."""
        self._task.cancel()
        await asyncio.wait({self._task})

    async def is_joined(self) -> None:
        """Wait until it was joined."""
        while self.topic is None:
            assert not self._task.done(), self._task
            await self._who.is_there()

    async def is_at(self, place: Place) -> None:
        """Wait until all was read up to there."""
        here = f"{place[0]}.{place[1]}"
        while self.topic is not None and self.topic.position != here:
            assert not self._task.done(), self._task
            await self._who.is_there()

    async def _stay(self) -> None:
        async with self._who.client.topic(self.name, at=self._at) as topic:
            self.topic = topic
            if self._at is not None and topic.recovered:
                self._place = self._at
            topic.on_return(lambda recovered: self._returns(topic, recovered=recovered))
            async for push in topic:
                self._read(push)

    def _returns(self, topic: Topic, *, recovered: bool) -> None:
        self._truth.count("recovered" if recovered else "hole")
        if not recovered:
            self._told.add(topic.position)

    def _read(self, push: Push) -> None:
        epoch, offset = push.position.split(".")
        before = f"{epoch}.{int(offset) - 1}"
        if self._place not in {None, before} and before not in self._told:
            self._who.complain(f"was pushed {push.position} after {self._place}, and told of {self._told}")
        self._place = push.position
        self._truth.pushed(self.name, epoch, int(offset), push.data)
