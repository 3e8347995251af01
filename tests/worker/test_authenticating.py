"""A worker that is asked who somebody is: to it, that is a plug like any other."""

from pathlib import Path

import msgspec
import pytest

from plugsock.loader.source import Folder
from plugsock.loader.swap import Loader
from plugsock.model import AUTHENTICATE, JSON, Hello, Kind, User
from plugsock.rpc.frames import Call
from plugsock.settings import Settings
from plugsock.worker.engine import Engine
from support.ends import Ends, OwnerOf
from support.recording import RecordingSink

WHO = """
from plugsock import Error, Hello, User, any_of, authenticate, plug

@authenticate
async def who(hello: Hello) -> User | None:
    if hello.token == "late":
        raise Error("closed", "Come back tomorrow.")
    if hello.token != "word":
        return None
    return User(hello.headers["x-name"], frozenset({"orders.read", "orders.*"}), 12.5)

@plug(requires=["a", any_of("b", "c:{shop}")])
async def orders(shop: str) -> str:
    return shop
"""


class Asked:
    """A worker over one file, and who asks it."""

    def __init__(self, sink):
        self.sink = sink
        self.link = None

    @property
    def events(self):
        return {each.event: each for staged in self.sink.stages() for group in staged.groups for each in group.events}

    async def ask(self, hello, sequence=1):
        payload = msgspec.json.encode({"hello": hello})
        return await self.call(AUTHENTICATE, payload, sequence)

    async def call(self, event, payload, sequence=1):
        revision = self.events[event].revision
        self.link.call(Call(sequence, event, revision, JSON, "", 0, 0, 0, "", "", "", payload))
        return await self.sink.answer_of(sequence)


def engine(folder: Path, sink) -> Engine:
    return Engine(Loader([Folder(folder)]), sink, Settings(plugs=folder, data=folder.parent / "data"))


@pytest.fixture(params=["inline", "process"])
async def asked(request, tmp_path):
    folder = tmp_path / "plugs"
    folder.mkdir()
    (folder / "auth.py").write_text(WHO)
    sink = RecordingSink()
    one = Asked(sink)
    if request.param == "inline":
        worker = one.link = sink.link = engine(folder, sink)
    else:
        ends = await Ends(OwnerOf(sink), lambda end: engine(folder, end)).connect()
        worker, one.link = ends.engine, ends.link
        sink.link = ends.link
    await worker.start()
    await sink.until(sink.stages)
    yield one
    if request.param == "process":
        ends.link.stop()
        assert await ends.process.over
    await worker.stop()
    if request.param == "process":
        await ends.close()


async def test_it_is_announced_like_any_other(asked):
    assert set(asked.events) == {AUTHENTICATE, "auth.orders"}
    announced = asked.events[AUTHENTICATE]
    assert (announced.kind, announced.timeout, announced.requires) == (Kind.CALL, 5.0, ())


async def test_what_is_required_is_announced_too(asked):
    assert asked.events["auth.orders"].requires == (("a",), ("b", "c:{shop}"))
    assert (await asked.call("auth.orders", b'{"shop":"berlin"}')).value == "berlin"


async def test_a_user_comes_back_as_an_object(asked):
    answer = await asked.ask(Hello("word", {"x-name": "ada"}, {}, "127.0.0.1", "https://example.org"))
    value = answer.value
    assert (value["id"], sorted(value["permissions"]), value["expires"]) == ("ada", ["orders.*", "orders.read"], 12.5)
    assert msgspec.json.decode(answer.payload, type=User) == User("ada", frozenset({"orders.read", "orders.*"}), 12.5)


@pytest.mark.fault("A2")
async def test_nobody_comes_back_as_null(asked):
    assert (await asked.ask(Hello("guess"))).payload == b"null"
    assert (await asked.ask(Hello(), 2)).payload == b"null"


async def test_its_own_answer_and_its_failures_are_errors_like_any_plugs(asked):
    assert (await asked.ask(Hello("late"))).code == "closed"
    assert (await asked.ask(Hello("word"), 2)).code == "plug_error"


@pytest.mark.parametrize("payload", [b"", b"{}", b'{"hello":null}', b'{"hello":{},"more":1}', b'{"hello":{"token":1}}'])
async def test_anything_but_a_hello_is_refused(asked, payload):
    assert (await asked.call(AUTHENTICATE, payload)).code == "bad_payload"
