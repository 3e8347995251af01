"""May a call be made, and may somebody be told that there is such an event?"""

from dataclasses import dataclass

import pytest

from plugsock.gateway.permission import in_words, may_know_of, permitted
from plugsock.gateway.refusal import Refused
from plugsock.hub.rights import NOBODY, Rights
from plugsock.model import Fault, User
from support.scripted import Stage, announce


@dataclass
class Somebody:
    user: User | None = None
    rights: Rights = NOBODY
    bar: Fault | None = None


ADA = User("ada")


def route(requires):
    return Stage(announce("a", requires=requires)).gateway.routes.by_name[b"a"]


def refusal(caller, requires, payload=b"{}"):
    with pytest.raises(Refused) as refused:
        permitted(caller, route(requires), payload, 0)
    return refused.value.reason


async def test_what_requires_nothing_is_everybodys():
    assert permitted(Somebody(), route(()), b"", 0) == ()


async def test_who_has_what_it_takes_is_let_through():
    ada = Somebody(ADA, Rights(["a", "c.*"]))
    assert permitted(ada, route((("a",), ("b", "c.d"))), b"", 0) == (("a",), ("b", "c.d"))


async def test_nobody_is_asked_to_say_who_they_are_and_somebody_is_told_what_is_missing():
    assert refusal(Somebody(), (("a",),)).code == "unauthorized"
    denied = refusal(Somebody(ADA, Rights(["b"])), (("a", "c"), ("b",)))
    assert (denied.code, denied.message) == ("forbidden", "You are not allowed to (a or c) and b.")


async def test_a_bar_holds_for_what_requires_nothing_too():
    bar = Fault("token_expired", "Over.")
    assert refusal(Somebody(ADA, Rights(["*"]), bar), ()) is bar


@pytest.mark.parametrize(
    ("requires", "words"), [((("a",),), "a"), ((("a", "b"),), "a or b"), ((("a", "b"), ("c",)), "(a or b) and c")]
)
def test_in_words(requires, words):
    assert in_words(requires) == words


@pytest.mark.parametrize(
    ("caller", "requires", "may"),
    [
        (Somebody(), (), True),
        (Somebody(), (("a",),), False),
        (Somebody(), (("a:{x}",),), False),
        (Somebody(ADA, Rights(["a"])), (("a",),), True),
        (Somebody(ADA, Rights(["a"])), (("a",), ("b",)), False),
        (Somebody(ADA, Rights(["a"])), (("b:{x}",),), True),
    ],
)
def test_who_may_know_of_an_event(caller, requires, may):
    assert may_know_of(caller, requires) is may
