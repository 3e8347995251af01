"""Plugs of which nearly everything is guarded, and says in its payload what it takes to see it."""

from itertools import chain

from support.onlookers import Seat, Want

ROOMS = ("a", "b")
DENS = 20
"""Rooms that show who is there."""

FLOOR = """
import asyncio
import secrets
import time
from pathlib import Path
from plugsock import Server, Socket, User, blocking, plug, topic, view

VERSION = {version}
LOCK = "total.read" if VERSION % 2 else "vault.read"
STIRRED = Path(__file__).parents[1] / "stirred"
PAD = secrets.token_hex(10_000)  # which can't be compressed to next to nothing

topic("room.*", requires="room.read:{{*}}", history=20)
topic("den.*", requires="den.read:{{*}}", presence=True)
topic("hall")

def number() -> int:
    return int(STIRRED.read_text()) if STIRRED.exists() else 0

@plug
async def version() -> int:
    return VERSION

@plug(requires="vault.read")
async def read(socket: Socket, pause: float) -> dict:
    socket.send("floor.read", {{"needs": ["vault.read"]}})
    await asyncio.sleep(pause)
    socket.send("floor.read", {{"needs": ["vault.read"]}})
    return {{"needs": ["vault.read"]}}

@plug(requires="shop.read:{{shop}}")
def stock(socket: Socket, shop: str) -> dict:
    socket.send("floor.stocked", {{"needs": ["shop.read:" + shop]}})
    return {{"needs": ["shop.read:" + shop], "version": VERSION}}

@plug(requires="vault.read")
async def flow(socket: Socket, every: float, pad: int):
    while True:
        socket.send("floor.flows", {{"needs": ["vault.read"]}})
        yield {{"needs": ["vault.read"], "at": time.time_ns(), "pad": PAD[:4 * pad]}}
        await asyncio.sleep(every)

@plug
async def fill(every: float, pad: int):
    while True:
        yield {{"needs": [], "pad": PAD[:4 * pad]}}
        await asyncio.sleep(every)

@view(requires=LOCK, on="total")
async def total() -> dict:
    return {{"needs": [LOCK], "version": VERSION, "number": number(), "at": time.time_ns(), "pad": PAD[:160]}}

@view(requires="shop.read:{{shop}}")
def shelf(server: blocking.Server, shop: str) -> dict:
    server.reads("shelf/" + shop)
    return {{"needs": ["shop.read:" + shop], "number": number(), "pad": PAD[:160]}}

@view(requires="vault.read")
async def mine(server: Server, user: User) -> dict:
    server.reads("mine/" + user.id)
    return {{"needs": ["vault.read"], "number": number(), "user": user.id, "at": time.time_ns()}}

@view(requires="total.read")
async def seat(server: Server, socket: Socket) -> dict:
    server.reads("seat/" + socket.id)
    return {{"needs": ["total.read"], "number": number(), "at": time.time_ns()}}

@view
async def me(server: Server, user: User) -> dict:
    server.reads("me/" + user.id)
    return {{"needs": [], "number": number(), "permissions": sorted(user.permissions)}}
"""

DESK = """
import os
from pathlib import Path
from plugsock import Reach, Server, plug

STIRRED = Path(__file__).parents[1] / "stirred"

@plug(requires="desk")
async def grant(server: Server, user: str, permission: str) -> Reach:
    return await server.grant(user, permission)

@plug(requires="desk")
async def revoke(server: Server, user: str, permission: str, fence: float | None) -> Reach:
    return await server.revoke(user, permission, fence=fence)

@plug(requires="desk")
async def stir(server: Server, number: int, keys: list[str], topics: list[str], sockets: list[str]) -> None:
    new = STIRRED.with_name(f"stirred.{os.getpid()}.{number}")
    new.write_text(str(number))
    os.replace(new, STIRRED)
    server.changed(*keys)
    for topic in topics:
        if topic == "-":
            data = {"needs": ["news.read"], "number": number, "pad": "gold" * 40}
            server.broadcast("floor.cast", data, requires="news.read")
            continue
        data = {"needs": [], "number": number, "pad": "gold" * 40}
        server.publish(topic, "floor.said", data)
        server.publish(topic, "floor.news", data | {"needs": ["news.read"]}, requires="news.read")
    for socket in sockets:
        server.send(socket, "floor.sent", {"needs": ["total.read"], "number": number}, requires="total.read")
"""

AUTH = """
from plugsock import Hello, User, authenticate

MAY = frozenset({"total.read", "vault.read", "news.read", "shop.*", "room.*", "den.*"})

@authenticate
async def who(hello: Hello) -> User | None:
    return hello.token and User(hello.token, frozenset({"*"}) if hello.token == "root" else MAY)
"""

FLIPPED = (
    *(
        "total.read",
        "vault.read",
        "vault.read",
        "news.read",
        "shop.read:a",
        "shop.read:*",
        "room.read:a",
        "room.read:b",
    ),
    *("room.read:*", "den.read:*"),
)
"""What is granted and revoked."""


def source(version: int) -> str:
    """The file that is saved; every other version of it requires something else of one view."""
    return FLOOR.format(version=version)


def lock(version: int) -> str:
    """What that view requires."""
    return "total.read" if version % 2 else "vault.read"


def seat(number: int, sockets_a_user: int) -> Seat:
    """Where somebody sits: a user's sockets differ in format, and every tenth is slow."""
    user, slow = number // sockets_a_user, number % 20 in {3, 12}
    shop, room, den = "ab"[user % 2], ROOMS[user // 2 % 2], user % DENS
    shared = (
        Want("watch", "floor.total", None, None),
        Want("watch", "floor.shelf", {"shop": shop}, (f"shop.read:{shop}",)),
    )
    personal = (
        Want("watch", "floor.mine", None, ("vault.read",)),
        Want("watch", "floor.seat", None, ("total.read",)),
        Want("watch", "floor.me"),
    )
    topics = (
        Want("join", f"room.{room}", None, (f"room.read:{room}",)),
        Want("join", f"den.{den}", None, (f"den.read:{den}",)),
        Want("join", "hall"),
    )
    flow = Want("call", "floor.flow", {"every": 0.1 if slow else 0.5, "pad": 20}, ("vault.read",), "?credit=1000000")
    fill = Want("call", "floor.fill", {"every": 0.1, "pad": 4000}, (), "?credit=1000000")
    flood = Want("call", "floor.flow", {"every": 0.1, "pad": 4000}, ("vault.read",), "?credit=1000000")
    wants = (
        shared[number // 3 % 2],
        personal[number % 3],
        *(topics[which] for which in range(3) if (number + which) % 4),
        *([flow] if slow or number % 8 == 0 else []),
        *([fill if number % 3 else flood] if slow else []),
    )
    calls = (
        Want("call", "floor.read", {"pause": 0.1 * (number % 7)}, ("vault.read",)),
        Want("call", "floor.stock", {"shop": shop}, (f"shop.read:{shop}",)),
    )
    return Seat(f"u{user}", number % 2 == 1, number % 3 == 0, slow, wants, calls)


def expected(seat: Seat, lock: str) -> dict[str, set[str]]:
    """What comes to somebody in a round in which everything changes, and what it takes."""
    wants = {want.label: {lock} if want.needs is None else set(want.needs) for want in seat.wants}
    watched = {label: wants[label] for label in (want.label for want in seat.wants if want.verb == "watch")}
    said = {f"{want.name} floor.said": set(want.needs or ()) for want in seat.wants if want.verb == "join"}
    news = {f"{want.name} floor.news": {"news.read", *(want.needs or ())} for want in seat.wants if want.verb == "join"}
    return watched | said | news | {"floor.cast": {"news.read"}, "floor.sent": {"total.read"}}


def everything() -> tuple[list[str], list[str]]:
    """The keys and topics of such a round."""
    keys = ["total", "mine", "seat", "me", *(f"shelf/{room}" for room in ROOMS)]
    topics = ["-", "hall", *chain((f"room.{room}" for room in ROOMS), (f"den.{den}" for den in range(DENS)))]
    return keys, topics
