import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE
from contextlib import asynccontextmanager

import pytest

from plugsock.cli import suggest
from support import executable
from support.conversing import listening
from support.returning import hosting

pytestmark = pytest.mark.end_to_end


class Watching:
    """`plugsock watch` in a process of its own, and the server that it has said hello to."""

    def __init__(self, process, peer):
        self.process = process
        self.peer = peer

    async def line(self):
        return (await self.process.stdout.readline()).decode()

    async def error_line(self):
        return (await self.process.stderr.readline()).decode()

    async def ended(self):
        """Its status, and what it said since."""
        out, err = await self.process.communicate()
        return self.process.returncode, out.decode(), err.decode()


@pytest.fixture
def watch(home):
    @asynccontextmanager
    async def watch(*arguments):
        async with listening() as (url, peer):
            process = await asyncio.create_subprocess_exec(
                *executable.command(), "watch", *arguments, "--url", url, stdout=PIPE, stderr=PIPE
            )
            watching = Watching(process, await peer)
            hello = await watching.peer.websocket.recv()
            assert hello.startswith("hello 1 plugsock ")
            await watching.peer.says('welcome 1 {"session":"s1"}')
            try:
                yield watching
            finally:
                if process.returncode is None:
                    process.kill()
                await process.communicate()

    return watch


async def test_each_value_is_a_line_at_once(watch):
    async with watch("orders.summary", '{"day": 1}') as watching:
        await watching.peer.hears('watch 2 orders.summary {"day": 1}')
        for number in range(3):
            await watching.peer.says(f'item 2 {{"orders":{number}}}')
            assert json.loads(await watching.line()) == {"orders": number}


async def test_after_so_many_values_it_leaves_and_ends(watch):
    async with watch("count", "--count", "2") as watching:
        await watching.peer.hears("watch 2 count")
        await watching.peer.says("item 2 1")
        assert await watching.line() == "1\n"
        await watching.peer.says("item 2 2")

        await watching.peer.hears("cancel 2")
        assert await watching.ended() == (0, "2\n", "")


async def test_a_run_that_fails_is_said_on_stderr_and_the_next_value_is_waited_for(watch):
    async with watch("count", "--count", "1") as watching:
        await watching.peer.hears("watch 2 count")
        await watching.peer.says('fault 2 {"code":"plug_error","message":"It failed."}')
        assert await watching.error_line() == "plug_error: It failed.\n"
        await watching.peer.says('fault 2 {"code":"timeout","message":"It took too long.","ref":"r7"}', "item 2 1")

        assert await watching.ended() == (0, "1\n", "timeout: It took too long. (ref r7)\n")


async def test_a_view_that_ends_by_an_error_is_status_1(watch):
    async with watch("count") as watching:
        await watching.peer.hears("watch 2 count")
        await watching.peer.says("item 2 1")
        assert await watching.line() == "1\n"
        await watching.peer.says('error 2 {"code":"revoked","message":"It was revoked."}')

        assert await watching.ended() == (1, "", "revoked: It was revoked.\n")


async def test_errors_are_json_for_machines(watch):
    async with watch("count", "--format", "json") as watching:
        await watching.peer.hears("watch 2 count")
        await watching.peer.says('fault 2 {"code":"timeout","message":"Slow.","retry":true}')
        assert json.loads(await watching.error_line()) == {"code": "timeout", "message": "Slow.", "retry": True}
        await watching.peer.says('error 2 {"code":"gone","message":"Gone."}')

        status, _, err = await watching.ended()
        assert (status, json.loads(err)) == (1, {"code": "gone", "message": "Gone.", "retry": False})


async def test_a_view_that_is_over_is_status_0(watch):
    async with watch("count") as watching:
        await watching.peer.hears("watch 2 count")
        await watching.peer.says("item 2 1", "ok 2")

        assert await watching.ended() == (0, "1\n", "")


async def test_a_server_that_wants_it_to_stay_away_is_one_line_and_status_1(watch):
    async with watch("count") as watching:
        await watching.peer.hears("watch 2 count")
        await watching.peer.websocket.close(4502, "banned")

        status, out, err = await watching.ended()
        assert (status, out, err.count("\n")) == (1, "", 1)
        assert err.startswith("plugsock: The connection went: nothing more will come of count")


async def test_a_connection_that_goes_is_said_and_the_view_is_watched_on(home):
    async with hosting() as hosts:
        process = await asyncio.create_subprocess_exec(
            *executable.command(), "watch", "count", "--count", "2", "--url", hosts.url, stdout=PIPE, stderr=PIPE
        )
        watching = Watching(process, None)
        peer, _ = await hosts.welcomes()
        await peer.hears("watch 2 count")
        await peer.says("item 2 1")
        assert await watching.line() == "1\n"
        await peer.says('notice goodbye {"retry_ms":10}', 'error 2 {"code":"cancelled","message":"The server stops."}')
        await peer.websocket.close(4000, "drain")
        assert await watching.error_line() == "disconnected: The next try is in 0.0 s (4000 drain).\n"
        other, _ = await hosts.welcomes(3, resumed=False)
        assert await watching.error_line() == "connected: The server is there again.\n"
        await other.hears("watch 4 count")
        await other.says("item 4 2")

        assert await watching.ended() == (0, "2\n", "")


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is no signal that a test can send there")
async def test_ctrl_c_is_a_clean_end(watch):
    async with watch("count") as watching:
        await watching.peer.hears("watch 2 count")
        await watching.peer.says("item 2 1")
        assert await watching.line() == "1\n"
        watching.process.send_signal(signal.SIGINT)

        await watching.peer.hears("cancel 2")
        assert await watching.ended() == (0, "", "")


LIVE = """from plugsock import Server, plug, view

sold = []


@plug
async def sell(server: Server, sku: str) -> None:
    sold.append(sku)
    server.changed("sold")


@view(on="sold")
async def total(least: int = 0) -> int | None:
    return len(sold) if len(sold) >= least else None
"""


@pytest.fixture
def shop(home, serve):
    (home / "plugs" / "shop.py").write_text(LIVE)
    return serve("--workers", "1")


async def test_the_server_that_runs_here_is_watched(shop, run_beside):
    watching = await asyncio.create_subprocess_exec(*executable.command(), "watch", "shop.total", stdout=PIPE)
    try:
        assert await watching.stdout.readline() == b"0\n"
        for sku, line in (("tea", b"1\n"), ("milk", b"2\n")):
            await run_beside("call", "shop.sell", json.dumps({"sku": sku}))
            assert await watching.stdout.readline() == line
    finally:
        watching.kill()
        await watching.communicate()


def test_arguments_are_said_and_null_is_a_value(shop, plugsock):
    assert plugsock("watch", "shop.total", '{"least": 7}', "--count", "1") == (0, "null\n", "")


def test_what_there_is_not_is_not_found(shop, plugsock):
    status, out, err = plugsock("watch", "shop.totals")

    assert (status, out, err.partition(":")[0]) == (1, "", "not_found")


def test_only_views_are_suggested(shop):
    assert suggest.views(None, None, "shop.") == ["shop.total"]
    assert suggest.events(None, None, "shop.") == ["shop.sell", "shop.total"]


def test_no_server_is_one_line_and_status_1(plugsock):
    status, out, err = plugsock("watch", "count", "--url", "ws://127.0.0.1:9")

    assert (status, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("plugsock: no server answers at ws://127.0.0.1:9; start one with `plugsock`")


@pytest.mark.parametrize(
    ("arguments", "word"), [([], "VIEW"), (["count", "{"], "no JSON"), (["count", "--count", "0"], "--count")]
)
def test_wrong_usage_is_status_2(plugsock, arguments, word):
    status, out, err = plugsock("watch", *arguments)

    assert (status, out, err.count("\n")) == (2, "", 1)
    assert word in err
