"""One plug, called as a worker calls it."""

import pytest

from plugsock.errors import Error
from plugsock.testing.alone import Alone, line_of, said, source_file
from plugsock.worker.encode import Unsendable
from support.folder_shapes import loaded

PLUGS = """
from collections.abc import AsyncIterator, Iterator
from plugsock import blocking, Error

@plug
async def add(a: int, b: int = 2) -> int:
    return a + b

@plug
def plain(a: int) -> int:
    return a

@plug
async def lie() -> int:
    return "a"

@plug
async def refuse() -> int:
    raise Error("no")

closed = []

@plug
async def count() -> AsyncIterator[int]:
    try:
        n = 0
        while True:
            yield n
            n += 1
    finally:
        closed.append("count")

@plug
def tick() -> Iterator[int]:
    try:
        while True:
            yield 1
    finally:
        closed.append("tick")

@plug
async def shut() -> list[str]:
    return closed

@plug
async def who(user: User, socket: Socket, server: Server) -> list[str]:
    socket.kick()
    return [user.id, socket.user.id, str((await server.grant("a", "b")).sockets), str(await server.members("room"))]

@plug
def ask(server: blocking.Server) -> int:
    return server.revoke("a", "b").calls

ran = []

@plug
async def write(a: int) -> list[int]:
    ran.append(a)
    if a == 2:
        raise ValueError("two")
    return ran
"""


@pytest.fixture
def plug(tmp_path):
    with loaded(tmp_path, it=PLUGS) as catalog:
        yield lambda name: catalog[f"it.{name}"]


@pytest.mark.parametrize(
    ("name", "payload", "outputs"),
    [
        ("add", b'{"a":1}', [b"3"]),
        ("plain", b'{"a":1}', [b"1"]),
        ("count", b"", [b"0", b"1", b"2"]),
        ("tick", b"", [b"1", b"1", b"1"]),
        ("who", b"", [b'["somebody","somebody","0","[]"]']),
        ("ask", b"", [b"0"]),
    ],
)
async def test_what_comes_of_it_is_encoded(plug, name, payload, outputs):
    assert await Alone(plug(name), most_items=3).outputs(payload) == outputs


async def test_what_it_raises_comes_through(plug):
    with pytest.raises(Error, match="no"):
        await Alone(plug("refuse")).outputs(b"")


async def test_what_is_not_of_the_declared_type_is_refused(plug):
    with pytest.raises(Unsendable, match="`int` is declared, str was returned"):
        await Alone(plug("lie")).outputs(b"")


@pytest.mark.parametrize("name", ["count", "tick"])
async def test_a_stream_is_closed_after_its_last_item(plug, name):
    await Alone(plug(name), most_items=2).repeat([b""])

    assert await Alone(plug("shut")).outputs(b"") == [f'["{name}"]'.encode()]


async def test_it_is_called_with_one_payload_after_the_other_whatever_it_raises(plug):
    await Alone(plug("write")).repeat([b'{"a":1}', b'{"a":2}'], rounds=2)

    assert await Alone(plug("write")).outputs(b'{"a":3}') == [b"[1,2,1,2,3]"]


async def test_an_exception_is_traced_to_the_plugs_own_file(plug):
    with pytest.raises(ValueError, match="two") as error:
        await Alone(plug("write")).outputs(b'{"a":2}')

    assert line_of(plug("write"), error.value) == plug("write").function.__code__.co_firstlineno + 4
    assert source_file(plug("write")).partition("#")[0].endswith("it.py")
    assert said(error.value) == "ValueError: two"


def test_an_exception_without_a_text_is_called_by_its_name():
    class Mute(Exception):
        def __str__(self):
            raise ValueError

    assert said(Mute()) == "Mute"
    assert said(KeyError()) == "KeyError"
    assert said(ValueError("two\nlines")) == "ValueError: two lines"
