import pytest

from plugsock.pool.documents import NOTHING
from plugsock.rpc.frames import Document
from support.scripted import announce
from support.staffed import Workplace

URL = "ws://127.0.0.1:8765"
SCHEMA = Document(b"{}", [])


@pytest.fixture
async def place():
    place = Workplace()
    place.hire()
    place.serve(announce("quick"))
    return place


def asked(worker):
    return [said for said in worker.heard() if said[0] == "document"]


async def test_a_worker_that_serves_what_is_committed_is_asked(place):
    (one,) = place.ready()
    joining = place.join()
    place.pool.document(4, "schema", URL)

    assert asked(one) == [("document", 4, "schema", URL)]
    assert asked(joining) == []
    one.member.documented(4, SCHEMA)
    assert place.sink.documents() == {4: SCHEMA}


async def test_it_is_the_one_that_has_the_least_to_do(place):
    (one,) = place.ready()
    two = place.hire()
    place.call("quick")
    busy, idle = (one, two) if one.calls else (two, one)
    place.pool.document(4, "types", URL)

    assert (len(asked(busy)), len(asked(idle))) == (0, 1)


async def test_without_any_that_does_there_is_none():
    place = Workplace()
    place.pool.document(4, "schema", URL)

    assert place.sink.documents() == {4: NOTHING}


async def test_when_it_ends_nobody_waits_any_longer(place):
    (one,) = place.ready()
    two = place.hire()
    place.pool.document(4, "schema", URL)
    place.pool.document(5, "types", URL)
    first, second = (one, two) if asked(one) else (two, one)
    place.bury(first)

    assert place.sink.documents()[4] == NOTHING
    assert asked(second) == []


async def test_what_was_not_asked_is_nobodys_business(place):
    (one,) = place.ready()
    two = place.hire()
    place.pool.document(4, "schema", URL)
    other = two if asked(one) else one
    other.member.documented(4, SCHEMA)
    other.member.documented(9, SCHEMA)

    assert place.sink.documents() == {}
