"""Ids, open calls and kept answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugsock.wire.session import MAX_ANSWER_BYTES, MAX_ANSWERS, NEXT, Outcome, Session, State


def opened() -> Session[str]:
    session: Session[str] = Session()
    session.step(b"hello")
    return session


def test_hello_is_the_first_verb_or_none():
    session: Session[str] = Session()
    assert session.takes(b"hello")
    session.step(b"ping")
    assert session.state is State.ANONYMOUS
    assert not session.takes(b"hello")


def test_a_verb_that_is_not_due_changes_nothing():
    session: Session[str] = Session()
    session.step(b"token")
    assert session.state is State.NEW


def test_a_lost_session_is_taken_up_by_hello_alone():
    assert NEXT[State.LOST] == {b"hello": State.OPEN}


def test_an_open_id_is_not_opened_twice():
    session: Session[str] = Session()
    session.step(b"call")
    session.calls[b"7"] = "open"
    assert session.admit(b"7")
    del session.calls[b"7"]
    assert session.admit(b"7") is None


def test_ids_grow_by_number_not_by_text():
    session = opened()
    assert [session.admit(id) for id in (b"2", b"9", b"10", b"100")] == [None] * 4
    assert "100" in (session.admit(b"99") or "")


@given(st.lists(st.integers(1, 10**16 - 1), max_size=20))
def test_an_id_is_admitted_exactly_if_it_is_the_highest_so_far(numbers):
    session = opened()
    highest = 0
    for number in numbers:
        assert (session.admit(b"%d" % number) is None) == (number > highest)
        highest = max(highest, number)


def test_the_outcome_of_an_id_is_told_from_the_server_s_side():
    session = opened()
    for id in (b"1", b"2", b"3"):
        session.admit(id)
    session.calls[b"2"] = "open"
    session.keep(b"1", False, b"ok 1 true")
    assert session.outcome(b"1") == (b"1", False, b"ok 1 true")
    assert session.outcome(b"2") is Outcome.RUNNING
    assert session.outcome(b"3") is Outcome.UNKNOWN
    assert session.outcome(b"4") is Outcome.NOT_RECEIVED


def test_ids_count_on_from_those_that_were_used_elsewhere():
    session = opened()
    session.reach([b"9", b"10"])
    session.reach([b"2"])
    session.reach([])
    assert session.admit(b"10")
    assert session.admit(b"11") is None


def test_an_anonymous_session_keeps_no_answers():
    session: Session[str] = Session()
    session.step(b"call")
    session.keep(b"1", False, b"ok 1")
    assert not isinstance(session.outcome(b"1"), tuple)


@pytest.mark.fault("R11")
@given(st.lists(st.sampled_from([10, 5_000, 100_000, MAX_ANSWER_BYTES, MAX_ANSWER_BYTES + 1]), max_size=100))
def test_the_last_answers_are_kept_up_to_a_number_and_a_size(sizes):
    session = opened()
    ids = [b"%d" % number for number in range(1, len(sizes) + 1)]
    for id, size in zip(ids, sizes, strict=True):
        session.admit(id)
        session.keep(id, True, b"x" * size)
    kept = [id for id in ids if isinstance(session.outcome(id), tuple)]
    ids = [id for id, size in zip(ids, sizes, strict=True) if size <= MAX_ANSWER_BYTES]  # a larger one is never kept
    sizes = [size for size in sizes if size <= MAX_ANSWER_BYTES]
    assert kept == ids[len(ids) - len(kept) :]
    assert len(kept) <= MAX_ANSWERS
    total = sum(sizes[len(sizes) - len(kept) :])
    assert total <= MAX_ANSWER_BYTES
    if len(kept) < min(len(ids), MAX_ANSWERS):
        assert total + sizes[len(sizes) - len(kept) - 1] > MAX_ANSWER_BYTES


@pytest.mark.parametrize("state", State)
def test_every_state_has_a_row(state):
    assert state in NEXT


def withhold_secrets(session):
    """Take back what says so; `ok` is replaced."""
    session.withhold(
        lambda frame: b"secret" not in frame, lambda binary, frame: b"error" if frame.startswith(b"ok") else None
    )


def test_a_kept_answer_that_may_not_be_seen_any_more_is_replaced_or_forgotten():
    session = opened()
    for id, frame in ((b"1", b"ok 1 2"), (b"2", b"ok 2 secret"), (b"3", b"error 3 secret")):
        session.admit(id)
        session.keep(id, True, frame)
    withhold_secrets(session)
    assert session.outcome(b"1") == (b"1", True, b"ok 1 2")
    assert session.outcome(b"2") == (b"2", True, b"error")
    assert session.outcome(b"3") is Outcome.UNKNOWN


def test_answers_are_bounded_after_some_were_taken_back_as_before():
    session = opened()
    session.keep(b"1", False, b"ok 1 secret")
    withhold_secrets(session)
    for number in range(2, MAX_ANSWERS + 3):
        session.admit(b"%d" % number)
        session.keep(b"%d" % number, False, b"ok")
    assert session.outcome(b"2") is Outcome.UNKNOWN
    assert isinstance(session.outcome(b"%d" % (MAX_ANSWERS + 2)), tuple)


def test_a_session_that_keeps_nothing_has_nothing_to_take_back():
    session: Session[str] = Session()
    withhold_secrets(session)
    session.step(b"hello")
    session.keep(b"1", False, b"ok 1")
    assert session.outcome(b"1") == (b"1", False, b"ok 1")
