import pytest

from plugsock.wire import codes
from plugsock.wire.close import REASON_LIMIT, Violation, close_code, close_payload


@pytest.mark.parametrize("code", [1001, 1005, 1006, 1011, 1012, 1013, 4000, 4001, 4002, 4003, 4005, 4499])
def test_a_client_comes_back_after_what_passes(code):
    assert codes.may_come_back(code)


@pytest.mark.parametrize("code", [1000, 1002, 1003, 1007, 1008, 1009, 1010, 3000, 3999, 4500, 4501, 4502, 4999, 5000])
def test_a_client_stays_away_after_what_lasts(code):
    assert not codes.may_come_back(code)


def test_every_named_code_has_a_meaning():
    named = {
        value for name, value in vars(codes).items() if name.isupper() and isinstance(value, int) and name[0] != "_"
    }
    assert named == set(codes.MEANINGS)


def test_every_meaning_is_one_line():
    assert all(meaning and "\n" not in meaning for meaning in codes.MEANINGS.values())


@pytest.mark.fault("W9")
@pytest.mark.parametrize("code", [-1, 0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535])
def test_codes_that_must_not_be_sent(code):
    assert not codes.may_be_sent(code)


@pytest.mark.parametrize("code", [1000, 1003, 1007, 1014, 3000, 4000, 4999])
def test_codes_that_may_be_sent(code):
    assert codes.may_be_sent(code)


def test_a_close_payload_reads_as_it_was_built():
    assert close_code(close_payload(4000, "gr\u00fc\u00dfe")) == 4000


def test_a_close_frame_without_payload_has_no_status():
    assert close_code(b"") == codes.NO_STATUS


@pytest.mark.parametrize("reason", ["x" * 200, "\u20ac" * 60, "x" + "\U0001f600" * 40])
def test_a_long_reason_is_cut_between_characters(reason):
    cut = close_payload(1000, reason)[2:].decode()
    assert reason.startswith(cut)
    assert REASON_LIMIT - 3 <= len(cut.encode()) <= REASON_LIMIT


def test_a_reason_that_is_no_unicode_is_still_sent():
    assert close_payload(1000, "\ud800")[2:] == b"?"


def test_a_violation_has_code_and_reason():
    violation = Violation(1002, "why")
    assert (violation.code, violation.reason) == (1002, "why")
