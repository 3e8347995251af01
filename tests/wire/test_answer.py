"""Frames built from payload bytes."""

import json

import msgspec
import pytest

from plugsock.errors import CODES
from plugsock.wire.answer import (
    bad_frame,
    error_frame,
    fault,
    fault_payload,
    notice_frame,
    push_frame,
    welcome_frame,
)


def test_an_error_that_belongs_to_no_call_has_the_id_0():
    assert error_frame(b"", b"{}") == b"error 0 {}"
    assert error_frame(b"7", b"{}") == b"error 7 {}"


def test_a_push_names_topic_and_event():
    assert push_frame(b"-", b"chat.message", b"{}") == b"push - chat.message {}"


def test_notices_and_welcomes_are_json():
    assert notice_frame(b"goodbye", {"retry_ms": 5}) == b'notice goodbye {"retry_ms":5}'
    assert welcome_frame(b"1", {"session": "s"}) == b'welcome 1 {"session":"s"}'


@pytest.mark.parametrize(("code", "retry"), CODES.items())
def test_a_code_says_whether_it_pays_to_try_again(code, retry):
    assert fault(code, "No.").retry is retry


def test_a_fault_says_more_where_there_is_more_and_always_whether_to_retry():
    assert json.loads(fault_payload(fault("timeout", "Late.", retry=True, after_ms=5), binary=False)) == {
        "code": "timeout",
        "message": "Late.",
        "retry": True,
        "after_ms": 5,
    }
    assert json.loads(fault_payload(fault("limit", "Full."), binary=False))["retry"] is False


def test_a_fault_is_encoded_as_the_frame_that_it_answers():
    assert msgspec.msgpack.decode(fault_payload(fault("gone", "Gone."), binary=True))["code"] == "gone"


@pytest.mark.parametrize(("id", "meant"), [(b"7", "7"), (None, None)])
def test_a_bad_frame_names_the_id_that_was_meant(id, meant):
    frame = bad_frame("No.", id, binary=False)
    assert frame.startswith(b"error 0 ")
    assert json.loads(frame.removeprefix(b"error 0 ")).get("id") == meant
