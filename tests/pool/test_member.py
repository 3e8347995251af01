import pytest

from plugsock.model import Kind
from plugsock.pool.life import Event, State
from plugsock.pool.member import GRACE_S
from plugsock.rpc.frames import Broadcast, Kick, Send
from support.recording import Answer, Ended
from support.scripted import announce
from support.staffed import Workplace, turn


@pytest.fixture
async def place():
    place = Workplace()
    place.hire()
    place.serve(
        announce("quick"),
        announce("other"),
        announce("plain", in_thread=True),
        announce("feed", timeout=3.0),
        announce("rows", kind=Kind.STREAM, in_thread=True),
    )
    return place


@pytest.fixture
def worker(place):
    return next(iter(place.workers.values()))


def entry(place, event):
    return place.pool.committed.entries[event]


# What it takes.


def test_a_call_reaches_it_under_a_number_of_its_own(place, worker):
    place.call("other")
    place.call("quick", b'{"n":1}')

    assert worker.heard() == [("call", 1), ("call", 2)]
    assert (worker.calls[2].event, worker.calls[2].payload) == ("quick", b'{"n":1}')


def test_one_event_takes_half_of_its_places_and_threads_are_other_places(place, worker):
    for _ in range(60):
        place.call("quick")
    for _ in range(4):
        place.call("plain")

    assert (worker.events.count("quick"), worker.events.count("plain")) == (50, 2)
    assert worker.member.has_room(entry(place, "other"))
    assert worker.member.has_room(entry(place, "rows"))
    assert not worker.member.has_room(entry(place, "quick"))


def test_it_is_full_when_all_its_places_are_taken(place, worker):
    for event in ("plain", "rows"):
        for _ in range(2):
            place.call(event)
    assert not worker.member.has_room(entry(place, "plain"))
    assert not worker.member.has_room(entry(place, "rows"))

    worker.answer()

    assert worker.member.has_room(entry(place, "plain"))
    assert not worker.member.has_room(entry(place, "rows"))


def test_it_has_no_room_while_it_takes_things_more_slowly_than_they_are_said(place, worker):
    worker.link.is_congested = True

    assert not worker.member.has_room(entry(place, "quick"))


def test_what_has_begun_is_known_by_the_order_in_which_it_was_handed_out(place, worker):
    for event in ("quick", "plain", "other", "plain"):
        place.call(event)
    calls = [worker.member.open[serial] for serial in worker.calls]

    worker.begin(2, thread=1)

    assert [worker.member.has_started(one) for one in calls] == [True, True, False, False]


# What it says.


def test_its_answer_is_the_calls(place, worker):
    sequence = place.call("quick")
    worker.answer(payload=b"42")

    assert place.sink.said[-1] == Answer(sequence, 0, b"42", 0.001, None)
    assert worker.member.served == 1


def test_items_come_before_the_answer(place, worker):
    sequence = place.call("feed")
    worker.member.item(1, b"1")
    worker.member.item(1, b"2")
    worker.answer(payload=b"")

    assert place.sink.items(sequence) == [1, 2]
    assert place.ends(sequence) == ["ok"]


def test_what_a_plug_says_on_its_own_goes_out_while_its_call_is_open(place, worker):
    place.call("quick")
    said = [Send("s1", "hi", b"1", None, 1), Broadcast("hi", b"1", None, 0), Kick("s1", 4502, "", 1)]
    for emit in said:
        worker.member.emit(emit)
    worker.answer()
    worker.member.emit(said[0])

    assert place.sink.emits() == said


def test_the_gateway_knows_by_its_own_number_the_call_in_which_something_was_said(place, worker):
    place.call("what no worker gets")
    sequence = place.call("quick")
    [serial] = worker.member.open
    assert serial != sequence
    worker.member.emit(Send("s1", "hi", b"1", None, serial))
    assert [emit.sequence for emit in place.sink.emits()] == [sequence]


@pytest.mark.fault("K6")
@pytest.mark.parametrize(
    "says",
    [
        lambda member: member.answer(9, 0, b"", 0.0, None),
        lambda member: member.item(9, b""),
        lambda member: member.ended(9),
        lambda member: member.ended(1),
    ],
    ids=["an answer to nothing", "an item of nothing", "the end of nothing", "the end of a call that goes on"],
)
def test_whatever_it_was_not_asked_it_is_hung_up_for_and_its_calls_stay_open(place, worker, says):
    sequence = place.call("quick")
    says(worker.member)

    assert ("close",) in worker.heard()
    assert place.ends(sequence) == []
    place.bury(worker)
    place.hire()
    assert list(place.pool.running) == [sequence]


@pytest.mark.fault("K6")
def test_two_answers_to_a_call_are_one_too_many(place, worker):
    sequence = place.call("quick")
    worker.answer(1)
    worker.answer(1)

    assert place.ends(sequence) == ["ok"]
    assert ("close",) in worker.heard()


# What is ended.


def test_a_run_that_was_ended_is_over_when_it_says_so(place, worker):
    sequence = place.call("quick")
    place.pool.cancel(sequence)
    place.pool.cancel(sequence)
    assert worker.heard()[1:] == [("cancel", 1)]
    assert place.ends(sequence) == []

    worker.end()

    assert place.ends(sequence) == ["ended"]
    assert not worker.member.open


@pytest.mark.fault("K10")
def test_an_answer_that_crosses_the_end_is_dropped_and_the_run_is_over(place, worker):
    sequence = place.call("quick")
    place.pool.cancel(sequence)
    worker.member.item(1, b"1")
    worker.member.emit(Send("s1", "hi", b"1", None, 1))
    worker.answer()

    assert place.sink.said[-1] == Ended(sequence)
    assert place.ends(sequence) == ["ended"]
    assert not place.sink.items(sequence)
    assert not place.sink.emits()


@pytest.mark.parametrize(("event", "own_s"), [("quick", 10.0), ("feed", 3.0)])
def test_it_has_its_own_time_and_a_grace_to_come_to_its_end(place, worker, event, own_s):
    place.pool.now = began = 100.0
    place.pool.cancel(place.call(event))

    assert worker.member.overdue(began + own_s + GRACE_S) == []
    assert [one.serial for one in worker.member.overdue(began + own_s + GRACE_S + 0.1)] == [1]


def test_a_stream_has_the_time_of_its_next_item(place, worker):
    place.pool.now = 100.0
    sequence = place.call("feed")
    place.pool.now = 150.0
    worker.member.item(1, b"1")
    place.pool.cancel(sequence)

    assert worker.member.overdue(155.0) == []
    assert worker.member.overdue(155.1) != []


def test_what_nobody_could_listen_to_is_given_its_grace_anew(place, worker):
    place.pool.now = 100.0
    place.pool.cancel(place.call("quick"))
    worker.member.forgive(1000.0)

    assert worker.member.overdue(1000.0 + GRACE_S) == []
    assert worker.member.overdue(1000.1 + GRACE_S) != []


# Whether it has begun what it has.


def behind(worker):
    worker.member.notice()
    return worker.member.is_behind


def test_what_it_was_given_since_the_last_look_it_need_not_have_begun(place, worker):
    place.call("quick")
    assert not behind(worker)
    place.call("other")

    assert behind(worker)
    worker.begin(1)
    assert behind(worker)
    worker.begin(2)
    assert not behind(worker)


def test_a_call_in_a_thread_begins_there(place, worker):
    place.call("plain")
    behind(worker)
    worker.begin(1)

    assert behind(worker)
    worker.begin(1, thread=2)
    assert not behind(worker)


def test_a_call_that_was_refused_never_begins_and_is_not_waited_for(place, worker):
    place.call("plain")
    behind(worker)
    assert behind(worker)
    worker.answer(status=1, payload=b'{"code":"bad_payload","message":"No.","retry":false}')

    assert not behind(worker)


def test_a_stream_in_a_thread_begins_when_it_is_asked_for_something(place, worker):
    place.call("rows", credit=0)
    behind(worker)

    assert not behind(worker)


# What it is.


def test_nothing_follows_from_what_can_not_happen_in_its_state(place, worker):
    member = worker.member

    assert not member.fire(Event.EMPTIED)
    assert not member.fire(Event.CAUGHT_UP)
    assert member.fire(Event.RELIEVED)
    assert (member.state, member.votes) == (State.DRAINING, False)
    assert repr(member) == "<worker 1, draining>"


def test_one_that_is_silent_has_no_vote(worker):
    worker.member.is_silent = True

    assert not worker.member.votes


def test_its_heartbeats_are_noted(place, worker):
    place.pool.now = 7.0
    worker.member.beat(0.2, 3)

    assert (worker.member.health.heard, worker.member.health.lag_s, worker.member.lost_threads) == (7.0, 0.2, 3)


def test_what_others_decide_is_passed_on(place, worker):
    member = worker.member
    member.outdated("an environment file has changed")
    member.leave()
    member.lost(None)
    member.is_old = True
    member.outdated("said by each worker, and done already")

    assert place.staff.asked[-3:] == [
        ("roll", "an environment file has changed"),
        ("relieve", 1, "it was asked to end"),
        ("disconnected", 1, ""),
    ]


async def test_the_file_of_its_page_is_taken_away_when_it_has_mapped_it():
    place = Workplace()
    worker = place.join()
    assert worker.memory.has_path
    worker.catch_up()

    assert not worker.memory.has_path
    worker.member.close_page()
    assert worker.memory.is_closed
    worker.member.notice()


async def test_whatever_goes_wrong_where_an_answer_is_heard_the_place_is_free_and_the_next_call_is_handed_out(
    place, worker
):
    for _ in range(51):
        place.call("quick", order="k")

    def fails(said):
        raise RuntimeError(said)

    place.sink.hear = fails
    with pytest.raises(RuntimeError):
        worker.answer()
    assert len(worker.calls) == 50
    place.pool.cancel(2)
    with pytest.raises(RuntimeError):
        worker.end(2)
    await turn()
    assert len(worker.calls) == 49
