import msgspec
import pytest

from plugsock.model import JSON, MSGPACK, Fault
from plugsock.pool import refusals
from plugsock.rpc.frames import Call


def call(format=JSON):
    return Call(1, "report", "r1", format, "s1", 0, 0, 32, "", "", "", b"")


def read(payload, format=JSON):
    return (msgspec.json if format == JSON else msgspec.msgpack).decode(payload, type=Fault)


@pytest.mark.parametrize("format", [JSON, MSGPACK])
def test_a_refusal_is_in_the_format_of_its_call(format):
    found = read(refusals.refusal(call(format), "gone", "It was removed."), format)

    assert (found.code, found.message) == ("gone", "It was removed.")


def test_the_gateways_own_calls_say_true_and_false_for_their_format():
    assert read(refusals.gone(call(True)), MSGPACK).code == read(refusals.gone(call(False))).code == "gone"


@pytest.mark.parametrize(
    ("started", "idempotent", "retry"),
    [(True, False, False), (True, True, True), (False, False, True), (False, True, True)],
)
def test_what_was_lost_may_be_tried_again_if_it_had_not_begun_or_may_run_twice(started, idempotent, retry):
    found = read(refusals.lost(call(), started=started, idempotent=idempotent))

    assert (found.code, found.started, found.retry) == ("worker_lost", started, retry)
    assert "report" in found.message


def test_who_is_overloaded_says_when_to_come_again():
    found = read(refusals.overloaded(call(), 500))

    assert (found.code, found.after_ms, found.retry) == ("overloaded", 500, True)


def test_what_is_in_quarantine_is_not_tried_again():
    found = read(refusals.quarantined(call()))

    assert (found.code, found.retry) == ("quarantined", False)
