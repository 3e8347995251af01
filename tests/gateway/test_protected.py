"""Frames that know what it takes to see them."""

import msgspec
import pytest

from plugsock.gateway.protected import Protected, may_see, revoked
from plugsock.hub.rights import NOBODY, Rights

NEEDS = (("a",),)


def test_it_is_the_frame_and_what_it_takes_to_see_it():
    frame = Protected(b"ok 7 1", NEEDS)
    assert frame == b"ok 7 1"
    assert not may_see(NOBODY, frame)
    assert may_see(Rights(["a"]), frame)
    assert not may_see(Rights(["*"], ["a"]), frame)


def test_what_is_not_protected_is_for_everybody():
    assert may_see(NOBODY, b"ok 7 1")


@pytest.mark.parametrize("frame", [b"ok 7", b"ok 7 {}", b"error 7 {}"])
@pytest.mark.parametrize("binary", [False, True])
def test_an_answer_is_replaced_by_one_in_its_format(frame, binary):
    verb, id, payload = revoked(binary, Protected(frame, NEEDS)).split(b" ", 2)
    assert (verb, id) == (b"error", b"7")
    assert (msgspec.msgpack if binary else msgspec.json).decode(payload)["code"] == "revoked"


@pytest.mark.parametrize("frame", [b"item 7 {}", b"push - news {}"])
def test_what_is_no_answer_is_not_replaced(frame):
    assert revoked(False, Protected(frame, NEEDS)) is None
