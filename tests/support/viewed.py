"""A gateway whose views are watched: the worker's part, what a run has returned and read, is spoken by the test."""

import asyncio
import json

import msgspec
import pytest

from plugsock.model import Announcement, Fault, Kind, Watching
from plugsock.rpc import views
from plugsock.rpc.frames import ERROR, OK, VIEW, Call, Touch
from plugsock.rpc.views import Asked, Told
from support.scripted import Client, Stage, announce

NOTHING = object()


def view(event: str = "v", revision: str = "r1", *, requires: tuple = (), timeout=None, **watching) -> Announcement:
    """A view as a worker would announce it."""
    return announce(
        event,
        revision,
        Kind.VIEW,
        requires=requires,
        timeout=timeout,
        idempotent=True,
        view=Watching(**watching),
    )


class Runs:
    """What the worker is asked of views, and answers.

    Attributes:
        names: The payloads whose names were asked for, in order.
    """

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.names: list[bytes] = []

    def take(self) -> list[Call]:
        """The runs that were asked for and not taken yet; names are told at once, `{"a":1}` and `{ "a": 1 }` the same."""
        found: list[Call] = []
        calls = self.stage.link.calls
        while calls:
            call = calls.pop(0)
            assert call.flags == VIEW
            asked = asked_of(call)
            if not asked.only_named:
                found.append(call)
                continue
            self.names.append(asked.arguments)
            decode = msgspec.msgpack.decode if call.format else msgspec.json.decode
            value = decode(asked.arguments) if asked.arguments else {}
            self.tell(call, name=b"name of " + msgspec.json.encode(value))
        return found

    def one(self) -> Call:
        """The one run that was asked for."""
        [call] = self.take()
        return call

    def value(self, value: object = NOTHING, call: Call | None = None, *, reads: tuple = (), **told) -> Call:
        """Let the one run that was asked for return something."""
        call = call or self.one()
        msgpack = msgspec.msgpack.encode(value) if asked_of(call).msgpack else None
        self.tell(call, json=msgspec.json.encode(value), msgpack=msgpack, reads=list(reads), **told)
        return call

    def fault(self, code: str = "own", call: Call | None = None, *, message: str = "No.", reads: tuple = ()) -> Call:
        """Let it raise something."""
        call = call or self.one()
        self.tell(call, fault=msgspec.json.encode(Fault(code, message)), reads=list(reads))
        return call

    def refuse(self, code: str, call: Call | None = None, **more) -> Call:
        """Let it not run at all."""
        call = call or self.one()
        encode = msgspec.msgpack.encode if call.format else msgspec.json.encode
        reason = encode(Fault(code, "No.", **more))
        self.stage.gateway.answer(call.sequence, ERROR, reason, 0.001, None)
        return call

    def tell(self, call: Call, **told) -> None:
        self.stage.gateway.answer(call.sequence, OK, views.encode(Told(**told)), 0.001, None)

    def touch(self, *keys: str) -> None:
        """Let a plug say that something has changed."""
        self.stage.gateway.emit(Touch(list(keys)))


def asked_of(call: Call) -> Asked:
    return views.read_asked(call.payload)


def told(client: Client) -> list[tuple]:
    """What came of views since the last time, as (verb, id, value); of a fault or an error the code is the value."""
    found = []
    frames, client.wire.frames = client.wire.frames, []
    for binary, frame in frames:
        verb, id, payload = frame.split(b" ", 2)
        value = msgspec.msgpack.decode(payload) if binary else json.loads(payload)
        found.append((verb.decode(), id.decode(), value["code"] if verb in {b"fault", b"error"} else value))
    return found


def item(value: object, id: int = 1) -> list[tuple]:
    return [("item", str(id), value)]


def is_empty(stage: Stage) -> bool:
    """Is nothing left of any view?"""
    every = stage.gateway.views
    changes = every._changes
    return not (
        every._lives
        or every._watches
        or every._naming._asked
        or changes._read
        or changes._at
        or changes._below
        or changes._running
        or changes._latest
        or stage.gateway.calls.by_sequence
        or any(lane.open for lane in stage.gateway.calls._deadlines._lanes.values())
    )


class Clock:
    """The loop's time, which stands still but for `wait`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        loop = asyncio.get_running_loop()
        self.now = loop.time()
        monkeypatch.setattr(loop, "time", lambda: self.now, raising=False)

    async def wait(self, seconds: float) -> None:
        """Let time pass, and what is due happen."""
        self.now += seconds + 1e-6  # a sum of floats may come out a little short
        for _ in range(3):
            await asyncio.sleep(0)
