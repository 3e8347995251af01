"""Which calls get made-up answers, and who shares a view that does."""

import json

import pytest

from plugsock.gateway.mocking import fits
from plugsock.model import Kind
from plugsock.rpc.frames import MOCK, VIEW
from plugsock.rpc.views import Told, encode
from support.scripted import Stage, announce
from support.viewed import Clock, asked_of, view


@pytest.mark.parametrize(
    ("pattern", "event", "does"),
    [
        ("*", "orders.place", True),
        ("orders.*", "orders.place", True),
        ("orders.*", "order", False),
        ("orders.place", "orders.place", True),
        ("orders.place", "orders.place2", False),
        ("*", "@authenticate", False),
    ],
)
def test_what_a_pattern_fits(pattern, event, does):
    assert fits(pattern, event) is does


def flags(stage, *frames, hello=None):
    client = stage.client()
    welcome = client.hello(**hello) if hello is not None else {}
    for frame in frames:
        client.say(frame)
    found = [call.flags for call in stage.link.calls]
    stage.link.calls.clear()
    return found, welcome.get("mock")


EVENTS = (announce("orders.place"), announce("stock.count"), announce("orders.follow", kind=Kind.STREAM))
FRAMES = ("call 2 orders.place 1", "call 3 stock.count 1", "call 4 orders.follow 1")


async def test_nothing_is_made_up_unless_somebody_says_so():
    assert flags(Stage(*EVENTS), *FRAMES, hello={}) == ([0, 0, 0], None)


async def test_the_owner_says_so_for_everybody():
    stage = Stage(*EVENTS, mock=("orders.*",))

    assert flags(stage, *FRAMES) == ([MOCK, 0, MOCK], None)
    assert flags(stage, *FRAMES, hello={}) == ([MOCK, 0, MOCK], ["orders.*"])


async def test_a_client_says_so_for_itself():
    stage = Stage(*EVENTS, dev=True)

    assert flags(stage, *FRAMES, hello={"mock": ["stock.*"]}) == ([0, MOCK, 0], ["stock.*"])
    assert flags(stage, *FRAMES, hello={}) == ([0, 0, 0], None)


async def test_both_are_in_force_and_each_is_said_once():
    stage = Stage(*EVENTS, dev=True, mock=("orders.place",))

    found = flags(stage, *FRAMES, hello={"mock": ["orders.place", "stock.count", "stock.count"]})
    assert found == ([MOCK, MOCK, 0], ["orders.place", "stock.count"])


async def test_a_frame_says_so_for_itself():
    frames = ("call 2 orders.place?mock 1", "call 3 stock.count 1", "call 4 orders.follow?mock=1 1")

    assert flags(Stage(*EVENTS, dev=True), *frames, hello={}) == ([MOCK, 0, MOCK], None)


async def test_without_dev_no_wish_is_heeded():
    frames = ("call 2 orders.place?mock 1", *FRAMES[1:])

    assert flags(Stage(*EVENTS), *frames, hello={"mock": ["*"]}) == ([0, 0, 0], None)


async def test_who_comes_back_says_anew_what_is_made_up():
    stage = Stage(*EVENTS, dev=True)
    client = stage.client()
    key = client.hello(mock=["*"])["resume"]
    client.leave()

    again = stage.client()
    assert "mock" not in again.hello(resume=key)
    again.say("call 2 orders.place 1")
    assert stage.link.calls[-1].flags == 0


@pytest.mark.parametrize("mock", [["a b"], ["orders.*.x"], [""], "*", ["a"] * 129])
async def test_what_is_no_pattern_is_refused(mock):
    client = Stage(*EVENTS).client()
    client.say(b"hello 1 plugsock " + json.dumps({"mock": mock}).encode())

    assert client.faults() == [("1", "bad_payload")]


# Views.


def watching(*says, **settings):
    stage = Stage(view(), **settings)
    clients = [stage.client() for _ in says]
    for client, say in zip(clients, says, strict=True):
        client.hello()
        client.say(say)
    return stage


def runs(stage):
    """The runs that were asked for; the arguments all have the same name."""
    found = []
    while stage.link.calls:
        call = stage.link.calls.pop(0)
        if asked_of(call).only_named:
            stage.gateway.answer(call.sequence, 0, encode(Told(name=b"x")), 0.0, None)
        else:
            found.append(call)
    return found


async def test_who_watches_what_is_made_up_shares_nothing_with_others():
    stage = watching("watch 2 v", "watch 2 v?mock", "watch 2 v?mock", "watch 2 v", dev=True)

    assert [call.flags for call in runs(stage)] == [VIEW, VIEW | MOCK]


async def test_what_is_made_up_changes_by_itself(monkeypatch):
    clock = Clock(monkeypatch)
    stage = watching("watch 2 v", mock=("*",))
    numbers = []
    for _ in range(3):
        [call] = runs(stage)
        numbers.append(asked_of(call).number)
        stage.gateway.answer(call.sequence, 0, encode(Told(json=b"1", again_s=3.0)), 0.0, None)
        await clock.wait(2.9)
        assert runs(stage) == []
        await clock.wait(0.1)

    assert numbers == [0, 1, 2]


async def test_what_is_made_up_does_not_follow_what_the_real_view_does(monkeypatch):
    clock = Clock(monkeypatch)
    stage = Stage(view(on=("orders",), every_s=0.1), mock=("*",))
    client = stage.client()
    client.say("watch 1 v")
    [call] = runs(stage)
    stage.gateway.answer(call.sequence, 0, encode(Told(json=b"1", again_s=3.0)), 0.0, None)

    stage.gateway.views.touch(["orders"])
    await clock.wait(1.0)
    assert runs(stage) == []
