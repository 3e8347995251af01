import asyncio

import pytest

from plugsock.model import Kind, Reach
from plugsock.pool.committed import ON_LOOP, QUICK, SLOW_S
from plugsock.pool.crew import MOST_WAITING
from plugsock.pool.life import State
from plugsock.pool.pool import MOST_AGAIN
from plugsock.pool.sizes import ASYNC_PLACES
from plugsock.rpc.frames import (
    ERROR,
    OK,
    Grant,
    Group,
    Join,
    KickUser,
    Leave,
    Publish,
    Reply,
    Send,
    SocketState,
)
from support.recording import Again
from support.scripted import announce
from support.staffed import Workplace, turn

HALF = ASYNC_PLACES // 2


@pytest.fixture
async def place():
    place = Workplace("reports")
    place.hire()
    place.serve(
        announce("quick"),
        announce("safe", idempotent=True),
        announce("feed", kind=Kind.STREAM, idempotent=True),
        announce("plain", in_thread=True),
        announce("report", worker="reports"),
        announce("lost", worker="nobody"),
    )
    return place


@pytest.fixture
def one(place):
    return place.ready()[0]


@pytest.fixture
async def two(place, one):
    return place.hire()


def fault(place, sequence):
    (answer,) = place.sink.answers(sequence)
    return answer.fault


# Who gets a call.


async def test_calls_go_to_the_workers_in_turn(place, one, two):
    for _ in range(4):
        place.call("quick")

    assert (one.events, two.events) == (["quick"] * 2, ["quick"] * 2)


async def test_a_set_has_workers_of_its_own(place, one):
    own = place.hire("reports")
    place.call("report")
    place.call("quick")
    place.call("lost")

    assert (own.events, one.events) == (["report"], ["quick", "lost"])


async def test_what_nobody_serves_is_gone(place):
    assert place.ends(place.call("never")) == ["gone"]


@pytest.mark.fault("P16")
async def test_a_hundred_slow_calls_of_one_plug_leave_room_for_the_others(place, one):
    slow = [place.call("safe") for _ in range(100)]
    quick = place.call("quick")

    assert one.events == ["safe"] * HALF + ["quick"]
    one.answer(max(one.calls))
    assert place.ends(quick) == ["ok"]
    while one.calls:
        one.answer()
    assert all(place.ends(sequence) == ["ok"] for sequence in slow)


@pytest.mark.fault("K9")
async def test_when_all_are_full_calls_wait_and_then_they_are_refused(place, one):
    waiting = [place.call("quick") for _ in range(HALF + MOST_WAITING)][HALF:]
    refused = place.call("quick")
    other = place.call("safe")

    assert fault(place, refused).code == "overloaded"
    assert fault(place, refused).after_ms == 500
    assert place.ends(other) == []
    one.answer(1)
    assert one.calls[max(one.calls)].sequence == waiting[0]


async def test_what_waits_goes_to_whoever_has_room_first_whoever_comes_included(place, one):
    waits = [place.call("quick") for _ in range(HALF + 2)][HALF:]
    late = place.hire()

    assert [call.sequence for call in late.calls.values()] == waits


async def test_one_that_has_not_begun_what_it_has_gets_one_call_for_each_answer(place, one):
    for _ in range(HALF):
        place.call("quick")
    place.pool.slow(one.member)
    one.member.is_behind = True
    waiting = [place.call("safe") for _ in range(3)]

    one.answer()

    assert one.events[HALF - 1 :] == ["safe"]
    place.pool.resume(one.member)
    assert [call.sequence for call in one.calls.values()][HALF - 1 :] == waiting


async def test_a_link_that_comes_out_of_a_jam_is_noticed(place, one):
    one.link.is_congested = True
    place.call("quick")
    place.pool.tick(5.0)
    assert one.events == []

    one.link.is_congested = False
    place.pool.tick(5.05)

    assert one.events == ["quick"]
    assert place.pool.now == 5.05


# Keys.


async def test_calls_with_a_key_follow_the_one_before_to_its_worker(place, one, two):
    def next_one(said):
        if said.sequence == keyed[-1]:
            asyncio.get_running_loop().call_soon(lambda: keyed.append(place.call("quick", order="k")))

    place.sink.hear = next_one
    keyed = [place.call("quick", order="k")]
    worker = one if one.calls else two
    for _ in range(5):
        place.call("safe")
        worker.answer(next(serial for serial, call in worker.calls.items() if call.event == "quick"))
        await turn()
        assert worker.events.count("quick") == 1
    assert len(keyed) == 6


async def test_a_key_that_nobody_has_any_more_is_forgotten(place, one, two):
    place.call("quick", order="k")
    (one if one.calls else two).answer()
    await turn()

    assert not place.pool._keepers


async def test_a_call_with_a_key_does_not_wait_for_a_worker_that_has_no_vote(place, one, two):
    place.call("quick", order="k")
    worker, other = (one, two) if one.calls else (two, one)
    worker.member.is_silent = True
    place.pool.pause(worker.member)
    place.call("quick", order="k")

    assert other.events == ["quick"]


# Ended calls.


async def test_a_call_that_waits_is_ended_at_once(place, one):
    waits = [place.call("quick") for _ in range(HALF + 1)][-1]
    place.pool.cancel(waits)
    place.pool.cancel(waits)
    place.pool.cancel(12345)

    assert place.ends(waits) == ["ended"]
    while one.calls:
        one.answer()
    assert place.ends(waits) == ["ended"]


async def test_credit_reaches_a_call_wherever_it_is(place, one):
    runs = place.call("feed", credit=1)
    place.pool.more(runs, 5)
    assert one.heard()[-1] == ("more", 1, 5)
    assert place.pool.running[runs].call.credit == 6

    for _ in range(HALF):
        waits = place.call("feed", credit=1)
    place.pool.more(waits, 7)
    place.pool.more(777, 1)
    one.answer(1)

    assert one.calls[max(one.calls)].credit == 8


# The death of a worker.


@pytest.mark.parametrize("event", ["quick", "plain", "safe"])
async def test_a_call_that_had_not_begun_is_run_elsewhere(place, one, event):
    sequence = place.call(event)
    two = place.hire()
    place.bury(one)

    two.answer()
    assert place.ends(sequence) == ["ok"]


async def test_a_call_that_had_begun_is_lost_unless_it_may_run_twice(place, one):
    begun = [place.call("quick"), place.call("safe"), place.call("plain")]
    one.begin(3, thread=1)
    place.bury(one)
    late = place.hire()
    while late.calls:
        late.answer()

    ends = [place.ends(sequence) for sequence in begun]
    assert ends == [["worker_lost"], ["ok"], ["worker_lost"]]
    assert (fault(place, begun[0]).started, fault(place, begun[0]).retry) == (True, False)


async def test_a_call_that_has_spoken_is_not_run_again(place, one):
    fed, sent = place.call("feed"), place.call("safe")
    one.begin()
    one.member.item(1, b"1")
    one.member.emit(Send("s1", "hi", b"1", None, 2))
    place.hire()
    place.bury(one)

    assert place.ends(fed) == place.ends(sent) == ["worker_lost"]
    assert (fault(place, fed).started, fault(place, fed).retry) == (True, True)


@pytest.mark.parametrize(
    "word",
    [Publish("room", "n", b"1", None, 1), Join("s1", "room", None, 1), Leave("s1", "room", 1)],
    ids=lambda word: type(word).__name__,
)
async def test_all_that_a_plug_says_is_a_word(place, one, word):
    sequence = place.call("safe")
    one.begin()
    one.member.emit(word)
    place.hire()
    place.bury(one)

    assert [emit.sequence for emit in place.sink.emits()] == [sequence]
    assert place.ends(sequence) == ["worker_lost"]


async def test_a_call_that_is_to_blame_is_not_run_again(place, one):
    culprit, bystander = place.call("safe"), place.call("safe")
    one.begin()
    two = place.hire()
    place.bury(one, 1)

    assert place.ends(culprit) == ["worker_lost"]
    assert [call.sequence for call in two.calls.values()] == [bystander]


async def test_a_call_is_run_again_a_few_times_and_not_for_ever(place, one):
    sequence = place.call("safe")
    for _ in range(1 + MOST_AGAIN):
        assert place.ends(sequence) == []
        (worker,) = place.ready()
        worker.begin()
        place.hire()
        place.bury(worker)

    assert place.ends(sequence) == ["worker_lost"]


async def test_that_it_was_run_before_is_not_forgotten_in_the_queue(place, one):
    sequence = place.call("safe")
    one.begin()
    place.bury(one)
    for _ in range(MOST_AGAIN):
        assert place.ends(sequence) == []
        next_one = place.hire()
        assert next_one.events == ["safe"]
        next_one.begin()
        place.bury(next_one)

    assert place.ends(sequence) == ["worker_lost"]


async def test_where_there_is_no_room_left_to_wait_it_is_lost_too(place, one):
    first = place.call("quick")
    waiting = [place.call("safe") for _ in range(HALF + MOST_WAITING)][HALF:]
    place.bury(one)

    assert place.ends(first) == ["worker_lost"]
    assert fault(place, first).started is False
    assert all(place.ends(sequence) == [] for sequence in waiting)


async def test_an_ended_call_of_a_dead_worker_has_ended(place, one):
    sequence = place.call("quick", order="k")
    place.pool.cancel(sequence)
    place.bury(one)
    await turn()

    assert place.ends(sequence) == ["ended"]
    assert not place.pool._keepers


async def test_what_goes_wrong_with_one_call_of_a_dead_worker_does_not_concern_the_others(place, one):
    sequences = [place.call("quick") for _ in range(3)]
    one.begin()

    def fails(said):
        if said.sequence == sequences[1]:
            raise RuntimeError

    place.sink.hear = fails
    place.bury(one)

    assert [place.ends(sequence) for sequence in sequences] == [["worker_lost"]] * 3
    assert not place.pool.running


# Swaps.


async def test_what_waits_takes_the_new_revision(place, one):
    waits = [place.call("quick") for _ in range(HALF + 1)][-1]
    place.serve(announce("quick", "r2"))
    one.answer()

    taken = one.calls[max(one.calls)]
    assert (taken.sequence, taken.revision) == (waits, "r2")


async def test_what_waits_for_an_event_that_is_gone_is_answered(place, one):
    waits = [place.call("quick") for _ in range(HALF + 1)][-1]
    place.pool.changed(())
    one.stage(Group("g" * 16, [], ["quick"], []))

    assert place.ends(waits) == ["gone"]


async def test_what_waits_moves_to_the_set_that_its_event_moves_to(place, one):
    own = place.hire("reports")
    waits = [place.call("quick") for _ in range(HALF + 2)][-2:]
    group = Group("g" * 16, [announce("quick", "r2", worker="reports")], [], [])
    place.pool.changed(())
    for worker in (one, own):
        worker.stage(group)

    assert [call.sequence for call in own.calls.values()] == waits


async def test_a_call_that_is_run_again_takes_the_revision_in_force(place, one):
    place.call("quick")
    one.member.is_silent = True
    place.pool.pause(one.member)
    two = place.hire()
    place.serve(announce("quick", "r2"))
    place.bury(one)

    assert [call.revision for call in two.calls.values()] == ["r2"]


async def test_the_call_of_a_dead_worker_whose_event_is_gone_is_answered_so(place, one):
    sequence = place.call("quick")
    two = place.hire()
    one.member.is_silent = True
    place.pool.pause(one.member)
    place.pool.changed(())
    two.stage(Group("g" * 16, [], ["quick"], []))
    place.bury(one)

    assert place.ends(sequence) == ["gone"]


# Quarantine.


async def test_a_plug_that_has_killed_three_workers_is_out_until_it_changes(place, one):
    waits = [place.call("quick") for _ in range(HALF + 1)][-1]
    caught = [place.pool.accuse({("quick", "r1")}) for _ in range(3)]

    assert caught == [set(), set(), {("quick", "r1")}]
    assert place.ends(waits) == ["quarantined"]
    assert place.ends(place.call("quick")) == ["quarantined"]
    assert place.ends(place.call("safe")) == []
    place.serve(announce("quick", "r2"))
    while one.calls:
        one.answer()
    assert place.ends(place.call("quick")) == []


async def test_calls_that_die_with_a_worker_are_not_run_again_if_their_plug_is_out(place, one):
    sequence = place.call("safe")
    for _ in range(3):
        place.pool.accuse({("safe", "r1")})
    place.hire()
    place.bury(one)

    assert place.ends(sequence) == ["quarantined"]


async def test_a_revision_that_is_not_in_force_any_more_bars_nothing(place):
    for _ in range(3):
        place.pool.accuse({("quick", "r0"), ("never", "r1")})

    assert place.ends(place.call("quick")) == []


# Sockets.


async def test_a_worker_hears_of_a_socket_with_its_first_call(place, one, two):
    place.pool.socket(SocketState("s1", None, [], None, 0))
    place.pool.socket(SocketState("s2", "ann", [], None, 0))
    for socket in ("s1", "s2", "s2", "s2", "s2"):
        place.call("quick", socket=socket)

    told = [words for words in [*one.heard(), *two.heard()] if words[0] == "socket"]
    assert told == [("socket", "s2", "ann")] * 2
    place.pool.socket(SocketState("s2", None, [], None, 1))
    assert one.heard() == two.heard() == [("socket", "s2", None)]


async def test_a_worker_hears_of_the_topics_of_a_stranger_too(place, one):
    place.pool.socket(SocketState("s1", None, [], None, 0, ["room"]))
    place.call("quick", socket="s1")
    place.pool.socket(SocketState("s1", None, [], None, 0, []))

    assert one.heard() == [("socket", "s1", None), ("call", 1), ("socket", "s1", None)]
    assert place.pool.states["s1"].topics == []


async def test_a_socket_that_is_held_is_introduced_all_the_same(place, one):
    place.pool.socket(SocketState("s1", "ann", [], None, 0))
    place.pool.hold("s1", held=True)
    place.call("quick")

    assert one.heard() == [("hold", "s1"), ("socket", "s1", "ann"), ("call", 1)]


async def test_who_has_gone_is_forgotten_by_those_who_knew(place, one, two):
    place.pool.socket(SocketState("s1", "ann", [], None, 0))
    place.call("quick")
    knows, other = (one, two) if one.calls else (two, one)
    place.pool.hold("s2", held=True)
    for worker in (one, two):
        worker.heard()
    for socket in ("s1", "s1", "s2", "s3"):
        place.pool.forget(socket)

    assert knows.heard() == [("forget", "s1"), ("forget", "s2")]
    assert other.heard() == [("forget", "s2")]


async def test_whoever_joins_hears_what_holds_for_all(place):
    place.pool.formats(msgpack=True)
    place.pool.hold("s1", held=True)
    place.pool.hold("s2", held=True)
    place.pool.hold("s1", held=False)

    assert place.join().heard()[:2] == [("formats", True), ("hold", "s2")]
    assert place.ready()[0].heard() == [("formats", True), ("hold", "s1"), ("hold", "s2"), ("let flow", "s1")]


async def test_a_worker_that_is_silent_when_it_becomes_ready_gets_no_calls_yet(place, one):
    late = place.join()
    late.member.is_silent = True
    late.catch_up()
    place.call("quick")
    place.call("quick")

    assert (late.state, late.events) == (State.READY, [])


async def test_a_call_with_a_key_that_is_given_back_goes_to_another_worker(place, one, two):
    place.call("quick", order="k")
    (keeper,) = [worker for worker in (one, two) if worker.calls]
    other = two if keeper is one else one
    keeper.member.take_back()

    for running in keeper.member.taken_back():
        place.pool.move(running)

    assert other.events == ["quick"]
    assert not keeper.member.open


@pytest.mark.parametrize("changed", [{"order": "{room}"}, {"requires": (("p",),)}])
async def test_calls_that_wait_are_said_anew_where_a_swap_has_changed_their_order_or_what_they_require(
    place, one, changed
):
    for _ in range(HALF):
        place.call("quick")
    waiting = place.call("quick")

    place.serve(announce("quick", "r2", **changed))

    assert [said.sequence for said in place.sink.said if isinstance(said, Again)] == [waiting]
    assert place.ends(waiting) == []
    assert waiting not in place.pool.running
    assert not place.pool.crews[""].waiting


async def test_an_event_whose_calls_do_not_end_is_not_quick_any_more(place, one):
    entry = place.pool.committed.entries["quick"]
    place.call("quick")
    one.member.answer(min(one.calls), OK, b"1", 1e-6, None)
    place.pool.tick(place.pool.now)
    assert entry.kind == QUICK
    place.call("quick")
    one.begin()

    place.pool.tick(place.pool.now + 2 * SLOW_S)
    one.member.notice()

    assert (entry.kind, entry.window) == (ON_LOOP, 0)


async def test_refusals_do_not_make_an_event_quick(place, one):
    place.call("quick")
    serial = min(one.calls)
    one.member.answer(serial, ERROR, b"{}", 0.0, None)
    place.pool.tick(place.pool.now)

    assert place.pool.committed.entries["quick"].kind == ON_LOOP


# What plugs ask for.


async def test_an_idempotent_call_that_has_asked_for_something_is_run_again_when_its_worker_dies(place, one, two):
    place.call("safe")
    (asker,) = [worker for worker in (one, two) if worker.calls]
    other = two if asker is one else one
    asker.begin()
    asker.member.ask(1, 1, Grant("ada", "orders.read"))
    place.bury(asker)
    place.pool.told(1, Reply(Reach()))

    assert other.events == ["safe"]
    assert [said[0] for said in other.heard()] == ["call"]


async def test_a_user_is_kicked_in_the_name_of_a_call_that_goes_on(place, one):
    sequence = place.call("quick")
    kick = KickUser("ada", 4502, "", 1)
    one.member.emit(kick)
    place.pool.cancel(sequence)
    one.member.emit(kick)

    assert place.sink.emits() == [kick]
