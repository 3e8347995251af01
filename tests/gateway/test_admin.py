"""The admin socket, spoken to by hand."""

import asyncio
import json

import pytest

from plugsock.gateway.admin import Admin
from plugsock.model import Problem
from plugsock.ops.datadir import AdminAddress, DataDirectory
from plugsock.rpc.admin import REQUEST_LIMIT
from plugsock.rpc.frames import Group, Staged
from support.scripted import Stage, announce


@pytest.fixture
async def stage():
    return Stage(announce("a"), announce("b"))


@pytest.fixture
async def admin(stage, tmp_path):
    data = DataDirectory(tmp_path / "data")
    stopped = asyncio.Event()
    admin = Admin(stage.gateway, data, "ws://127.0.0.1:1", stopped.set)
    await admin.start()
    admin.stopped = stopped
    admin.data = data
    yield admin
    await admin.close()
    data.close()


async def ask(admin, *lines: bytes) -> list[dict]:
    reader, writer = await asyncio.open_unix_connection(admin.data.admin.path, limit=1 << 20)
    writer.write(b"".join(line + b"\n" for line in lines))
    writer.write_eof()
    answers = [json.loads(line) for line in (await reader.read()).splitlines()]
    writer.close()
    return answers


async def test_list_shows_what_is_served_and_what_is_wrong(stage, admin):
    stage.swap(problems=[Problem("c.py", 3, "broken", ("c",))])
    [listing] = await ask(admin, b'{"do":"list"}')
    assert listing["is"] == "listing"
    assert [event["event"] for event in listing["events"]] == ["a", "b"]
    assert listing["problems"][0]["line"] == 3


async def test_swap_answers_when_what_was_found_is_served(stage, admin):
    async with asyncio.TaskGroup() as group:
        asked = group.create_task(ask(admin, b'{"do":"swap"}'))
        await stage.link.told("look")
        found = Group("g", [announce("a", "r2")], ["b"], [])
        stage.gateway.staged(Staged(9, [found], [], asked=True))
    [swapped] = asked.result()
    assert (swapped["changed"], swapped["gone"]) == (["a"], ["b"])


async def test_stop_is_passed_on(admin):
    assert await ask(admin, b'{"do":"stop"}') == [{"is": "stopping"}]
    assert admin.stopped.is_set()


@pytest.mark.parametrize("line", [b"", b"nonsense", b'{"do":"dance"}', b"[" * 2000, b'{"do":1}', b"\xff"])
async def test_what_is_no_request_is_refused_and_the_next_is_answered(admin, line):
    refused, listing = await ask(admin, line, b'{"do":"list"}')
    assert refused["is"] == "refused"
    assert refused["message"]
    assert listing["is"] == "listing"


async def test_a_line_without_end_is_hung_up_on(admin):
    assert await ask(admin, b"x" * (REQUEST_LIMIT + 10)) == []


@pytest.mark.parametrize("key", ["wrong", "", "schlüssel"])
async def test_a_request_needs_the_key_where_there_is_one(admin, key):
    admin.data.admin = AdminAddress(path=admin.data.admin.path, key="right")
    request = json.dumps({"do": "list", "key": key}).encode()
    [refused] = await ask(admin, request)
    assert refused["is"] == "refused"
    [listing] = await ask(admin, b'{"do":"list","key":"right"}')
    assert listing["is"] == "listing"
