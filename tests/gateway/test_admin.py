"""The admin socket, spoken to by hand."""

import asyncio
import json

import pytest

from plugsock.errors import PlugsockError
from plugsock.gateway.admin import Admin
from plugsock.model import Problem, User
from plugsock.ops.datadir import Address, DataDirectory
from plugsock.rpc.admin import REQUEST_LIMIT, WorkerRow
from plugsock.rpc.frames import Group, Staged
from support.scripted import Stage, announce, row


class Workers:
    """Two workers, that are replaced when the test lets them."""

    def __init__(self) -> None:
        self.replaced: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def rows(self) -> list[WorkerRow]:
        return [row(1, state="ready"), row(2, state="draining")]

    async def reload(self) -> int:
        return await self.replaced

    def join(self) -> tuple[str, str]:
        return "127.0.0.1:4711", "secret"


@pytest.fixture
async def stage(tmp_path):
    return Stage(announce("a"), announce("b"), data=tmp_path)


@pytest.fixture
async def admin(stage, tmp_path):
    data = DataDirectory(tmp_path / "data")
    stopped = asyncio.Event()
    workers = Workers()
    admin = Admin(stage.gateway, data, "ws://127.0.0.1:1", stopped.set, workers)
    await admin.start()
    admin.stopped = stopped
    admin.workers = workers
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
        await stage.link.hears("look", "force")
        found = Group("g", [announce("a", "r2")], ["b"], [])
        stage.gateway.staged(Staged(9, [found], [], asked=True))
    [swapped] = asked.result()
    assert (swapped["changed"], swapped["gone"]) == (["a"], ["b"])


async def test_a_swap_that_may_open_the_server_says_so(stage, admin):
    stage.swap(announce("a", requires=(("x",),)))
    open_again = Group("g", [announce("a", "r2")], [], [])
    for request, changed in ((b'{"do":"swap"}', []), (b'{"do":"swap","allow_open":true}', ["a"])):
        stage.link.said.clear()
        async with asyncio.TaskGroup() as group:
            asked = group.create_task(ask(admin, request))
            await stage.link.hears("look", "force")
            stage.gateway.staged(Staged(9, [open_again], [], asked=True))
        [swapped] = asked.result()
        assert swapped["changed"] == changed
        assert len(swapped["problems"]) == (not changed)


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
    admin.data.admin = Address(path=admin.data.admin.path, key="right")
    request = json.dumps({"do": "list", "key": key}).encode()
    [refused] = await ask(admin, request)
    assert refused["is"] == "refused"
    [listing] = await ask(admin, b'{"do":"list","key":"right"}')
    assert listing["is"] == "listing"


async def test_ps_shows_the_workers(admin):
    [processes] = await ask(admin, b'{"do":"ps"}')
    assert processes["is"] == "processes"
    assert [(worker["number"], worker["state"]) for worker in processes["workers"]] == [(1, "ready"), (2, "draining")]


async def test_ps_is_answered_before_the_plugs_are_loaded(stage, admin):
    stage.gateway.ready.clear()
    [processes] = await ask(admin, b'{"do":"ps"}')
    assert processes["is"] == "processes"


async def test_reload_answers_when_every_worker_is_a_new_one(admin):
    async with asyncio.TaskGroup() as group:
        asked = group.create_task(ask(admin, b'{"do":"reload"}'))
        others = await ask(admin, b'{"do":"list"}')  # nobody else has to wait for it
        assert others[0]["is"] == "listing"
        assert not asked.done()
        admin.workers.replaced.set_result(2)
    assert asked.result() == [{"is": "reloaded", "workers": 2}]


async def test_what_the_workers_can_not_do_is_refused_in_one_sentence(admin):
    admin.workers.replaced.set_exception(PlugsockError("the server runs inline: there are no workers to replace"))
    refused, listing = await ask(admin, b'{"do":"reload"}', b'{"do":"list"}')
    assert refused == {"is": "refused", "message": "the server runs inline: there are no workers to replace"}
    assert listing["is"] == "listing"


async def test_join_says_where_and_with_which_key(admin):
    assert await ask(admin, b'{"do":"join"}') == [{"is": "address", "address": "127.0.0.1:4711", "key": "secret"}]


@pytest.fixture
async def ada(stage):
    """Somebody who is known, with a socket on which a call runs that needs a permission."""
    stage.swap(announce("orders", requires=(("orders.read",),)))
    client = stage.client()
    stage.gateway.identities.know(client.peer, User("ada", frozenset({"orders.*"}), 2e9))
    client.say("call 1 orders")
    return client


async def test_a_revoke_answers_with_what_it_has_reached(admin, ada):
    [revoked] = await ask(admin, b'{"do":"revoke","user":"ada","permission":"orders.read"}')
    assert revoked == {"is": "revoked", "reach": {"sockets": 1, "calls": 1, "streams": 0, "views": 0, "topics": 0}}
    assert ada.faults() == [("1", "revoked")]


async def test_a_grant_answers_with_the_denials_that_still_take_it_away(admin, ada):
    _, granted, back = await ask(
        admin,
        b'{"do":"revoke","user":"ada","permission":"orders.*"}',
        b'{"do":"grant","user":"ada","permission":"orders.read"}',
        b'{"do":"grant","user":"ada","permission":"orders.*"}',
    )
    assert granted == {
        "is": "granted",
        "reach": {"sockets": 1, "calls": 0, "streams": 0, "views": 0, "topics": 0},
        "standing": ["orders.*"],
    }
    assert back["standing"] == []


@pytest.mark.parametrize("do", ["grant", "revoke"])
@pytest.mark.parametrize("what", [{"user": "", "permission": "a"}, {"user": "ada", "permission": "a b"}])
async def test_what_is_no_user_and_no_permission_is_refused(admin, do, what):
    [refused] = await ask(admin, json.dumps({"do": do, **what}).encode())
    assert refused["is"] == "refused"
    assert refused["message"]


async def test_a_kick_closes_what_is_open_and_counts_it(stage, admin, ada):
    other = stage.client()
    gone = stage.client()
    gone.peer.key = "of a session that it may come back to"
    stage.gateway.identities.know(gone.peer, User("ada"))
    gone.leave()
    assert await ask(admin, b'{"do":"kick","user":"ada","code":4000,"reason":"later"}') == [
        {"is": "kicked", "sockets": 1}
    ]
    assert ada.wire.closed == (4000, "later")
    assert other.wire.closed is None
    assert await ask(admin, b'{"do":"kick","user":"nobody"}') == [{"is": "kicked", "sockets": 0}]


async def test_who_shows_who_is_here_and_who_was_granted_or_denied_something(stage, admin, ada):
    second = stage.client()
    stage.gateway.identities.know(second.peer, User("ada", frozenset({"staff"}), 1e9))
    stage.client()
    *_, present = await ask(
        admin,
        b'{"do":"revoke","user":"ada","permission":"orders.delete"}',
        b'{"do":"grant","user":"bob","permission":"staff"}',
        b'{"do":"who"}',
    )
    ada_row, bob = present["users"]
    assert ada_row == {
        "user": "ada",
        "sockets": 2,
        "permissions": ["orders.*", "staff", "!orders.delete"],
        "expires": 1e9,
        "granted": [],
        "denied": ["orders.delete"],
        "shapes": [],
    }
    assert bob == {
        "user": "bob",
        "sockets": 0,
        "permissions": ["staff"],
        "expires": None,
        "granted": ["staff"],
        "denied": [],
        "shapes": [],
    }
    assert present["anonymous"] == 1


async def test_who_counts_what_open_sockets_were_built_for(stage, admin):
    known, *others = [stage.client() for _ in range(4)]
    for client, shapes in zip([known, *others], ("5d41402abc4b", "5d41402abc4b", "9e107d9d372b", ""), strict=True):
        client.hello(shapes=shapes)
    stage.gateway.identities.know(known.peer, User("ada"))
    gone = stage.client()
    gone.hello(shapes="0cc175b9c0f1")
    gone.leave()

    [present] = await ask(admin, b'{"do":"who"}')

    assert present["users"][0]["shapes"] == ["5d41402abc4b"]
    assert present["anonymous_shapes"] == ["5d41402abc4b", "9e107d9d372b"]
    assert present["shapes"] == {"5d41402abc4b": 2, "9e107d9d372b": 1}
