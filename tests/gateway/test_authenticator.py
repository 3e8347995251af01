"""Who somebody is, as the worker says; whatever goes wrong, nobody is let in."""

import json

import pytest

from plugsock.gateway.authenticator import UNAVAILABLE, Authenticator
from plugsock.model import AUTHENTICATE, Fault, Hello, Problem, User
from support.identified import guarded, known
from support.scripted import Stage, announce


def ask(stage, hello=None):
    verdicts = []
    Authenticator(stage.gateway.routes, stage.gateway.calls).ask(hello or Hello(), verdicts.append)
    return verdicts


def verdict(stage, result=None, *, error=""):
    verdicts = ask(stage)
    stage.answer(stage.link.calls.pop(), result, error=error)
    return verdicts


async def test_the_worker_gets_what_was_shown():
    stage = guarded()
    ask(stage, Hello("abc", {"x": "1"}, {}, "127.0.0.1:5", None))
    [call] = stage.link.calls
    assert json.loads(call.payload)["hello"]["token"] == "abc"
    assert (call.event, call.socket) == (AUTHENTICATE, "")


async def test_a_user_is_a_user_and_none_is_nobody():
    stage = guarded()
    assert verdict(stage, known("ada", ["a.*"], 5.0)) == [User("ada", frozenset({"a.*"}), 5.0)]
    assert verdict(stage, None) == [None]


@pytest.mark.parametrize(
    "result",
    [
        1,
        "ada",
        {"permissions": []},
        known(""),
        known("x" * 256),
        known("ada", ["a b"]),
        known("ada", ["*.a"]),
        [],
        True,
    ],
)
async def test_what_is_no_user_is_no_verdict(result):
    assert verdict(guarded(), result) == [UNAVAILABLE]


@pytest.mark.parametrize(
    "code",
    ["plug_error", "timeout", "worker_lost", "overloaded", "quarantined", "gone", "bad_payload", "not_implemented"],
)
async def test_an_authenticator_that_fails_says_nothing_about_who_wants_in(code):
    assert verdict(guarded(), error=code) == [UNAVAILABLE]


async def test_its_own_word_is_passed_on():
    [said] = verdict(guarded(), error="no_such_tenant")
    assert isinstance(said, Fault)
    assert said.code == "no_such_tenant"


async def test_without_one_nobody_can_tell():
    assert ask(Stage(announce("a", requires=(("p",),)))) == [UNAVAILABLE]


async def test_a_default_one_does_not_stand_in_for_ones_own_that_is_broken():
    stage = Stage()
    problem = Problem("auth.py", 1, "It is broken.", (AUTHENTICATE,))
    stage.swap(announce(AUTHENTICATE, origin="embedded"), problems=[problem])
    assert ask(stage) == [UNAVAILABLE]
    stage.swap()
    assert ask(stage) == []
    assert len(stage.link.calls) == 1


async def test_one_that_does_not_answer_in_time_is_no_verdict(monkeypatch):
    stage = guarded(timeout_s=0.01)
    verdicts = ask(stage)
    [call] = stage.link.calls
    await stage.link.hears("cancel", call.sequence)
    assert verdicts == [UNAVAILABLE]
    stage.answer(call, known())
    assert verdicts == [UNAVAILABLE]
