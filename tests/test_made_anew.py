"""Plugs, views and rules that are deleted and made anew, or move to another file: only what is written there counts."""

import json

import pytest

from support.ear import ears
from support.identity import AUTH, hello
from support.server import running

pytestmark = pytest.mark.end_to_end

SHOP = """
from plugsock import Server, plug, topic, view

topic("shop.*", requires={required})


@plug(requires={required})
async def read() -> str:
    return "read"


@view(on="shop", requires={required})
async def seen() -> str:
    return {value!r}
"""

BELL = """
from plugsock import Server, plug

@plug
async def ring(server: Server, name: str) -> None:
    server.publish("shop.a", "rang", name)
    server.changed("shop")
"""


def shop(required, value="old"):
    return SHOP.format(required=repr(required), value=value)


def heard(ear, start):
    """The frames that begin so."""
    return [frame for frame in ear.heard if frame.startswith(start)]


async def come_in(ear, name):
    await ear.ask(hello(name))
    return ear


async def open_all(ear, first_id):
    """Call, watch and join; what comes of each."""
    called = await ear.ask(f"call {first_id} shop.read")
    joined = await ear.ask(f"join {first_id + 1} shop.a")
    start = len(ear.heard)
    ear.says(f"watch {first_id + 2} shop.seen")
    id = f"{first_id + 2}"
    [frame] = await ear.until(lambda: [each for each in ear.heard[start:] if each.split(" ")[1] == id])
    verb, _, payload = frame.split(" ", 2)
    watched = json.loads(payload)
    return called, joined if isinstance(joined, str) else "in", watched if verb == "item" else watched["code"]


FORBIDDEN = ("forbidden",) * 3


@pytest.mark.fault("A13")
async def test_what_is_made_anew_requires_what_it_says_now_and_brings_nobody_back(tmp_path):
    async with (
        running(tmp_path / "plugs", "--workers", "1", auth=AUTH, bell=BELL, shop=shop("orders.read")) as server,
        ears(server, 3) as all_ears,
    ):
        ada, bob, eve = [await come_in(ear, name) for ear, name in zip(all_ears, ("ada", "bob", "eve"), strict=True)]
        for ear in (ada, bob):
            assert await open_all(ear, 2) == ("read", "in", "old")
        assert await open_all(eve, 2) == FORBIDDEN

        (server.folder / "shop.py").unlink()
        for ear in (ada, bob):
            assert await ear.answer("4") == "gone"
            [left] = await ear.until(lambda ear=ear: heard(ear, "notice left "))
            assert json.loads(left.removeprefix("notice left "))["reason"]["code"] == "gone"
        assert await open_all(ada, 5) == ("gone", "not_found", "gone")

        server.save("shop.py", shop("orders.write", "new"))
        await ada.until(lambda: len([each for each in heard(ada, "notice plugs ") if "shop.read" in each]) == 2)
        assert await bob.ask('call 8 bell.ring {"name":"first"}') is None
        for ear in (ada, bob):
            await ear.ping()
            assert heard(ear, "push shop.a ") == [], "who was in it is not in it again"
            assert len(heard(ear, "item 4 ")) == 1, "what was watched is not watched again"
        assert await open_all(bob, 9) == FORBIDDEN
        assert await open_all(ada, 9) == ("read", "in", "new")

        server.save("shop.py", shop(None, "for all"))
        await ada.until(lambda: heard(ada, 'item 11 "for all"'))
        assert await open_all(eve, 12) == ("read", "in", "for all")


READ = """
from plugsock import plug, topic

topic("shop.*", requires="orders.read")


@plug(requires="orders.read")
async def read() -> str:
    return "read"
"""

SEEN = """
from plugsock import view

@view(on="shop", requires="orders.read")
async def seen() -> str:
    return "seen"
"""


@pytest.mark.fault("A13")
async def test_a_file_that_is_renamed_requires_the_same_all_the_while(tmp_path):
    async with (
        running(tmp_path / "plugs", "--workers", "2", auth=AUTH, bell=BELL, shop=READ, stock=SEEN) as server,
        ears(server, 3) as all_ears,
    ):
        ada, bob, eve = [await come_in(ear, name) for ear, name in zip(all_ears, ("ada", "bob", "eve"), strict=True)]
        assert await bob.ask("call 2 shop.read") == "read"
        await bob.ask("join 3 shop.a")
        bob.says("watch 4 stock.seen")
        await bob.until(lambda: heard(bob, "item 4 "))

        for name, function in (("shop", "read"), ("stock", "seen")):
            folder = server.folder / name
            folder.mkdir()
            (server.folder / f"{name}.py").rename(folder / f"{function}.py")
        rounds = []
        id = 5
        after = 0
        while after < 20:  # some rounds after both have moved
            rounds.append(
                [
                    *(await bob.ask(f"call {id} shop.read"), await bob.ask(f"call {id + 1} stock.seen")),
                    *(await eve.ask(f"call {id} shop.read"), await eve.ask(f"call {id + 1} stock.seen")),
                    *(await eve.ask(f"join {id + 2} shop.a"), await eve.ask(f"watch {id + 3} stock.seen")),
                ]
            )
            id += 4
            after += bool({"shop.read", "stock.seen"} <= swapped(ada))
        assert [each for each in rounds if each != ["read", "seen", *["forbidden"] * 4]] == []

        await ada.ask('call 2 bell.ring {"name":"ada"}')
        await bob.ping()
        assert len(heard(bob, "push shop.a ")) == 1
        assert heard(bob, "notice left ") == []
        assert heard(bob, "item 4 ") == ['item 4 "seen"']
        bob.says("cancel 4")
        assert await bob.answer("4") == "cancelled", "it was open all the while"


def swapped(ear):
    """The events of which a client was told that they have changed."""
    notices = heard(ear, "notice plugs ")
    return {event for each in notices for event in json.loads(each.removeprefix("notice plugs "))["changed"]}
