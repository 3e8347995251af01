"""Any history of a view: whatever happens in between, in the end each client has the value, and had it sent once."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from support.scripted import Stage
from support.viewed import Runs, asked_of, is_empty, told, view

CLIENTS = 3
WHICH = st.integers(0, CLIENTS - 1)
STEPS = st.lists(
    st.tuples(st.sampled_from(["change", "change", "swap", "name", "answer", "answer", "fail"]), st.just(0))
    | st.tuples(st.sampled_from(["jam", "clear", "lose", "watch", "cancel"]), WHICH),
    max_size=40,
)


class Somebody:
    """A client who watches one view over and over, keeps what it is sent, and may lose its socket."""

    def __init__(self, stage: Stage, *, binary: bool) -> None:
        self.stage = stage
        self.format = "msgpack" if binary else "json"
        self.client = stage.client()
        self.key = self.client.hello(format=self.format)["resume"]
        self.id = 1
        self.is_watching = False
        self.seen: list | None = None
        """What it is shown; None before the first value and while the view fails."""
        self.latest: list = []
        self.got = 0

    def watch(self) -> None:
        if not self.is_watching:
            self.id += 1
            self.is_watching, self.seen, self.latest, self.got = True, None, [], 0
            self.client.say(f"watch {self.id} v")

    def cancel(self) -> None:
        self.client.say(f"cancel {self.id}")
        self.read()
        assert not self.is_watching

    def lose(self) -> None:
        """Lose the socket, with what was sent on it since it was read, and come back."""
        self.client.wire.frames.clear()
        self.client.leave()
        self.client = self.stage.client()
        ids = {str(self.id): self.got} if self.is_watching else {}
        self.key = self.client.hello(format=self.format, resume=self.key, open=ids)["resume"]

    def jam(self) -> None:
        self.client.wire.is_jammed = True

    def clear(self) -> None:
        self.client.wire.is_jammed = False
        self.client.peer.cleared()

    def read(self) -> None:
        wire = self.client.wire
        wire.frames = [frame for frame in wire.frames if not frame[1].startswith(b"notice ")]
        for verb, id, value in told(self.client):
            assert int(id) == self.id
            if verb == "error":
                assert value == "cancelled"
                self.is_watching = False
            else:
                self.got += 1
                if verb == "item":
                    assert value != self.seen, "sent twice"
                    assert value >= self.latest, "overtaken"
                    self.latest = value
                self.seen = value if verb == "item" else None


class World:
    """A view of a number, which grows; the worker does what it is asked in order, but when the test says so."""

    def __init__(self) -> None:
        self.stage = Stage(view())
        self.runs = Runs(self.stage)
        self.number = 0
        self.revision = 1
        self.open: list[tuple] = []
        self.people = [Somebody(self.stage, binary=number == 1) for number in range(CLIENTS)]

    def change(self) -> None:
        self.number += 1
        self.runs.touch("n")

    def swap(self) -> None:
        self.revision += 1
        self.stage.swap(view(revision=f"r{self.revision}"))

    def name(self) -> None:
        """Let the worker begin: what a run reads is read here, and comes out later."""
        self.open += [(call, [int(call.revision[1:]), self.number]) for call in self.runs.take()]

    def answer(self) -> None:
        self.name()
        if self.open:
            call, value = self.open.pop(0)
            self.runs.value(value, call, reads=("n",))

    def fail(self) -> None:
        self.name()
        if self.open:
            self.runs.fault("own", self.open.pop(0)[0], reads=("n",))

    def settle(self) -> None:
        """Let everything happen that there is a reason for."""
        for person in self.people:
            person.clear()
        while self.open or self.stage.link.calls:
            self.answer()
        for person in self.people:
            person.read()


@given(steps=STEPS)
@settings(deadline=None, max_examples=200)
def test_whatever_happens_everybody_has_the_value_in_the_end(steps):
    async def live():
        world = World()
        world.people[0].watch()
        for word, which in steps:
            if hasattr(world, word):
                getattr(world, word)()
            else:
                getattr(world.people[which], word)()
            for person in world.people:
                person.read()
        world.settle()
        here = [person for person in world.people if person.is_watching]
        assert all(person.seen in (None, [world.revision, world.number]) for person in here)
        world.change()  # what has failed runs again when there is a reason to
        world.settle()
        for person in here:
            assert person.seen == [world.revision, world.number]
            person.cancel()
        assert is_empty(world.stage)

    asyncio.run(live())


def test_the_worker_of_this_test_is_asked_for_messagepack_where_somebody_wants_it():
    async def live():
        world = World()
        world.people[1].watch()
        world.name()
        [(call, _)] = world.open
        assert asked_of(call).msgpack

    asyncio.run(live())
