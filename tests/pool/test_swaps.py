"""Stories of how changes come into force; each worker's lines are what it is told."""

import pytest
from msgspec import structs

from plugsock.model import Problem
from plugsock.pool.life import Event, State
from plugsock.pool.rounds import VOTE_S
from plugsock.rpc.frames import File, Group
from support.scripted import announce
from support.staffed import Workplace
from support.working import until

A, B = "a" * 16, "b" * 16


def good(id=A, event="echo", revision="r2"):
    source = File(event, f"/plugs/{event}.py", f"{event}.py", b"", False, False, "folder", False)
    return Group(id, [announce(event, revision)], [], [], modules=[event], files=[source])


def bad(id=A, message="it is wrong"):
    return Group(id, [], [], [Problem("echo.py", 3, message, ("echo",))], ["its trace"], modules=["echo"])


@pytest.fixture
def clock(monkeypatch):
    """The time that rounds are held at."""
    time = [100.0]
    monkeypatch.setattr("plugsock.pool.swaps._now", lambda: time[0])
    return time


@pytest.fixture
async def place(clock):
    place = Workplace()
    place.hire()
    place.serve(announce("echo"))
    place.hire()
    place.hire()
    place.staff.asked.clear()
    place.sink.said.clear()
    return place


@pytest.fixture
def workers(place):
    return place.ready()


def told(place):
    """What the gateway was told, as the ids that were staged and the problems."""
    return [
        ([group.id for group in staged.groups if not group.problems], [each.message for each in staged.problems])
        for staged in place.sink.stages()
    ]


def unfit(place):
    return [number for what, number, *_ in place.staff.asked if what == "unfit"]


# All is well.


async def test_one_worker_looks_first_then_the_others_and_then_it_is_in_force_everywhere(place, workers):
    one, two, three = workers
    place.pool.changed(["plugs/echo.py"])
    assert one.heard() == [("look", "plugs/echo.py")]
    assert two.heard() == three.heard() == []

    first = one.stage(good())
    assert two.heard() == three.heard() == [("adopt", "echo")]
    second = two.stage(good())
    assert told(place) == []
    third = three.stage(good())

    assert told(place) == [([A], [])]
    for worker, stage in zip(workers, (first, second, third), strict=True):
        assert worker.heard() == [("commit", stage, [A], [])]
    assert place.pool.committed.revisions == {"echo": "r2"}
    assert {worker.member.revision for worker in workers} == {place.pool.committed.revision}


async def test_what_a_commit_has_replaced_is_retired_when_the_gateway_says_so(place, workers):
    place.pool.changed(())
    stages = [worker.stage(good()) for worker in workers]
    stage = place.sink.stages()[-1].stage
    for worker in workers:
        worker.heard()

    place.pool.retire(stage)
    place.pool.retire(stage)

    assert [worker.heard() for worker in workers] == [[("retire", stage)] for stage in stages]


async def test_where_the_first_finds_nothing_the_others_do_not_look(place, workers):
    place.pool.changed(())
    stage = workers[0].stage()

    assert told(place) == [([], [])]
    assert [worker.heard() for worker in workers] == [[("look",), ("commit", stage, [], [])], [], []]


async def test_changes_in_the_middle_of_a_round_are_looked_at_after_it(place, workers):
    place.pool.changed(["one.py"])
    place.pool.changed(["two.py"])
    place.pool.changed(["three.py"])
    stage = workers[0].stage()

    assert workers[0].heard() == [("look", "one.py"), ("commit", stage, [], []), ("look", "three.py", "two.py")]


async def test_a_forced_look_is_everybodys_and_the_answer_says_that_it_was_asked_for(place, workers):
    place.pool.look(force=True)
    assert workers[0].heard() == [("look", "force")]
    workers[0].stage()
    assert workers[1].heard() == workers[2].heard() == [("adopt", "force")]
    workers[1].stage()
    workers[2].stage()

    assert [staged.asked for staged in place.sink.stages()] == [True]


async def test_the_others_get_what_the_first_could_stage_and_nothing_else(place, workers):
    moved = good()
    moved = structs.replace(moved, modules=["echo", "old"])
    place.pool.changed(())
    workers[0].stage(moved, bad(B))

    assert workers[1].heard() == workers[2].heard() == [("adopt", "echo", "no old")]


async def test_each_forced_look_has_an_answer_of_its_own(place, workers):
    place.pool.look(force=True)
    place.pool.look(force=True)
    place.pool.look(["a.py"])
    for _ in range(2):
        for worker in workers:
            worker.stage()

    assert [staged.asked for staged in place.sink.stages()] == [True, True]
    workers[0].stage()
    assert [staged.asked for staged in place.sink.stages()] == [True, True]


# One of them can't.


async def test_what_fails_where_it_is_tried_first_is_not_tried_elsewhere(place, workers):
    place.pool.changed(())
    stage = workers[0].stage(bad())

    assert told(place) == [([], ["it is wrong"])]
    assert workers[0].heard()[-1] == ("commit", stage, [], [A])
    assert workers[1].heard() == workers[2].heard() == []


async def test_what_fails_on_one_is_held_back_on_all_and_not_tried_again_before_it_changes(place, workers):
    place.pool.changed(())
    stages = [worker.stage(group) for worker, group in zip(workers, (good(), bad(), good()), strict=True)]

    assert told(place) == [([], ["on worker 2: it is wrong"])]
    for worker, stage in zip(workers, stages, strict=True):
        assert ("commit", stage, [], [A]) in worker.heard()
    assert unfit(place) == []


async def test_what_a_draining_gateway_declines_is_not_staged_anew_and_anew(place, workers):
    place.sink.link = None
    place.sink.hear = lambda said: place.pool.commit(said.stage, [])
    place.pool.changed(())
    stages = [worker.stage(good()) for worker in workers]

    for worker, stage in zip(workers, stages, strict=True):
        assert ("commit", stage, [], [A]) in worker.heard()


async def test_a_gateway_that_fails_leaves_no_worker_waiting(place, workers):
    place.sink.link = None

    def fails(_said):
        raise RuntimeError

    place.sink.hear = fails
    place.pool.changed(())
    stages = [worker.stage(good()) for worker in workers]

    for worker, stage in zip(workers, stages, strict=True):
        assert ("commit", stage, [], []) in worker.heard()
    place.pool.changed(())
    assert workers[0].heard() == [("look",)]


# Somebody is late.


async def test_what_one_has_not_seen_yet_is_looked_at_again_soon(place, workers):
    one, two, three = workers
    place.pool.changed(["echo.py"])
    one.stage(good())
    two.stage(good())
    stage = three.stage()
    assert ("commit", stage, [], []) in three.heard()
    assert told(place) == [([], [])]
    one.heard()

    await until(lambda: one.link.words)

    assert one.heard() == [("look", "echo.py")]
    for worker in workers:
        worker.stage(good())
    assert told(place)[-1] == ([A], [])
    assert unfit(place) == []


async def test_who_does_not_see_what_all_others_see_is_replaced(place, workers, clock):
    one, two, three = workers
    for _ in range(2):
        place.pool.changed(())
        one.stage(good())
        two.stage(good())
        three.stage()
        clock[0] += VOTE_S

    assert told(place)[-1] == ([A], [])
    assert unfit(place) == [3, 3]  # it lacks what is in force, and it had lost its vote


async def test_who_does_not_answer_does_not_hold_up_the_others_and_hears_that_it_is_too_late(place, workers, clock):
    one, two, three = workers
    place.pool.changed(())
    one.stage(good())
    two.stage(good())
    place.pool.tick(clock[0])
    assert told(place) == []

    clock[0] += VOTE_S + 0.1
    place.pool.tick(clock[0])

    assert told(place) == [([A], [])]
    assert set(unfit(place)) == {3}
    place.sink.said.clear()
    three.heard()
    stage = three.stage(good())
    assert three.heard() == [("commit", stage, [], [])]
    assert told(place) == []


async def test_no_call_is_handed_to_one_that_lacks_what_is_in_force(place, workers, clock, monkeypatch):
    def drain(member, _reason):
        member.fire(Event.FELL_BEHIND)
        place.pool.pause(member)

    monkeypatch.setattr(place.pool.swaps, "_unfit", drain)
    one, two, three = workers
    for worker in workers:
        place.pool.slow(worker.member)
    waits = place.call("echo")
    place.pool.changed(())
    one.stage(good())
    two.stage(good())
    three.heard()
    place.pool.crews[""].ring.append(three.member)  # it has room again, right when it has lost its vote
    clock[0] += VOTE_S + 0.1
    place.pool.swaps.tick()

    assert three.state is State.DRAINING
    assert three.heard() == []
    assert place.pool.crews[""].waiting[waits].call.revision == "r2"


# Somebody goes.


async def test_when_the_first_goes_another_one_begins(place, workers):
    one, two, _ = workers
    place.pool.changed(["echo.py"])
    place.bury(one)

    assert two.heard() == [("look", "echo.py")]


async def test_what_the_first_imports_is_not_tried_by_another_one_before_it_is_known_what_becomes_of_it(place, workers):
    one, two, _ = workers
    place.pool.changed(["echo.py"])
    one.import_group(A)
    one.member.is_silent = True
    place.pool.pause(one.member)
    place.pool.changed(["echo.py"])
    assert two.heard() == []

    place.pool.swaps.refuse(A)
    assert two.heard() == []
    place.bury(one)

    assert two.heard() == [("look", "echo.py", f"without {A}")]


async def test_the_first_may_be_silent_for_a_while(place, workers):
    one, two, three = workers
    place.pool.changed(())
    one.import_group(A)
    one.member.is_silent = True
    place.pool.pause(one.member)

    one.stage(good())
    assert two.heard() == [("adopt", "echo")]
    two.stage(good())
    three.stage(good())

    assert told(place) == [([A], [])]
    assert one.member.version == place.pool.committed.version


async def test_when_the_first_is_to_go_while_it_imports_its_answer_is_waited_for_and_does_not_count(place, workers):
    one, two, _ = workers
    place.pool.changed(())
    one.import_group(A)
    one.member.fire(Event.RELIEVED)
    place.pool.pause(one.member)
    assert two.heard() == []
    one.heard()

    stage = one.stage(good())

    assert one.heard() == [("commit", stage, [], [])]
    assert two.heard() == [("look",)]


async def test_a_group_that_ends_one_of_the_others_is_held_back_everywhere(place, workers):
    one, two, three = workers
    place.pool.changed(())
    first = one.stage(good())
    second = two.stage(good())
    three.import_group(A)
    three.member.fire(Event.KILLED)
    place.pool.pause(three.member)
    assert told(place) == []

    place.pool.swaps.refuse(A)
    place.bury(three)

    assert one.heard()[1:] == [("commit", first, [], []), ("look", f"without {A}")]
    assert two.heard()[1:] == [("commit", second, [], [])]
    one.stage(bad(message="importing it has ended a worker"))
    assert told(place) == [([], ["importing it has ended a worker"])]


async def test_what_one_has_staged_that_is_silent_now_is_decided_for_it_too(place, workers):
    one, two, three = workers
    place.pool.changed(())
    one.stage(good())
    stage = two.stage(good())
    two.member.is_silent = True
    place.pool.pause(two.member)
    three.stage(good())

    assert told(place) == [([A], [])]
    assert ("commit", stage, [A], []) in two.heard()
    assert two.member.version == place.pool.committed.version


async def test_one_that_is_silent_does_not_hold_a_group_back(place, workers):
    one, two, three = workers
    place.pool.changed(())
    one.stage(good())
    two.stage(bad())
    two.member.is_silent = True
    place.pool.pause(two.member)
    three.stage(good())

    assert told(place) == [([A], [])]
    assert two.member.version != place.pool.committed.version


async def test_when_all_have_gone_whoever_comes_looks_and_the_question_is_still_open(place, workers):
    place.pool.look(["echo.py"], force=True)
    workers[0].stage(good())
    for worker in workers:
        place.bury(worker)
    assert told(place) == []

    late = place.join()
    late.catch_up()

    assert late.heard() == [
        ("restore",),
        ("commit", 1, ["restored"], None),
        ("retire", 1),
        ("look", "echo.py", "force"),
    ]
    late.stage(good())
    assert [staged.asked for staged in place.sink.stages()] == [True]


async def test_when_nobody_is_left_who_has_seen_something_the_rest_begin_anew(place, workers, clock):
    one, two, _ = workers
    place.pool.changed(["echo.py"])
    one.stage(good())
    place.bury(one)
    clock[0] += VOTE_S + 0.1
    place.pool.tick(clock[0])

    assert sorted(unfit(place)) == [2, 3]
    assert told(place) == []
    assert two.heard()[-1] == ("look", "echo.py")


async def test_the_answer_to_a_look_of_an_earlier_round_does_not_count_in_a_later_one(place, workers):
    one, two, _ = workers
    place.pool.changed(())
    one.member.is_silent = True
    place.pool.pause(one.member)
    one.member.is_silent = False
    two.stage(good())
    assert one.heard() == [("look",), ("adopt", "echo")]

    stage = one.stage(good())

    assert one.heard() == [("commit", stage, [], [])]
    one.stage(good())
    place.ready()[2].stage(good())
    assert told(place) == [([A], [])]


async def test_a_failure_that_comes_too_late_is_remembered_all_the_same(place, workers, clock):
    one, two, three = workers
    place.pool.changed(())
    one.stage(good())
    two.stage(good())
    three.member.is_silent = True
    place.pool.pause(three.member)
    three.stage(bad())
    three.member.is_silent = False

    assert list(three.member.failed) == [A]


# Somebody comes.


async def test_a_new_worker_is_brought_to_what_is_in_force_before_it_gets_a_call(place, workers):
    late = place.join()
    for worker in workers:
        place.pool.pause(worker.member)
    sequence = place.call("echo")
    assert late.heard() == [("restore",)]

    late.catch_up()

    assert late.heard() == [("commit", 1, ["restored"], None), ("retire", 1), ("call", 1)]
    assert list(place.pool.running) == [sequence]
    assert place.staff.asked[-1] == ("ready", 4)
    assert late.member.revision == place.pool.committed.revision


async def test_what_was_committed_meanwhile_it_is_brought_to_after_that(place, workers):
    late = place.join()
    place.pool.changed(())
    for worker in workers:
        worker.stage(good())
    late.stage(Group("restored", [announce("echo", "r1")], [], []))
    assert late.heard()[-1] == ("restore", "echo")
    assert late.state is State.JOINING

    late.catch_up()

    assert late.state is State.READY


async def test_an_event_that_is_gone_meanwhile_goes_there_too(place, workers):
    late = place.join()
    late.stage(Group("restored", [announce("echo"), announce("old")], [], []))
    assert place.staff.asked[-1][:2] == ("unfit", 4)

    other = place.join()
    other.member.serving = {"old": "r1"}
    other.catch_up()
    assert other.state is State.READY


async def test_one_that_can_not_load_what_is_served_is_unfit_and_says_why(place):
    late = place.join()
    late.stage(bad(message="there is no numpy here"))

    assert place.staff.asked[-1] == (
        "unfit",
        4,
        "it could not load what is served; echo.py:3: there is no numpy here",
    )


async def test_one_that_arrives_before_the_first_has_answered_takes_part(place, workers):
    late = place.join()
    place.pool.changed(())
    late.catch_up()
    late.heard()
    workers[0].stage(good())

    assert late.heard() == [("adopt", "echo")]


async def test_one_that_arrives_in_the_middle_of_a_vote_is_brought_to_what_comes_of_it(place, workers):
    late = place.join()
    place.pool.changed(())
    workers[0].stage(good())
    late.catch_up()
    assert late.state is State.JOINING
    late.heard()
    for worker in workers[1:]:
        worker.stage(good())
    assert late.heard() == [("restore", "echo")]

    late.catch_up()

    assert late.state is State.READY
    assert unfit(place) == []


async def test_one_that_arrives_in_the_middle_of_a_vote_on_nothing_is_ready_after_it(place, workers):
    late, gone = place.join(), place.join()
    place.pool.changed(())
    workers[0].stage(good())
    for worker in (late, gone):
        worker.catch_up()
    place.bury(gone)
    workers[1].stage(bad())
    workers[2].stage(good())

    assert (late.state, gone.state) == (State.READY, State.GONE)


async def test_one_that_was_told_to_end_while_it_was_brought_up_is_not_let_in(place):
    late = place.join()
    late.member.fire(Event.RELIEVED)
    late.catch_up()

    assert late.state is State.ENDING


# Somebody has started one by hand.


async def test_one_of_somebodys_own_looks_first_only_if_there_is_nobody_else(place, workers):
    one, two, _ = workers
    one.member.is_ours = False
    place.pool.changed(["echo.py"])

    assert (one.heard(), two.heard()) == ([], [("look", "echo.py")])


async def test_one_of_somebodys_own_that_is_silent_while_it_imports_holds_nobody_up(place, workers):
    one, two, three = workers
    three.member.is_ours = False
    place.pool.changed(())
    one.stage(good())
    two.stage(good())
    three.import_group(A)
    three.member.is_silent = True
    place.pool.pause(three.member)

    assert told(place) == [([A], [])]


async def test_one_of_somebodys_own_that_looks_first_and_does_not_answer_is_not_waited_for(
    place, workers, clock, monkeypatch
):
    def drain(member, _reason):
        member.fire(Event.FELL_BEHIND)
        place.pool.pause(member)

    monkeypatch.setattr(place.pool.swaps, "_unfit", drain)
    one, two, three = workers
    one.member.is_ours = False
    place.bury(two)
    place.bury(three)
    place.pool.changed(["echo.py"])
    assert one.heard() == [("look", "echo.py")]
    late = place.join()
    clock[0] += VOTE_S + 0.1
    place.pool.tick(clock[0])

    assert one.state is State.DRAINING
    late.catch_up()
    assert late.heard()[-1] == ("look", "echo.py")


# What is in quarantine.


async def test_what_is_in_quarantine_is_a_problem_until_its_event_changes(place, workers):
    for now in range(3):
        place.pool.accuse({("echo", "r1")})
        assert len(place.sink.stages()) == (now == 2)
    assert told(place)[-1][1] == ["quarantined: it has ended several workers; change it, and it is tried again"]
    place.sink.said.clear()

    place.pool.changed(())
    for worker in workers:
        worker.stage(good())

    assert told(place)[-1] == ([], [])
    for worker in workers:
        assert [words[2:] for words in worker.heard() if words[0] == "commit"] == [([A], [])]
    assert place.ends(place.call("echo")) == []


async def test_groups_that_have_killed_are_forgotten_when_there_are_too_many(place, workers, monkeypatch):
    monkeypatch.setattr("plugsock.pool.swaps.MOST_REFUSED", 2)
    for group in (A, B, "c" * 16):
        place.pool.swaps.refuse(group)
    workers[0].heard()
    workers[0].stage()

    assert workers[0].heard()[-1] == ("look", f"without {B}", f"without {'c' * 16}")
