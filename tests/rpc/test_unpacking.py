"""Payloads that come beside their messages: which message a parcel belongs to, and what is wrong with one."""

import pytest

from plugsock.rpc import batches
from plugsock.rpc.unpacking import unpack

BEGAN = batches.Began(7, "greet", "5e0c1a22", 0, "s1", 0, 0, 0, "", "", "", b"")


def test_a_parcel_is_the_payload_of_the_message_after_it():
    asked = []

    def take(*asking):
        asked.append(asking)
        return b"long"

    for message in (batches.Answer(7, 0, b"", 0.5, None), batches.Item(7, b""), BEGAN):
        assert unpack(batches.Parcel(3, 4), message, take, 4).payload == b"long"
        assert message.payload == b"long"
    assert asked == [(3, 4)] * 3


def lost(*_):
    raise FileNotFoundError(2, "No such file or directory")


WRONG = {
    "the last one": (None, 4, "followed by nothing that has a payload"),
    "in front of another": (batches.Parcel(4, 4), 4, "followed by nothing that has a payload"),
    "in front of what has no payload": (batches.Ended(7), 4, "followed by nothing that has a payload"),
    "too long": (batches.Item(7, b""), 3, "a parcel of 4 bytes is longer than 3"),
    "not there": (batches.Item(7, b""), 4, "can't be taken: .*No such file"),
}


@pytest.mark.fault("K6")
@pytest.mark.parametrize("what", WRONG)
def test_a_parcel_that_belongs_to_nothing_or_is_not_there_is_a_violation(what):
    message, limit, why = WRONG[what]
    with pytest.raises(batches.Violation, match=why):
        unpack(batches.Parcel(3, 4), message, lost, limit)
