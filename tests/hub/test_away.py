"""What sessions were in whose socket has gone."""

from plugsock.hub.away import Away
from plugsock.hub.membership import Seat


def away(**seats: Seat) -> Away:
    away = Away(limit=2)
    away.keep("ada", seats)
    return away


def test_who_is_back_is_away_no_more():
    everybody = away(hall=Seat("ada", is_own=True, data=None))
    assert everybody.take("ada") == {"hall": Seat("ada", is_own=True, data=None)}
    assert everybody.take("ada") == {}
    assert len(everybody) == 0


def test_who_was_away_before_has_the_seats_of_then():
    everybody = away(hall=Seat("ada", is_own=True, data=None))
    everybody.keep("ada", {})
    assert set(everybody.take("ada")) == {"hall"}


def test_what_is_said_of_somebody_stays_until_something_else_is():
    everybody = away()
    everybody.put("ada", "hall", b"1")
    everybody.put("ada", "hall", None)
    assert everybody.take("ada")["hall"].data == b"1"


def test_nobody_is_put_into_more_topics_than_one_may_be_in():
    everybody = away()
    for topic in ("a", "b", "c"):
        everybody.put("ada", topic, None)
    everybody.take_out("ada", "a")
    assert set(everybody.take("ada")) == {"b"}


def test_who_is_not_away_is_put_nowhere():
    everybody = away()
    everybody.put("bob", "hall", None)
    everybody.take_out("bob", "hall")
    assert len(everybody) == 1
