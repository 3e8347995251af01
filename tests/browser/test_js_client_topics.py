"""The JavaScript client in topics: pushes, who else is there, and what was missed."""

from itertools import count

import pytest
import pytest_asyncio

from plugsock import connect
from support.cutting import Cut
from support.js_client import is_open, open_client
from support.server import running

ROOMS = '''from plugsock import Server, Socket, plug, topic

topic("room.*", history=5, presence=True)
topic("plain.*")

@plug
async def say(server: Server, room: str, text: str) -> None:
    """Say something."""
    server.publish(room, "said", text)

@plug
async def tell(server: Server, text: str) -> None:
    """Tell everybody."""
    server.broadcast("told", text)

@plug
async def put(socket: Socket) -> None:
    """Put the caller where clients can't join by themselves."""
    socket.join("secret.cellar")

@plug
async def out(socket: Socket, room: str) -> None:
    """Take the caller out."""
    socket.leave(room)
'''

ROOM_NUMBERS = count(1)

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def server(tmp_path_factory):
    async with running(tmp_path_factory.mktemp("rooms") / "plugs", "--workers", "1", rooms=ROOMS) as started:
        yield started


@pytest.fixture
def kitchen():
    """A room where nothing has been said."""
    return f"room.{next(ROOM_NUMBERS)}"


@pytest_asyncio.fixture(loop_scope="module")
async def page(page, proxy, kitchen):
    await open_client(page, proxy.port)
    await is_open(page)
    await page.evaluate("(name) => { globalThis.kitchen = name; }", kitchen)
    return page


@pytest_asyncio.fixture(loop_scope="module")
async def other(server):
    async with connect(server.url) as socket:
        yield socket


JOIN = """globalThis.room = client.topic(kitchen), globalThis.heard = [],
globalThis.stop = room.on("said", (text) => heard.push(text)), until(() => room.status === "live")"""


async def hears(page, *texts):
    await page.evaluate(f"until(() => heard.length >= {len(texts)}, JSON.stringify(heard))")
    assert await page.evaluate("heard") == list(texts)


async def test_who_listens_is_in_the_topic(page, other, kitchen):
    await page.evaluate(JOIN)
    await other.call("rooms.say", {"room": kitchen, "text": "Tea?"})
    await hears(page, "Tea?")

    assert await page.evaluate("[room.recovered, room.error, room.position.endsWith('.1')]") == [False, None, True]


async def test_any_event_can_be_heard_and_broadcasts_are_for_the_client(page, other):
    await page.evaluate(
        """globalThis.heard = [], client.on("told", (text) => heard.push(text)),
        client.topic("plain.one").onAny((...push) => heard.push(push)),
        until(() => client.topic("plain.one").status === "live")"""
    )
    await other.call("rooms.say", {"room": "plain.one", "text": "a"})
    await other.call("rooms.tell", {"text": "b"})
    await hears(page, ["said", "a"], "b")

    assert await page.evaluate("client.topic('plain.one').position") is None


async def test_what_was_missed_comes_when_it_is_back(page, proxy, other, kitchen):
    await page.evaluate(JOIN)
    await other.call("rooms.say", {"room": kitchen, "text": "one"})
    await hears(page, "one")
    target, proxy.target = proxy.target, 1
    proxy.links[-1].arm(Cut())
    await page.evaluate("until(() => room.status === 'stale')")
    for text in ("two", "three"):
        await other.call("rooms.say", {"room": kitchen, "text": text})
    proxy.target = target
    await hears(page, "one", "two", "three")

    assert await page.evaluate("[room.recovered, room.status]") == [True, "live"]


async def test_who_missed_too_much_is_told_so(page, proxy, other, kitchen):
    await page.evaluate(f"globalThis.turns = [], {JOIN}")
    await other.call("rooms.say", {"room": kitchen, "text": "one"})
    await hears(page, "one")
    await page.evaluate("room.subscribe(({status, recovered}) => turns.push([status, recovered])), 0")
    target, proxy.target = proxy.target, 1
    proxy.links[-1].arm(Cut())
    await page.evaluate("until(() => room.status === 'stale')")
    for number in range(9):
        await other.call("rooms.say", {"room": kitchen, "text": str(number)})
    proxy.target = target
    await page.evaluate("until(() => room.status === 'live')")
    await other.call("rooms.say", {"room": kitchen, "text": "new"})
    await hears(page, "one", "new")

    assert await page.evaluate("turns") == [["live", False], ["stale", False], ["live", False]]


async def test_members_are_kept_current(page, other, kitchen):
    await page.evaluate(JOIN)
    await page.evaluate("globalThis.counts = [], room.members.subscribe((list) => counts.push(list?.length)), 0")
    async with other.topic(kitchen):
        await page.evaluate("until(() => room.members.list.length === 2)")
    await page.evaluate("until(() => room.members.list.length === 1)")

    assert await page.evaluate("counts") == [1, 2, 1]
    assert await page.evaluate("room.members.list[0].sockets") == 1


async def test_a_plug_may_put_it_where_it_can_not_go_by_itself(page, other):
    await page.evaluate(
        """globalThis.heard = [], client.topic("secret.cellar").on("said", (text) => heard.push(text)),
        until(() => client.topic("secret.cellar").error?.code === "not_found")"""
    )
    await page.evaluate("client.call('rooms.put')")
    await other.call("rooms.say", {"room": "secret.cellar", "text": "dark"})
    await hears(page, "dark")


async def test_a_plug_may_take_it_out(page):
    await page.evaluate(JOIN)
    await page.evaluate("client.call('rooms.out', {room: kitchen})")
    await page.evaluate("until(() => room.status === 'error')")

    assert await page.evaluate("[room.error.code, room.members.list]") == ["cancelled", None]


async def test_who_leaves_hears_nothing_more_and_nor_does_who_stops_to_listen(page, other, kitchen):
    await page.evaluate(JOIN)
    await other.call("rooms.say", {"room": kitchen, "text": "one"})
    await hears(page, "one")
    await page.evaluate("room.leave()")
    await page.evaluate("client.topic('plain.one').on('said', (text) => heard.push(text))()")
    await page.evaluate("until(() => client.topic('plain.one').status === 'loading')")
    await other.call("rooms.say", {"room": kitchen, "text": "late"})
    await other.call("rooms.say", {"room": "plain.one", "text": "late"})
    await page.evaluate("client.call('rooms.say', {room: kitchen, text: 'mine'})")
    assert await page.evaluate("heard") == ["one"]

    # who comes again goes on where they were
    await page.evaluate("room.on('said', (text) => heard.push(text)), 0")
    await hears(page, "one", "late", "mine")


async def test_what_was_left_while_there_was_no_connection_stays_left(page, proxy, other, kitchen):
    await page.evaluate(JOIN)
    await page.evaluate("client.onState((state) => state === 'waiting' && room.leave()), 0")
    proxy.links[-1].arm(Cut())
    await page.evaluate("until(() => states.length > 1 && client.state === 'open')")
    await page.evaluate("client.call('rooms.say', {room: kitchen, text: 'mine'})")
    async with other.topic(kitchen) as room:
        assert len(room.members) == 1
