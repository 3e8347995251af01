"""What is revoked is over when the revoke is answered: nothing is accepted, and nothing is handed over any more."""

import asyncio
import contextlib
import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import pytest
from websockets.asyncio.client import connect as open_websocket
from websockets.exceptions import ConnectionClosed

from plugsock import Error
from support.identity import AUTH, hello, line
from support.once import connect
from support.rights_history import HELD, RightsHistory
from support.server import LIMIT_S, running
from support.workforce import ready

pytestmark = [pytest.mark.end_to_end, pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX'")]

both = pytest.mark.parametrize("flags", [("--workers", "0"), ("--workers", "2")], ids=["inline", "workers"])

FLIPS = int(os.environ.get("PLUGSOCK_TEST_FLIPS", "200"))
CLIENTS = 30
PERMISSION = "vault.read"

DESK = """
from plugsock import Reach, Server, plug

@plug(worker="desk")
async def grant(server: Server, user: str, permission: str) -> Reach:
    return await server.grant(user, permission)

@plug(worker="desk")
async def revoke(server: Server, user: str, permission: str) -> Reach:
    return await server.revoke(user, permission)
"""

VAULT = '''
import asyncio
import time
from pathlib import Path
from plugsock import CallEnded, Server, Socket, plug

HERE = Path(__file__).parents[1]

@plug(requires="vault.read")
async def read(socket: Socket, number: int = 0) -> str:
    socket.send("vault.opened", number)
    await asyncio.sleep(0.002 * (number % 3))
    return "gold"

@plug(requires="vault.read")
async def flow(socket: Socket, every: float = 0.002):
    while True:
        socket.send("vault.flows")
        yield "gold"
        await asyncio.sleep(every)

@plug(requires="vault.read")
def dig(socket: Socket) -> str:
    """Works until there is a file `go`, and then says how it went."""
    socket.send("vault.dug", "begun")
    while not (HERE / "go").exists():
        time.sleep(0.01)
    try:
        socket.send("vault.dug", "done")
        said = "sent"
    except CallEnded:
        said = "ended"
    (HERE / "dug").write_text(said)
    return "gold"

@plug(requires="vault.read", order="socket")
async def one_by_one(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "gold"

@plug(requires="vault.read")
async def bars():
    with (HERE / "bars").open("wb", buffering=0) as counted:
        while True:
            counted.write(b".")
            yield "gold" * 16_000
            await asyncio.sleep(0.001)

tasks = set()

@plug(requires="vault.read")
async def later(socket: Socket, server: Server) -> None:
    async def tell() -> None:
        await asyncio.sleep(0.01)
        try:
            socket.send("vault.later", 1)
        except CallEnded:
            server.broadcast("vault.refused")
    tasks.add(asyncio.create_task(tell()))

@plug
async def lobby() -> str:
    return "stone"
'''

AUTH = AUTH.replace('"eve": frozenset()', '"eve": frozenset({"vault.read"})')
AUTH = AUTH.replace("name not in MAY", 'name not in MAY and name[:1] != "u"').replace(
    "MAY[name], time", 'MAY.get(name, frozenset({"vault.read"})), time'
)


def change(what, user="eve", permission=PERMISSION):
    return f"desk.{what}", {"user": user, "permission": permission}


class Busy:
    """A connection that keeps protected calls and a stream under way, and writes down what comes."""

    def __init__(self, number, user, websocket, history):
        self.number = number
        self.user = user
        self.history = history
        self._websocket = websocket
        self._ids = 1
        self._open = {}
        self._stopping = False
        self._is_over = False

    async def run(self):
        for event in ("vault.read", "vault.read", "vault.flow"):
            await self._call(event)
        while self._open or not self._is_over:
            await self._take(str(await self._websocket.recv()))

    async def stop(self):
        """Start nothing more, and end the streams."""
        self._stopping = True
        for id in [id for id, event in self._open.items() if event == "vault.flow"]:
            await self._websocket.send(f"cancel {id}")
        await self._websocket.send("ping")

    async def _call(self, event):
        self._ids += 1
        self._open[self._ids] = event
        self.history.send(self.number, self._ids, event, (PERMISSION,))
        payload = f'{{"number":{self._ids}}}' if event == "vault.read" else ""
        await self._websocket.send(f"call {self._ids} {event} {payload}".rstrip())

    async def _take(self, frame):
        verb, _, rest = frame.partition(" ")
        token, _, payload = rest.partition(" ")
        if verb in {"push", "item"}:
            self.history.show(self.number, verb, (PERMISSION,), frame)
        elif verb == "notice":
            self.history.notice(self.number, json.loads(payload)["permissions"])
        elif verb == "pong":
            self._is_over = True
        elif verb in {"ok", "error"}:
            await self._ended(int(token), "ok" if verb == "ok" else json.loads(payload)["code"])

    async def _ended(self, id, outcome):
        event = self._open.pop(id)
        self.history.end(self.number, id, outcome)
        if outcome == "forbidden":
            await asyncio.sleep(0.005)  # it reads on a little later, so that what is queued meanwhile is queued
        if not self._stopping:
            await self._call(event)


@contextlib.asynccontextmanager
async def busy(server, users, history):
    """So many connections that are busy; the end of the block waits for all their answers."""
    async with contextlib.AsyncExitStack() as stack:
        clients = []
        for number in range(CLIENTS):
            user = users[number % len(users)]
            websocket = await stack.enter_async_context(open_websocket(server.url, compression=None, max_queue=None))
            await websocket.send(hello(user))
            welcome = str(await websocket.recv())
            assert welcome.startswith("welcome 1 ")
            history.enter(number, user, json.loads(welcome.removeprefix("welcome 1 "))["permissions"])
            clients.append(Busy(number, user, websocket, history))
        async with asyncio.TaskGroup() as tasks:
            for client in clients:
                tasks.create_task(client.run())
            yield
            for client in clients:
                await client.stop()


@pytest.mark.fault("A6", "A7", "A8")
@pytest.mark.timeout(240)
async def test_no_call_is_accepted_and_nothing_shown_after_a_revoke_was_answered(tmp_path):
    history = RightsHistory()
    users = [f"u{number}" for number in range(5)]
    chance = random.Random(8)
    async with (
        running(tmp_path / "plugs", "--workers", "2", auth=AUTH, vault=VAULT, desk=DESK) as server,
        connect(server.url, "root") as root,
        busy(server, users, history),
    ):
        has = dict.fromkeys(users, True)
        for _ in range(FLIPS):
            user = chance.choice(users)
            has[user] = not has[user]
            flip = history.begin(user, PERMISSION, is_grant=has[user])
            await root.call(*change("grant" if has[user] else "revoke", user))
            history.answered(flip)
            await asyncio.sleep(chance.random() * 0.02)

    print(  # noqa: T201 - `pytest -s` shows it, and so does a failure
        f"{FLIPS} flips, {len(history.calls)} calls, {history.count('forbidden')} refused,"
        f" {history.count('revoked')} revoked, {history.shown.total()} protected frames, {len(history.took_s)} notices"
    )
    assert history.faults()[:20] == []
    assert len(history.took_s) == FLIPS * CLIENTS / len(users)
    assert history.count("forbidden") > 20
    assert history.count("revoked") > 20
    assert history.shown.total() > 200


def test_the_history_tells_what_must_not_have_happened():
    now = iter(range(100))
    history = RightsHistory(lambda: next(now))
    needs = ("orders.read",)
    for number, user in enumerate(("ada", "bob", "eve"), 1):
        history.enter(number, user, ["orders.*"], reads=user != "ada")
    flip = history.begin("ada", "orders.*", is_grant=False)
    history.answered(flip)
    history.send(1, 1, "call", needs)
    history.end(1, 1, "ok")
    history.bar(1, flip)
    history.show(1, "item", needs, "item 2")
    history.read(1, HELD + 1)
    history.show(1, "item", needs, "item 3")
    flip = history.begin("bob", "orders.read", is_grant=False)
    history.send(2, 1, "call", needs)
    history.answered(flip)
    history.notice(2, ["orders.*", "!orders.read"])
    history.end(2, 1, "ok")
    history.show(2, "item", ("orders.write",), "item 3")
    history.answered(history.begin("bob", "orders.read", is_grant=True))
    history.notice(2, ["orders.*", "!orders.read"])
    history.send(2, 2, "call", needs)
    history.end(2, 2, "forbidden")
    history.send(2, 3, "call", needs)
    history.notice(3, [], {"item 4": needs})

    assert history.faults() == [
        "connection 1 got `item 2` after the pong that followed the revoke of orders.read",
        f"connection 1 got `item 3` {HELD + 1} bytes after the revoke of orders.read was answered",
        "connection 1 got `item 3` after the pong that followed the revoke of orders.read",
        "connection 2 got `ok 1` after it was told that it may not see orders.read",
        "connection 2 was told ['orders.*', '!orders.read'] of the grant of orders.read",
        "connection 3 still has item 4 after it was told that it may not have it",
        "connection 3 was told [], although nothing had changed",
        "call 1 of connection 1 was accepted (ok) although it was sent after the revoke was answered",
        "call 2 of connection 2 was refused although it was sent after the grant was answered",
        "call 3 of connection 2 has 0 answers: []",
        "connection 1 was told of 0 of 1 changes",
    ]


@pytest.mark.fault("A6")
@both
async def test_who_is_idle_is_told_at_once_and_can_not_call_any_more(tmp_path, flags):
    told = asyncio.Event()
    took = []
    async with (
        running(tmp_path / "plugs", *flags, auth=AUTH, vault=VAULT, desk=DESK) as server,
        connect(server.url, "root") as root,
        connect(server.url, "eve") as eve,
    ):
        eve.on_notice(lambda *_: told.set())
        for _ in range(10):
            assert await eve.call("vault.read") == "gold"
            told.clear()
            await root.call(*change("revoke"))
            answered = time.perf_counter()
            for args in (None, {}):
                with pytest.raises(Error, match="forbidden"):
                    await eve.call("vault.read", args)
            await told.wait()
            took.append(time.perf_counter() - answered)
            await root.call(*change("grant"))
    print(f"{max(took) * 1e3:.1f} ms at most")  # noqa: T201 - `pytest -s` shows it
    assert sorted(took)[len(took) // 2] < 0.05
    assert max(took) < 2


@pytest.mark.fault("A7")
@both
async def test_a_stream_and_what_waits_are_ended_and_what_runs_finishes_for_nobody(tmp_path, flags):
    async with (
        running(tmp_path / "plugs", *flags, auth=AUTH, vault=VAULT, desk=DESK) as server,
        connect(server.url, "root") as root,
        line(server, "eve") as eve,
    ):
        await eve.says("call 2 vault.dig", "call 3 vault.flow?credit=1", 'call 4 vault.one_by_one {"seconds":30}')
        await eve.says('call 5 vault.one_by_one {"seconds":0}')
        before = dict([await eve.hears() for _ in range(3)])
        assert before == {"item 3": "gold", "push - vault.dug": "begun", "push - vault.flows": None}
        assert await eve.asks("call 6 vault.lobby") == "stone"

        assert await root.call(*change("revoke")) == {"sockets": 1, "calls": 3, "streams": 1, "views": 0, "topics": 0}
        after = [await eve.hears() for _ in range(5)]
        assert sorted((head, data.get("code")) for head, data in after[:4]) == [
            (f"error {id}", "revoked") for id in (2, 3, 4, 5)
        ]
        assert after[4] == ("notice permissions", {"user": "eve", "permissions": []})

        (tmp_path / "go").touch()
        async with asyncio.timeout(LIMIT_S):
            while not (tmp_path / "dug").exists():  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.02)
        assert await eve.asks("call 7 vault.lobby") == "stone"
        assert await eve.asks("call 8 vault.read") == "forbidden"
        await eve.says("more 3 5", "cancel 2", "ping")
        assert await eve.hears() == ("pong", None)


@pytest.mark.fault("A7")
@both
async def test_a_call_that_requires_something_sends_nothing_to_its_caller_once_it_has_returned(tmp_path, flags):
    async with (
        running(tmp_path / "plugs", *flags, auth=AUTH, vault=VAULT, desk=DESK) as server,
        line(server, "eve") as eve,
    ):
        await eve.says("call 2 vault.later")
        assert (await eve.hears())[0] == "ok 2"
        assert await eve.hears() == ("push - vault.refused", None)


@pytest.mark.fault("A6")
@both
async def test_what_waits_for_a_client_that_does_not_read_is_taken_back(tmp_path, flags):
    async with (
        running(tmp_path / "plugs", *flags, auth=AUTH, vault=VAULT, desk=DESK) as server,
        connect(server.url, "root") as root,
        open_websocket(server.url, compression=None, max_queue=1, max_size=None) as slow,
    ):
        await slow.send(hello("eve"))
        assert str(await slow.recv()).startswith("welcome 1 ")
        await slow.send("call 2 vault.bars?credit=100000")
        yielded = await until_still(tmp_path / "bars")

        assert await root.call(*change("revoke")) == {"sockets": 1, "calls": 0, "streams": 1, "views": 0, "topics": 0}
        heard = []
        with contextlib.suppress(ConnectionClosed):  # what has left the server's hands is cut off with its connection
            async with asyncio.timeout(LIMIT_S):
                while not heard or not heard[-1].startswith("notice"):
                    heard.append(str(await slow.recv()))
        items = [frame for frame in heard if frame.startswith("item 2 ")]
        print(f"{yielded} yielded, {len(items)} had been handed over")  # noqa: T201 - `pytest -s` shows it
        assert len(items) < yielded
        assert [frame.split(" ")[:2] for frame in heard[len(items) :]] in (
            [],
            [["error", "2"], ["notice", "permissions"]],
        )


async def until_still(counted: Path) -> int:
    """Wait until a stream yields nothing more because there is no room; how often it has."""
    size, since = -1, time.monotonic()
    async with asyncio.timeout(LIMIT_S):
        while time.monotonic() < since + 0.5:
            await asyncio.sleep(0.05)
            now = counted.stat().st_size if counted.exists() else -1
            if now != size:
                size, since = now, time.monotonic()
    return size


@pytest.mark.fault("A9")
async def test_a_worker_that_stands_still_holds_up_no_revoke(tmp_path):
    desk = ("--workers", "2", "--workers", "desk=1")
    async with (
        running(tmp_path / "plugs", *desk, auth=AUTH, vault=VAULT, desk=DESK) as server,
        connect(server.url, "root") as root,
        line(server, "eve") as eve,
    ):
        stopped = list((await ready(server)).values())
        for id in (2, 3, 4):
            await eve.says(f"call {id} vault.flow?credit=1")
            assert [await eve.hears(), await eve.hears()] == [("push - vault.flows", None), (f"item {id}", "gold")]
        try:
            for pid in stopped:
                os.kill(pid, signal.SIGSTOP)
            await eve.says("call 5 vault.read", "call 6 vault.read {}", "ping")
            assert await eve.hears() == ("pong", None)
            began = time.perf_counter()
            assert await root.call(*change("revoke")) == {
                "sockets": 1,
                "calls": 2,
                "streams": 3,
                "views": 0,
                "topics": 0,
            }
            heard = [await eve.hears() for _ in range(6)]
            took_s = time.perf_counter() - began
            assert sorted(head for head, _ in heard) == [
                *(f"error {id}" for id in (2, 3, 4, 5, 6)),
                "notice permissions",
            ]
            assert await eve.asks("call 7 vault.read") == "forbidden"
            print(f"{took_s * 1e3:.1f} ms")  # noqa: T201 - `pytest -s` shows it
            assert took_s < 2
        finally:
            for pid in stopped:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)
        assert await eve.asks("call 8 vault.lobby") == "stone"


GALLERY = """
from plugsock import Server, plug, topic, view

topic("gallery", requires="vault.read")

@view(requires="vault.read", on="gallery")
async def seen() -> str:
    return "gold"

@plug(worker="desk")
async def stir(server: Server) -> None:
    server.publish("gallery", "stirred")
    server.changed("gallery")
"""


@pytest.mark.fault("A9")
async def test_nor_what_is_watched_and_who_is_in_a_topic(tmp_path):
    desk = ("--workers", "2", "--workers", "desk=1")
    async with (
        running(tmp_path / "plugs", *desk, auth=AUTH, gallery=GALLERY, desk=DESK) as server,
        connect(server.url, "root") as root,
        line(server, "eve") as eve,
    ):
        await eve.says("join 2 gallery")
        assert (await eve.hears())[0] == "ok 2"
        await eve.says("watch 3 gallery.seen")
        assert await eve.hears() == ("item 3", "gold")
        stopped = list((await ready(server)).values())
        try:
            for pid in stopped:
                os.kill(pid, signal.SIGSTOP)
            await root.call("gallery.stir")  # a run that will not end begins
            assert await eve.hears() == ("push gallery stirred", None)
            began = time.perf_counter()
            reach = await root.call(*change("revoke"))
            assert (reach["views"], reach["topics"]) == (1, 1)
            heard = dict([await eve.hears() for _ in range(3)])
            assert time.perf_counter() - began < 2
            assert set(heard) == {"error 3", "notice left", "notice permissions"}
            assert heard["error 3"]["code"] == "revoked"
            await root.call("gallery.stir")
            await eve.says("ping")
            assert await eve.hears() == ("pong", None)
            assert await eve.asks("watch 4 gallery.seen") == await eve.asks("join 5 gallery") == "forbidden"
        finally:
            for pid in stopped:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)


@pytest.mark.fault("A15")
@both
async def test_an_answer_that_is_kept_for_a_session_is_not_shown_after_a_revoke(tmp_path, flags):
    async with (
        running(tmp_path / "plugs", *flags, auth=AUTH, vault=VAULT, desk=DESK) as server,
        connect(server.url, "root") as root,
    ):
        async with line(server) as eve:
            await eve.says(hello("eve"))
            key = (await eve.hears())[1]["resume"]
            await eve.says('call 2 vault.read {"number":0}')
            assert [(await eve.hears())[0] for _ in range(2)] == ["push - vault.opened", "ok 2"]
        await root.call(*change("revoke"))
        async with line(server) as eve:
            await eve.says(hello("eve", resume=key, open={"2": 0}), "ping")
            heard = [await eve.hears() for _ in range(3)]
            assert [head for head, _ in heard] == ["welcome 1", "error 2", "pong"]
            assert (heard[0][1]["resumed"], heard[1][1]["code"]) == (True, "revoked")


@both
async def test_who_closes_while_it_is_revoked_is_no_trouble(tmp_path, flags):
    async with (
        running(tmp_path / "plugs", *flags, auth=AUTH, vault=VAULT, desk=DESK) as server,
        connect(server.url, "root") as root,
    ):
        for _ in range(5):
            with contextlib.suppress(ConnectionClosed):
                async with line(server, "eve") as eve:
                    await eve.says("call 2 vault.flow", "call 3 vault.read")
                    revoke = asyncio.get_running_loop().create_task(root.call(*change("revoke")))
            await revoke
            await root.call(*change("grant"))
        async with connect(server.url, "eve") as eve:
            assert await eve.call("vault.read") == "gold"
    assert [text for text in server.err if "Traceback" in text] == []
