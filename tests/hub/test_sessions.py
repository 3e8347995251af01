"""Sessions that may be taken up again."""

import pytest

from plugsock.hub.sessions import KEEP_S, Sessions


def test_a_key_opens_its_session_once():
    sessions: Sessions[str] = Sessions()
    key = sessions.open("session")
    assert sessions.take(key) == "session"
    assert sessions.take(key) is None


def test_keys_are_long_and_differ():
    sessions: Sessions[int] = Sessions()
    keys = {sessions.open(number) for number in range(100)}
    assert len(keys) == 100
    assert min(map(len, keys)) >= 24


@pytest.mark.fault("R11")
def test_a_lost_session_expires_and_one_that_was_taken_up_does_not():
    sessions: Sessions[str] = Sessions()
    lost, taken, open_ = sessions.open("lost"), sessions.open("taken"), sessions.open("open")
    sessions.lost(lost, 0.0)
    sessions.lost(taken, 1.0)
    sessions.lost("unknown", 1.0)
    assert sessions.take(taken) == "taken"
    assert sessions.expire(KEEP_S - 0.1) == []
    assert sessions.waiting
    assert sessions.expire(KEEP_S) == ["lost"]
    assert not sessions.waiting
    assert sessions.take(open_) == "open"


@pytest.mark.fault("R11")
def test_the_oldest_lost_sessions_make_room(monkeypatch):
    monkeypatch.setattr("plugsock.hub.sessions.MAX_LOST", 2)
    sessions: Sessions[int] = Sessions()
    keys = [sessions.open(number) for number in range(4)]
    assert [sessions.lost(key, 0.0) for key in keys] == [[], [], [0], [1]]
    assert sessions.take(keys[0]) is None
