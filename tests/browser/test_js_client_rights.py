"""The JavaScript client and who somebody is: tokens, permissions, and what becomes of what is revoked."""

import pytest
import pytest_asyncio

from plugsock import connect
from support.identity import AUTH
from support.js_client import is_open, open_client
from support.server import running

ORDERS = """from plugsock import Server, Socket, plug, topic, view

topic("orders.*", requires="orders.read", presence=True)

@plug(requires="orders.read")
async def number() -> int:
    return 7

@view(requires="orders.read")
async def summary() -> int:
    return 7

@plug
async def revoke(server: Server, user: str, permission: str) -> None:
    await server.revoke(user, permission)

@plug
async def grant(server: Server, user: str, permission: str) -> None:
    await server.grant(user, permission)
"""

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def server(tmp_path_factory):
    async with running(
        tmp_path_factory.mktemp("orders") / "plugs", "--workers", "1", auth=AUTH, orders=ORDERS
    ) as started:
        yield started


@pytest_asyncio.fixture(loop_scope="module")
async def root(server):
    async with connect(server.url, token="root") as socket:
        yield socket


async def open_as(page, server, token):
    await open_client(page, server.port, options=f"{{token: {token}}}")
    await is_open(page)


async def test_it_says_who_you_are_and_what_you_may(page, server):
    await open_as(page, server, "'ada'")
    said = """[client.user, client.permissions.list.includes("orders.write"),
      client.permissions.has("orders.read"), client.permissions.has("notes.any.thing"), client.permissions.has("notes"),
      client.permissions.has("shops.read:berlin"), client.permissions.has("shops.read:rome")]"""
    assert await page.evaluate(said) == ["ada", True, True, True, False, True, False]


async def test_who_is_not_known_is_turned_away_for_good(page, server):
    await open_client(page, server.port, options="{token: 'mallory'}")
    call = await page.evaluate("settled(client.call('orders.number'))")
    assert call[:2] == ["error", "disconnected"]
    assert await page.evaluate("states") == [["closed", 4501]]
    cause = "client.call('orders.number').catch(({cause, closeCode}) => [cause.code, closeCode])"
    assert await page.evaluate(cause) == ["unauthorized", 4501]


async def test_a_token_may_come_from_a_function_that_is_asked_for_each_connection(page, server):
    await open_as(page, server, "async () => { globalThis.asked = (globalThis.asked ?? 0) + 1; return 'bob'; }")
    assert await page.evaluate("[client.user, asked]") == ["bob", 1]


async def test_a_function_that_fails_is_asked_again(page, server):
    token = "() => { globalThis.asked = (globalThis.asked ?? 0) + 1; if (asked < 3) throw new Error('not yet'); return 'bob'; }"
    await open_as(page, server, token)
    assert await page.evaluate("[client.user, asked]") == ["bob", 3]


async def test_a_token_that_ends_is_replaced_by_the_function(page, server):
    token = "() => { globalThis.asked = (globalThis.asked ?? 0) + 1; return asked === 1 ? 'bob/0.5' : 'bob'; }"
    await open_as(page, server, token)
    await page.evaluate("globalThis.notices = [], client.onNotice((name) => notices.push(name)), 0")
    await page.evaluate("until(() => notices.includes('token') && asked === 2)")
    await page.evaluate("until(async () => (await settled(client.call('orders.number')))[0] === 'ok')")
    assert await page.evaluate("states") == [["open"]]


async def test_another_token_can_be_shown_but_not_one_of_somebody_else(page, server):
    await open_as(page, server, "'bob/600'")
    assert await page.evaluate("client.refresh('bob').then(({user, expires}) => [user, expires])") == ["bob", None]
    assert (await page.evaluate("settled(client.refresh('ada'))"))[:2] == ["error", "unauthorized"]
    assert await page.evaluate("client.user") == "bob"


async def test_what_is_revoked_is_gone_at_once_and_asked_for_again_when_it_is_granted(page, server, root):
    await open_as(page, server, "'bob'")
    await page.evaluate(
        """async () => {
          globalThis.menus = [];
          client.permissions.subscribe((list) => menus.push([...list]));
          globalThis.view = client.view("orders.summary");
          globalThis.look = () => view.subscribe(() => {});
          globalThis.stop = look();
          globalThis.topic = client.topic("orders.all");
          topic.on("any", () => {});
          await until(() => view.status === "live" && topic.status === "live");
        }"""
    )
    await root.call("orders.revoke", {"user": "bob", "permission": "orders.read"})
    await page.evaluate("until(() => view.status === 'revoked' && topic.status === 'revoked' && menus.length === 2)")
    assert await page.evaluate("[view.value === undefined, view.error.code, topic.members.list]") == [
        True,
        "revoked",
        None,
    ]
    assert await page.evaluate("[menus[0], client.permissions.has('orders.read')]") == [["orders.read"], False]
    assert (await page.evaluate("settled(client.call('orders.number'))"))[:2] == ["error", "forbidden"]

    await root.call("orders.grant", {"user": "bob", "permission": "orders.read"})
    await page.evaluate("until(() => client.permissions.has('orders.read'))")
    assert await page.evaluate("view.status") == "revoked"
    await page.evaluate("look(), 0")
    await page.evaluate("until(() => view.value === 7 && view.status === 'live')")
