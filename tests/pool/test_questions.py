import pytest

from plugsock.model import Member, Reach
from plugsock.rpc.frames import Grant, Members, Reply, Revoke
from support.recording import Asked
from support.scripted import announce
from support.staffed import Workplace

PROMOTE = Grant("ada", "orders.approve")
DEMOTE = Revoke("ada", "orders.*", 5.0)


@pytest.fixture
async def place():
    place = Workplace()
    place.hire()
    place.serve(announce("quick"))
    return place


@pytest.fixture
def one(place):
    return place.ready()[0]


@pytest.fixture
async def two(place, one):
    return place.hire()


def told(worker):
    return [said for said in worker.heard() if said[0] == "told"]


async def test_a_question_goes_on_in_the_name_of_the_gateways_own_call(place, one):
    place.call("quick")
    place.call("quick")
    one.answer(1)
    three = place.call("quick")
    one.member.ask(1, 3, PROMOTE)

    assert place.sink.questions() == [Asked(1, three, PROMOTE)]


async def test_one_that_comes_from_no_call_any_more_goes_on_too(place, one):
    one.member.ask(1, 0, DEMOTE)

    assert place.sink.questions() == [Asked(1, 0, DEMOTE)]


async def test_the_questions_of_all_workers_have_numbers_of_their_own_and_each_gets_its_answer(place, one, two):
    for worker, number in ((one, 1), (two, 1), (two, 2), (one, 2)):
        worker.member.ask(number, 0, PROMOTE)
    asked = [question.number for question in place.sink.questions()]
    assert len({*asked}) == 4

    for number in reversed(asked):
        place.pool.told(number, Reply(Reach(number)))

    assert told(one) == [("told", 2, Reply(Reach(asked[3]))), ("told", 1, Reply(Reach(asked[0])))]
    assert told(two) == [("told", 2, Reply(Reach(asked[2]))), ("told", 1, Reply(Reach(asked[1])))]


async def test_who_is_in_a_topic_comes_back_as_it_was_told(place, one):
    there = Reply(Reach(), members=[Member("ada", "ada", 2, {"mood": "hungry"})])
    place.sink.hear = lambda asked: place.pool.told(asked.number, there)
    one.member.ask(7, 0, Members("room"))

    assert place.sink.questions() == [Asked(1, 0, Members("room"))]
    assert told(one) == [("told", 7, there)]


async def test_a_gateway_may_answer_at_once(place, one):
    place.sink.hear = lambda asked: place.pool.told(asked.number, Reply(Reach(), "no"))
    one.member.ask(7, 0, PROMOTE)

    assert told(one) == [("told", 7, Reply(Reach(), "no"))]


async def test_an_answer_is_given_once(place, one):
    one.member.ask(7, 0, PROMOTE)
    for _ in range(2):
        place.pool.told(1, Reply(Reach()))

    assert len(told(one)) == 1


async def test_what_a_call_asks_for_after_it_was_ended_is_not_done(place, one):
    place.pool.cancel(place.call("quick"))
    one.member.ask(1, 1, PROMOTE)
    one.end()
    one.member.ask(2, 1, PROMOTE)

    assert place.sink.questions() == []


async def test_what_a_call_has_asked_for_is_answered_though_it_was_ended_meanwhile(place, one):
    sequence = place.call("quick")
    one.member.ask(1, 1, PROMOTE)
    place.pool.cancel(sequence)
    place.pool.told(1, Reply(Reach(1)))

    assert told(one) == [("told", 1, Reply(Reach(1)))]


async def test_a_worker_that_has_died_is_told_nothing_and_another_gets_no_answer_of_it(place, one, two):
    one.member.ask(1, 0, PROMOTE)
    two.member.ask(1, 0, DEMOTE)
    place.bury(one)

    for question in place.sink.questions():
        place.pool.told(question.number, Reply(Reach()))

    assert told(one) == []
    assert len(told(two)) == 1


async def test_nothing_is_kept_of_a_question_that_has_come_to_its_end(place, one, two):
    for number in range(3):
        one.member.ask(number, 0, PROMOTE)
        two.member.ask(number, 0, PROMOTE)
    place.bury(one)
    for question in place.sink.questions():
        place.pool.told(question.number, Reply(Reach()))

    assert place.pool._questions._open == {}
