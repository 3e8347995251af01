from plugsock.gateway.life import Life, Verdict
from plugsock.gateway.limits import Limits

FINE, PING, DEAD = Verdict.FINE, Verdict.PING, Verdict.DEAD


def life():
    return Life(0.0, Limits(ping_s=25.0, pong_s=10.0))


def test_nothing_happens_before_it_is_due():
    client = life()
    assert client.look(24.9, deaf=False) is FINE
    assert client.due == 25.0


def test_a_client_that_answers_is_pinged_every_25_seconds():
    client = life()
    for start in (25.0, 50.0, 75.0):
        assert client.look(start, deaf=False) is PING
        client.heard = True
        assert client.look(start + 10.0, deaf=False) is FINE
        assert client.due == start + 25.0


def test_what_was_heard_before_the_ping_is_no_answer():
    client = life()
    client.heard = True
    assert client.look(25.0, deaf=False) is PING
    assert client.look(35.0, deaf=False) is DEAD


def test_a_client_that_is_not_read_from_is_not_dead():
    client = life()
    assert client.look(25.0, deaf=True) is PING
    assert client.look(35.0, deaf=True) is FINE
