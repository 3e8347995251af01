"""A gateway that asks who people are: the worker's part, the verdict, is spoken by the test."""

import json
from collections.abc import Iterable

import msgspec

from plugsock.model import AUTHENTICATE, Announcement, Kind
from plugsock.rpc.frames import Call
from support.scripted import Client, Stage, announce

READ = (("orders.read",),)
ORDERS = announce("orders", requires=READ)
FEED = announce("feed", kind=Kind.STREAM, requires=READ)
OPEN = announce("open")


def guarded(*events: Announcement, **settings: object) -> Stage:
    """A gateway with an authenticator and these events."""
    return Stage(announce(AUTHENTICATE), *events, **settings)


def question(stage: Stage) -> Call:
    """The latest question who somebody is."""
    call = stage.link.calls.pop()
    assert call.event == AUTHENTICATE
    return call


def known(id: str = "ada", permissions: Iterable[str] = (), expires: float | None = None) -> dict:
    """A verdict."""
    return {"id": id, "permissions": list(permissions), "expires": expires}


def enter(stage: Stage, client: Client, verdict: dict | None = None, **hello: object) -> dict:
    """Say hello and be known; what `welcome` said."""
    client.say(b"hello 1 plugsock " + msgspec.json.encode(hello))
    stage.answer(question(stage), verdict or known())
    welcome, *rest = client.wire.frames
    client.wire.frames = rest
    assert welcome[1].startswith(b"welcome 1 "), welcome
    return json.loads(welcome[1].removeprefix(b"welcome 1 "))


def reader(stage: Stage, user: str = "ada", **hello: object) -> Client:
    """Somebody who may read orders."""
    client = stage.client()
    enter(stage, client, known(user, ["orders.*"]), **hello)
    return client


def refresh(stage: Stage, client: Client, verdict: dict | None, id: int = 1000) -> None:
    """Send a new token, which is found to be this user's."""
    client.say(f'token {id} plugsock {{"token":"new"}}')
    stage.answer(question(stage), verdict)
