"""What somebody may call: by what their token says, and by what plugs grant and revoke while they are connected."""

import asyncio
import json

import pytest

from plugsock import Error
from plugsock.errors import Disconnected
from support.identity import AUTH, ME, hello, line
from support.once import connect
from support.server import LIMIT_S, running, starting

pytestmark = pytest.mark.end_to_end

both = pytest.mark.parametrize("flags", [("--workers", "0"), ("--workers", "2")], ids=["inline", "workers"])

SHOP = """
from plugsock import any_of, plug

@plug(requires="orders.read")
async def read() -> str:
    return "read"

@plug(requires=["orders.read", "orders.write"])
def both() -> str:
    return "both"

@plug(requires=any_of("orders.write", "notes.write"))
async def either() -> str:
    return "either"

@plug(requires=["orders.read", any_of("staff", "shops.read:{shop}")])
async def of_shop(shop: str) -> str:
    return shop

@plug(requires="shops.read:{shop}")
async def of_shop_only(shop: str) -> str:
    return shop

@plug(requires="notes.{number}:x")
async def numbered(number: int) -> int:
    return number

@plug(requires="Orders.read")
async def other_case() -> str:
    return "other case"

@plug(requires="notes")
async def parent() -> str:
    return "parent"

@plug
async def open() -> str:
    return "open"
"""

DESK = """
import asyncio
from plugsock import Reach, Server, blocking, plug

@plug(requires="desk")
async def grant(server: Server, user: str, permission: str) -> Reach:
    return await server.grant(user, permission)

@plug(requires="desk")
async def revoke(server: Server, user: str, permission: str) -> Reach:
    return await server.revoke(user, permission)

@plug(requires="desk")
def plainly_grant(server: blocking.Server, user: str, permission: str) -> Reach:
    return server.grant(user, permission)

@plug(requires="desk")
def plainly_revoke(server: blocking.Server, user: str, permission: str) -> Reach:
    return server.revoke(user, permission)

@plug(requires="desk")
async def kick(server: Server, user: str) -> None:
    server.kick(user=user, reason="logged out")
"""

ALLOWED = [
    ("bob", "read", {}, "read"),
    ("eve", "read", {}, "forbidden"),
    ("root", "read", {}, "read"),
    ("ada", "both", {}, "both"),
    ("bob", "both", {}, "forbidden"),
    ("ada", "either", {}, "either"),
    ("bob", "either", {}, "forbidden"),
    ("ada", "of_shop", {"shop": "berlin"}, "berlin"),
    ("ada", "of_shop", {"shop": "Berlin"}, "forbidden"),
    ("ada", "of_shop", {"shop": "berlin:x"}, "forbidden"),
    ("ada", "of_shop", {"shop": "*"}, "forbidden"),
    ("root", "of_shop", {"shop": "berlin"}, "berlin"),
    ("root", "of_shop", {"shop": "a.b"}, "a.b"),
    ("root", "of_shop_only", {"shop": "a-b"}, "a-b"),
    ("root", "of_shop_only", {"shop": "a.b"}, "forbidden"),
    ("ada", "of_shop", {}, "bad_payload"),
    ("ada", "of_shop", {"shop": 7.5}, "bad_payload"),
    ("ada", "numbered", {"number": 7}, 7),
    ("bob", "numbered", {"number": 7}, "forbidden"),
    ("ada", "other_case", {}, "forbidden"),
    ("ada", "parent", {}, "forbidden"),
    ("root", "parent", {}, "parent"),
    ("eve", "open", {}, "open"),
]


@pytest.mark.fault("A12")
@both
@pytest.mark.parametrize("format", ["json", "msgpack"])
async def test_who_may_call_what(tmp_path, flags, format):
    found = []
    async with running(tmp_path / "plugs", *flags, auth=AUTH, shop=SHOP) as server:
        for user, event, args, _ in ALLOWED:
            async with connect(server.url, user, format=format) as client:
                try:
                    outcome = await client.call(f"shop.{event}", args)
                except Error as error:
                    outcome = error.code
            found.append((user, event, args, outcome))
    assert found == ALLOWED


@both
async def test_a_refusal_names_what_is_missing(tmp_path, flags):
    async with running(tmp_path / "plugs", *flags, auth=AUTH, shop=SHOP) as server, connect(server.url, "eve") as eve:
        with pytest.raises(Error, match=r"You are not allowed to orders\.read and \(staff or shops\.read:bonn\)"):
            await eve.call("shop.of_shop", {"shop": "bonn"})


# while they are connected


@both
@pytest.mark.parametrize("plain", ["", "plainly_"], ids=["async", "plain"])
async def test_a_grant_and_a_revoke_are_in_force_when_they_are_answered(tmp_path, flags, plain):
    notices = asyncio.Queue()
    async with (
        running(tmp_path / "plugs", *flags, auth=AUTH, shop=SHOP, desk=DESK, me=ME) as server,
        connect(server.url, "root") as root,
        connect(server.url, "eve") as eve,
        connect(server.url, "eve") as also_eve,
    ):
        eve.on_notice(lambda name, data: notices.put_nowait((name, data)))
        reads = {"user": "eve", "permission": "orders.read"}
        with pytest.raises(Error, match="forbidden"):
            await eve.call(f"desk.{plain}grant", reads)

        assert await root.call(f"desk.{plain}grant", reads) == {
            "sockets": 2,
            "calls": 0,
            "streams": 0,
            "views": 0,
            "topics": 0,
        }
        assert [await each.call("shop.read") for each in (eve, also_eve)] == ["read", "read"]
        assert eve.permissions == ["orders.read"]
        assert await eve.call("me.mine") == ["eve", "orders.read"]

        assert await root.call(f"desk.{plain}revoke", reads) == {
            "sockets": 2,
            "calls": 0,
            "streams": 0,
            "views": 0,
            "topics": 0,
        }
        for each in (eve, also_eve):
            with pytest.raises(Error, match="forbidden"):
                await each.call("shop.read")
            assert each.permissions == []
        assert await eve.call("me.mine") == ["eve"]
        assert [notices.get_nowait()[0] for _ in range(notices.qsize())] == ["permissions", "permissions"]


@both
async def test_what_a_wider_denial_covers_stays_denied_whatever_is_granted(tmp_path, flags):
    async with (
        running(tmp_path / "plugs", *flags, auth=AUTH, shop=SHOP, desk=DESK) as server,
        connect(server.url, "root") as root,
        connect(server.url, "ada") as ada,
    ):
        await root.call("desk.revoke", {"user": "ada", "permission": "orders.*"})
        await root.call("desk.grant", {"user": "ada", "permission": "orders.read"})
        with pytest.raises(Error, match="forbidden"):
            await ada.call("shop.read")
        await root.call("desk.grant", {"user": "ada", "permission": "orders.*"})
        assert await ada.call("shop.read") == "read"


@both
async def test_a_save_that_requires_more_holds_from_the_next_call_on(tmp_path, flags):
    async with (
        running(tmp_path / "plugs", *flags, auth=AUTH, shop=SHOP) as server,
        connect(server.url, "eve") as eve,
        connect(server.url, "bob") as bob,
    ):
        swapped = asyncio.Event()
        bob.on_notice(lambda *_: swapped.set())
        assert await eve.call("shop.open") == "open"
        server.save("shop.py", SHOP.replace("@plug\n", '@plug(requires="orders.read")\n'))
        async with asyncio.timeout(LIMIT_S):
            await swapped.wait()
        with pytest.raises(Error, match="forbidden"):
            await eve.call("shop.open")
        assert await bob.call("shop.open") == "open"


@both
@pytest.mark.parametrize("plain", ["", "plainly_"], ids=["async", "plain"])
async def test_what_is_no_permission_changes_nothing(tmp_path, flags, plain):
    async with (
        running(tmp_path / "plugs", *flags, auth=AUTH, desk=DESK) as server,
        connect(server.url, "root") as root,
        connect(server.url, "eve") as eve,
    ):
        for permission in ("orders.**", "", "a b", "orders*", "\N{CYRILLIC SMALL LETTER O}rders.read", "x" * 129):
            with pytest.raises(Error, match="plug_error"):
                await root.call(f"desk.{plain}grant", {"user": "eve", "permission": permission})
        assert eve.permissions == []


@both
async def test_what_was_granted_and_revoked_outlives_a_restart_and_a_new_token(tmp_path, flags):
    # the first server is killed: what was answered is on the disk
    files = {"auth": AUTH, "shop": SHOP, "desk": DESK}
    async with running(tmp_path / "plugs", *flags, **files) as server, connect(server.url, "root") as root:
        await root.call("desk.grant", {"user": "eve", "permission": "orders.*"})
        await root.call("desk.revoke", {"user": "bob", "permission": "orders.read"})
    async with (
        running(tmp_path / "plugs", *flags, **files) as server,
        connect(server.url, "eve") as eve,
        connect(server.url, "bob") as bob,
    ):
        assert await eve.call("shop.both") == "both"
        for _ in range(2):
            with pytest.raises(Error, match="forbidden"):
                await bob.call("shop.read")
            await bob.refresh("bob/60")


@pytest.mark.fault("A17")
async def test_with_what_was_granted_unreadable_it_does_not_start_and_says_how_to_go_on(tmp_path):
    files = {"auth": AUTH, "shop": SHOP, "desk": DESK}
    async with running(tmp_path / "plugs", "--workers", "0", **files) as server, connect(server.url, "root") as root:
        await root.call("desk.revoke", {"user": "bob", "permission": "orders.read"})
    (kept,) = (tmp_path / ".plugsock").rglob("grants.json")
    assert json.loads(kept.read_text())["users"] == {"bob": {"granted": [], "denied": ["orders.read"]}}
    kept.write_text(kept.read_text()[:-4])
    async with starting(tmp_path / "plugs", "--workers", "0", **files) as server:
        await server.says(r"grants\.json can't be read .*: put a good copy in its place")
        assert await server.end() != 0


@pytest.mark.fault("A16")
@both
async def test_a_user_who_is_kicked_loses_all_their_sockets_and_nobody_elses(tmp_path, flags):
    async with (
        running(tmp_path / "plugs", *flags, auth=AUTH, desk=DESK, me=ME) as server,
        connect(server.url, "root") as root,
        connect(server.url, "bob") as bob,
        line(server, "ada") as first,
        line(server, "ada") as second,
    ):
        began = asyncio.get_running_loop().time()
        await root.call("desk.kick", {"user": "ada"})
        assert [await first.ended(), await second.ended()] == [([], 4502), ([], 4502)]
        assert asyncio.get_running_loop().time() - began < 5  # within a second, on a machine that does nothing else
        assert await bob.call("me") == "bob"
        async with connect(server.url, "eve") as eve:
            pushes = eve.pushes()
            await root.call("desk.kick", {"user": "eve"})
            with pytest.raises(Disconnected) as gone:
                await anext(pushes)
        assert (gone.value.code, gone.value.reason) == (4502, "logged out")


# whose identity it is


RELAY = """
import asyncio
from plugsock import Server, Socket, User, plug

waiting = {}

@plug
async def meet(socket: Socket, user: User, other: str, server: Server) -> str:
    "Wait until the other one is here, too; then each is told who said so."
    waiting[user.id] = socket.id
    while other not in waiting:
        await asyncio.sleep(0.01)
    socket.send("relay.me", {"id": socket.user.id})
    server.send(waiting[other], "relay.other", {"by": socket.user.id})
    return user.id

@plug
def in_a_thread(socket: Socket) -> str:
    socket.send("relay.me", {"id": socket.user.id})
    return socket.user.id

@plug
async def flow(user: User, times: int = 3):
    for _ in range(times):
        yield user.id
        await asyncio.sleep(0)
"""


@pytest.mark.fault("A14")
@pytest.mark.parametrize("flags", [("--workers", "0"), ("--workers", "1")], ids=["inline", "worker"])
async def test_calls_that_run_beside_each_other_are_each_their_own_callers(tmp_path, flags):
    async with (
        running(tmp_path / "plugs", *flags, auth=AUTH, relay=RELAY) as server,
        connect(server.url, "ada") as ada,
        connect(server.url, "bob") as bob,
    ):
        heard = {ada: ada.pushes(), bob: bob.pushes()}
        answers = await asyncio.gather(
            ada.call("relay.meet", {"other": "bob"}), bob.call("relay.meet", {"other": "ada"})
        )
        assert answers == ["ada", "bob"]
        for client, other in ((ada, "bob"), (bob, "ada")):
            pushes = {(push.event, *push.data.values()) for push in [await anext(heard[client]) for _ in range(2)]}
            assert pushes == {("relay.me", client.user), ("relay.other", other)}

        async def items(client):
            return [item async for item in client.stream("relay.flow")]

        assert await asyncio.gather(items(ada), items(bob)) == [["ada"] * 3, ["bob"] * 3]
        threads = [client.call("relay.in_a_thread") for client in (ada, bob) * 5]
        assert await asyncio.gather(*threads) == ["ada", "bob"] * 5
        assert {(await anext(heard[ada])).data["id"] for _ in range(5)} == {"ada"}


@both
async def test_who_comes_back_to_a_session_has_the_rights_of_now(tmp_path, flags):
    async with (
        running(tmp_path / "plugs", *flags, auth=AUTH, shop=SHOP, desk=DESK) as server,
        connect(server.url, "root") as root,
    ):
        async with connect(server.url, "bob") as bob:
            key = bob.welcome["resume"]
        await root.call("desk.revoke", {"user": "bob", "permission": "orders.read"})
        async with asyncio.timeout(LIMIT_S), line(server) as bob:
            await bob.says(hello("bob", resume=key))
            welcome = (await bob.hears())[1]
            assert (welcome["resumed"], welcome["permissions"]) == (True, [])
            assert await bob.asks("call 2 shop.read") == "forbidden"
