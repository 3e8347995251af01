"""How workers fare, and how they go."""

import signal
import sys

import pytest

from plugsock.model import Kind
from plugsock.pool.care import DRAIN_S, DUMP_S, HEIR_S, STATUS_S, STOP_S, STUCK_DRAIN_S, UNKILLABLE_S, kill
from plugsock.pool.life import State
from plugsock.pool.member import GRACE_S
from plugsock.pool.sizes import Size
from plugsock.rpc.frames import Group
from plugsock.rpc.page import STARTED, STEP, TAKEN_BACK
from support.scripted import announce
from support.staffed import Company

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the signals are POSIX'")

DUMP, KILL = signal.SIGUSR2, signal.SIGKILL
TIMEOUT_S = 10.0


@pytest.fixture
async def company(monkeypatch):
    return Company(monkeypatch)


@pytest.fixture
async def one(company):
    (worker,) = await company.man()
    return worker


async def heir(company):
    """The worker that was started in the place of another."""
    await company.wait(0.05)
    worker = await company.register()
    worker.catch_up()
    worker.heard()
    return worker


# Heartbeats.


async def test_one_that_is_silent_gets_no_calls_until_it_is_heard_again(company, one):
    await company.wait(1.25, beat=False)
    assert (one.member.is_silent, one.state) == (True, State.READY)
    sequence = company.call("quick")
    assert one.events == []

    await company.wait(0.25)

    assert [call.sequence for call in one.calls.values()] == [sequence]


@pytest.mark.fault("K16")
async def test_one_that_is_silent_because_it_is_not_let_run_is_not_ended(company, one):
    await company.wait(30.0, beat=False)

    assert one.state is State.READY
    assert company.kills == []
    assert company.started == {}


@pytest.mark.fault("K2")
async def test_one_that_was_stopped_is_replaced_and_killed_and_its_calls_run_elsewhere(company, one):
    sequence = company.call("quick")
    one.stats.stopped = True
    await company.wait(2.25, beat=False)
    assert one.state is State.DRAINING
    assert company.kills == []

    two = await heir(company)
    await company.wait(0.05)
    assert company.kills == [(1, KILL)]
    company.die(one)

    assert [call.sequence for call in two.calls.values()] == [sequence]


async def test_one_that_stands_still_writes_down_what_it_does_and_is_killed(company, one):
    company.call("safe")
    one.begin()
    one.memory.view[STEP] = 0
    for _ in range(10):
        one.stats.cpu += 0.25
        await company.wait(0.25, beat=False)
    await heir(company)
    await company.wait(0.05)
    assert company.kills == [(1, DUMP)]

    await company.wait(DUMP_S)
    assert company.kills == [(1, DUMP), (1, KILL)]


async def test_one_that_sleeps_on_its_loop_is_replaced_and_a_call_that_waits_behind_it_runs_elsewhere(company, one):
    sleeps = company.call("quick")
    one.begin()
    waits = company.call("quick")
    one.stats.asleep = True
    await company.wait(2.25, beat=False)
    assert one.state is State.DRAINING
    two = await heir(company)
    await company.wait(0.05)
    company.die(one)

    assert company.ends(sleeps) == ["worker_lost"]
    assert [call.sequence for call in two.calls.values()] == [waits]


async def test_one_that_somebody_has_started_by_hand_and_looks_into_is_left_alone(company, one):
    joined = company.by_hand()
    joined.catch_up()
    joined.stats.stopped = True
    await company.wait(5.0, beat=False)

    assert (joined.state, joined.member.is_silent) == (State.READY, True)
    assert company.kills == []


async def by_hand(company):
    worker = company.by_hand()
    worker.catch_up()
    while not worker.calls:
        company.call("quick")
    worker.begin(thread=1)
    return worker, next(iter(worker.calls.values())).sequence


async def test_one_of_somebodys_own_whose_call_goes_on_gets_no_calls_until_that_has_ended(company, one):
    joined, held = await by_hand(company)
    await until_overdue(company, held)
    assert joined.state is State.READY
    before = len(joined.calls)
    for _ in range(4):
        company.call("safe")
    assert len(joined.calls) == before
    await company.wait(60.0)
    assert (joined.state, joined.member.killed_for, company.kills) == (State.READY, None, [])

    joined.end()
    await company.wait(0.05)
    for _ in range(4):
        company.call("safe")

    assert company.ends(held) == ["ended"]
    assert "safe" in joined.events


async def test_one_of_somebodys_own_whose_call_goes_on_takes_part_in_changes(company, one):
    joined, held = await by_hand(company)
    await until_overdue(company, held)
    change = Group("c" * 16, [announce("quick", "r2")], [], [])
    company.pool.changed(())
    one.stage(change)
    await company.wait(0.2)
    joined.stage(change)
    await company.wait(1.0)

    assert joined.state is State.READY
    assert joined.member.version == company.pool.committed.version


async def test_one_of_somebodys_own_that_was_silent_and_has_a_call_that_goes_on_gets_none_when_it_is_heard(
    company, one
):
    joined, held = await by_hand(company)
    company.pool.cancel(held)
    await company.wait(TIMEOUT_S + GRACE_S + 1.0, beat=False)
    assert joined.member.is_silent
    before = len(joined.calls)
    for _ in range(300):
        company.call("safe")
    await company.wait(0.5)

    assert not joined.member.is_silent
    assert len(joined.calls) == before


async def test_one_of_somebodys_own_that_has_missed_a_change_is_ended(company, one):
    joined = company.by_hand()
    joined.catch_up()
    joined.member.is_silent = True
    company.pool.pause(joined.member)
    company.serve(announce("quick", "r2"))
    await company.wait(0.3)

    assert (joined.state, company.started) == (State.ENDING, {})


async def test_a_stalled_one_that_goes_on_while_its_heir_starts_may_end_its_calls(company, one):
    sequence = company.call("quick")
    one.stats.stopped = True
    await company.wait(2.25, beat=False)
    one.stats.stopped = False
    await company.wait(0.25)
    await heir(company)
    await company.wait(1.0)
    assert company.kills == []

    one.answer()
    await company.wait(0.05)

    assert company.ends(sequence) == ["ok"]
    assert one.heard()[-1] == ("stop",)


async def test_one_that_has_missed_a_change_while_it_was_silent_is_replaced(monkeypatch):
    company = Company(monkeypatch, sizes={"": Size(2, 2)})
    one, two = await company.man(2)
    two.member.is_silent = True
    company.pool.pause(two.member)
    company.serve(announce("quick", "r2"))

    await company.wait(0.25)

    assert (one.state, two.state) == (State.READY, State.ENDING)
    assert two.member.reason == "it has missed a change while it was silent"


async def test_one_that_stands_still_while_it_joins_is_killed(company):
    await company.wait(0.05)
    worker = await company.register()
    worker.stats.stopped = True
    await company.wait(2.25, beat=False)

    assert worker.state is State.ENDING
    assert company.kills == [(1, KILL)]


# Calls that go on.


async def until_overdue(company, *sequences):
    for sequence in sequences:
        company.pool.cancel(sequence)
    await company.wait(TIMEOUT_S + GRACE_S + 0.1)


async def test_a_worker_whose_call_does_not_end_is_replaced_first_and_killed_then(company, one):
    stuck = company.call("quick")
    one.begin(thread=1)
    await until_overdue(company, stuck)
    assert one.state is State.DRAINING
    assert one.member.reason == "quick goes on after its time"
    assert company.kills == []

    await heir(company)
    await company.wait(0.05)
    assert company.kills == [(1, DUMP)]
    await company.wait(DUMP_S)
    assert company.kills == [(1, DUMP), (1, KILL)]
    company.die(one)
    assert company.ends(stuck) == ["ended"]


async def test_its_other_calls_get_time_to_end(company, one):
    stuck, other = company.call("quick"), company.call("safe")
    one.begin(1, thread=1)
    await until_overdue(company, stuck)
    await heir(company)
    await company.wait(STUCK_DRAIN_S - 2.0)
    assert company.kills == []
    one.answer(2)
    await company.wait(0.05)

    assert company.ends(other) == ["ok"]
    assert company.kills == [(1, DUMP)]


async def test_but_not_for_ever(company, one):
    stuck, _ = company.call("quick"), company.call("safe")
    one.begin(1, thread=1)
    await until_overdue(company, stuck)
    await heir(company)
    await company.wait(STUCK_DRAIN_S + 0.5)

    assert company.kills == [(1, DUMP), (1, KILL)]


async def test_where_no_other_one_starts_it_is_killed_all_the_same(company, one):
    stuck = company.call("quick")
    one.begin(1, thread=1)
    await until_overdue(company, stuck)
    await company.wait(HEIR_S - 0.1)
    assert company.kills == []
    await company.wait(0.2)

    assert company.kills[0] == (1, DUMP)


async def test_one_whose_call_ends_at_last_is_not_killed(company, one):
    stuck = company.call("quick")
    one.begin(1, thread=1)
    await until_overdue(company, stuck)
    one.end()
    await heir(company)
    await company.wait(0.05)

    assert company.ends(stuck) == ["ended"]
    assert (one.state, company.kills) == (State.ENDING, [])
    assert one.heard()[-1] == ("stop",)


async def test_of_several_calls_that_do_not_end_the_one_that_runs_is_to_blame(company, one):
    waits, runs = company.call("safe"), company.call("quick")
    one.begin(2, thread=1)
    await until_overdue(company, waits, runs)

    assert one.member.killed_for == 2
    assert one.member.reason == "quick goes on after its time"


# What they have done.


async def test_one_that_has_run_its_share_is_replaced_and_no_call_is_lost(monkeypatch):
    company = Company(monkeypatch, max_calls=2)
    (one,) = await company.man()
    sequences = [company.call("quick") for _ in range(3)]
    one.answer()
    one.answer()
    await company.wait(0.25)
    assert one.state is State.READY
    two = await heir(company)
    await company.wait(0.05)
    assert one.state is State.DRAINING
    sequences.append(company.call("quick"))
    one.answer()
    two.answer()
    await company.wait(0.05)

    assert [company.ends(sequence) for sequence in sequences] == [["ok"]] * 4
    assert one.heard()[-1] == ("stop",)
    company.die(one, 0)
    assert company.kills == []
    assert company.supervisor.restarts("") == 1


async def test_one_that_holds_too_much_memory_is_replaced(monkeypatch):
    company = Company(monkeypatch, max_memory=1 << 30)
    (one,) = await company.man()
    one.stats.bytes = (1 << 30) + 1
    await company.wait(0.25)
    await heir(company)
    await company.wait(0.05)

    assert one.member.reason == "it holds more memory than it may"


async def test_one_that_has_not_begun_what_it_has_gets_nothing_more(monkeypatch):
    company = Company(monkeypatch, sizes={"": Size(2, 2)})
    one, two = await company.man(2)
    for _ in range(2):
        company.call("quick")
    two.begin()
    await company.wait(0.1)
    two.begin()
    for _ in range(4):
        company.call("safe")
        two.begin()
    assert (one.events, two.events) == (["quick"], ["quick", *["safe"] * 4])

    one.begin()
    await company.wait(0.05)
    company.call("safe")
    company.call("safe")

    assert one.events == ["quick", "safe"]


async def test_streams_of_one_that_is_replaced_end_after_a_minute(company, one):
    company.serve(announce("feed", kind=Kind.STREAM))
    stream = company.call("feed")
    one.begin()
    company.supervisor.relieve(one.member, "it was asked to end")
    await company.wait(0.05)
    await heir(company)
    await company.wait(DRAIN_S - 1.0)
    assert one.state is State.DRAINING

    await company.wait(2.0)
    assert one.heard()[-1] == ("stop",)
    company.die(one, 0)
    assert company.ends(stream) == ["worker_lost"]


# How they end.


async def test_one_that_was_told_to_stop_and_does_not_is_killed(company, one):
    company.supervisor.relieve(one.member, "it was asked to end")
    await company.wait(0.05)
    await heir(company)
    await company.wait(0.1)
    assert (one.state, one.heard()[-1]) == (State.ENDING, ("stop",))
    await company.wait(STOP_S - 0.1)
    assert company.kills == []
    await company.wait(0.2)

    assert set(company.kills) == {(1, KILL)}


@pytest.mark.fault("K15")
async def test_a_process_that_can_not_be_killed_is_given_up_and_its_calls_are_answered(company, one, capsys):
    sequence = company.call("quick")
    one.begin(thread=1)
    await until_overdue(company, sequence)
    two = await heir(company)
    await company.wait(0.05)
    capsys.readouterr()
    await company.wait(STOP_S + UNKILLABLE_S + 0.5)

    assert one.state is State.GONE
    assert company.ends(sequence) == ["ended"]
    assert [member.number for member in company.pool.members] == [two.member.number]
    assert "can't be ended; it is given up" in capsys.readouterr().err
    assert one.memory.is_closed


@pytest.mark.fault("K1")
async def test_what_a_worker_said_before_its_end_is_heard_even_if_that_is_known_before(company, one):
    answered, lost = company.call("quick"), company.call("quick")
    one.begin()
    company.supervisor.process_ended(one.member.pid, -9)
    assert company.ends(answered) == []
    one.answer()
    one.member.lost(None)

    assert (company.ends(answered), company.ends(lost)) == (["ok"], ["worker_lost"])
    assert one.state is State.GONE


async def test_a_connection_that_somebody_else_holds_open_is_not_waited_for(company, one):
    sequence = company.call("quick")
    one.begin()
    company.supervisor.process_ended(one.member.pid, -9)
    await company.wait(0.25)

    assert company.ends(sequence) == ["worker_lost"]
    assert ("close",) in one.heard()


@pytest.mark.fault("K6")
async def test_one_that_hangs_up_is_killed_and_has_ended_when_nobody_says_so(company, one, capsys):
    sequence = company.call("quick")
    one.begin()
    one.member.lost("a batch of 4294967295 bytes")
    assert company.kills == [(1, KILL)]
    assert "does not speak the language" in capsys.readouterr().err
    assert company.call("quick") not in company.pool.running

    await company.wait(STATUS_S + 0.25)

    assert company.ends(sequence) == ["worker_lost"]
    assert one.state is State.GONE


async def test_its_place_is_taken_before_it_is_known_how_it_ended(company, one):
    one.member.lost(None)
    await company.wait(0.05)

    assert len(company.started) == 1


async def test_the_end_of_a_process_is_told_once_more_and_nothing_happens(company, one):
    company.die(one)
    company.die(one)
    one.member.lost("again")
    await company.wait(STATUS_S + 0.25)

    assert company.pool.members == []


@pytest.mark.parametrize("status", [3, -signal.SIGSEGV])
async def test_what_ran_when_a_process_ended_by_itself_is_to_blame_and_not_run_again(company, one, status):
    culprit, bystander = company.call("safe"), company.call("safe")
    one.memory.view[STARTED] = 1
    company.die(one, status)
    two = await heir(company)

    assert company.ends(culprit) == ["worker_lost"]
    assert [call.sequence for call in two.calls.values()] == [bystander]


async def test_a_plug_that_has_ended_three_workers_is_out(company, one):
    worker = one
    for _ in range(3):
        sequence = company.call("safe")
        worker.begin()
        company.die(worker, 3)
        await company.wait(5.0)
        worker = await heir(company)
    refused = company.call("safe")

    assert company.ends(sequence) == ["worker_lost"]
    assert company.ends(refused) == ["quarantined"]
    assert [problem.message[:12] for problem in company.sink.stages()[-1].problems] == ["quarantined:"]


async def test_a_kill_from_outside_is_nobodys_fault(company, one):
    worker = one
    for _ in range(4):
        company.call("safe")
        worker.begin()
        company.die(worker, -9)
        await company.wait(5.0)
        worker = await heir(company)
        worker.answer()

    assert company.ends(company.call("safe")) == []


async def test_a_file_that_ends_the_process_at_import_is_not_tried_again(monkeypatch):
    company = Company(monkeypatch, sizes={"": Size(2, 2)})
    one, two = await company.man(2)
    company.pool.changed(["boom.py"])
    one.import_group("b" * 16)
    one.member.lost(None)
    assert two.heard() == []
    company.supervisor.process_ended(one.member.pid, 3)

    assert two.heard() == [("look", "boom.py", f"without {'b' * 16}")]


@pytest.mark.parametrize(
    ("status", "text"), [(-signal.SIGSEGV, "SIGSEGV"), (7, "exit 7"), (-200, "signal 200"), (None, "unknown")]
)
async def test_how_a_worker_has_ended_is_in_the_log(company, one, capsys, status, text):
    company.call("quick")
    one.begin()
    company.die(one, status)

    assert f'status="{text}"' in capsys.readouterr().err.replace(f"status={text}", f'status="{text}"')


async def test_those_that_were_started_here_are_not_killed_by_number(monkeypatch):
    company = Company(monkeypatch, sizes={"": Size(2, 2)})
    one, _ = await company.man(2)
    joined = company.by_hand()
    one.member.lost("a batch of 4294967295 bytes")
    joined.member.lost("a batch of 4294967295 bytes")

    assert company.kills == [(1, KILL), (3, KILL)]
    assert company.kills_by_number == [(3, KILL)]


@pytest.mark.parametrize("fails", ["plugsock.pool.care.blame.blamed", "plugsock.pool.burial.Burial._mourn"])
async def test_whatever_goes_wrong_when_one_is_buried_its_calls_are_answered(monkeypatch, fails, capsys):
    company = Company(monkeypatch, sizes={"": Size(2, 2)})
    one, two = await company.man(2)
    sequences = [company.call("quick") for _ in range(2)]
    one.begin()

    def fail(*_args, **_more):
        raise RuntimeError

    monkeypatch.setattr(fails, fail)
    company.die(one)

    assert sorted(company.ends(sequence) for sequence in sequences) == [[], ["worker_lost"]]
    assert [member.number for member in company.pool.members] == [two.member.number]
    assert one.memory.is_closed
    assert "can't be dealt with" in capsys.readouterr().err


async def test_signals_never_reach_whole_groups_of_processes(company):
    kill(0, KILL)
    kill(-1, KILL)

    assert company.kills == []


# Taking calls back.


@pytest.fixture
async def company_of_two(monkeypatch):
    company = Company(monkeypatch, sizes={"": Size(2, 2)})
    await company.man(2)
    return company


@pytest.mark.fault("P4")
async def test_what_one_that_stands_still_has_not_begun_is_run_by_another_while_that_still_stands(company_of_two):
    one, two = company_of_two.ready()
    for _ in range(6):
        company_of_two.call("quick")
    one.begin(1)
    for serial in list(two.calls):
        two.answer(serial)

    await company_of_two.wait(0.3, beat=False)

    assert list(one.calls) == [1, 2, 3]
    assert list(one.member.open) == [1]
    assert [call.sequence for call in two.calls.values()] == [call.sequence for call in list(one.calls.values())[1:]]
    assert one.memory.view[TAKEN_BACK] == 3


async def test_what_it_begins_before_it_sees_that_stays_with_it_and_what_it_gives_back_is_run_by_another(
    company_of_two,
):
    one, two = company_of_two.ready()
    for _ in range(6):
        company_of_two.call("quick")
    one.begin(1)
    for serial in list(two.calls):
        two.answer(serial)
    while not one.memory.view[TAKEN_BACK]:
        await company_of_two.wait(0.05, beat=False)

    one.begin(2)  # it had looked before
    one.begin(3)
    one.member.returned(3)
    await company_of_two.wait(0.1, beat=False)
    one.member.returned(3)

    assert list(one.member.open) == [1, 2]
    assert len(two.calls) == 1
    one.answer(1)
    one.answer(2)
    two.answer()
    assert len([said for said in company_of_two.sink.said if type(said).__name__ == "Answer"]) == 6
    assert not company_of_two.pool.running


async def test_it_gets_nothing_more_before_it_is_heard_again(company_of_two):
    one, two = company_of_two.ready()
    for _ in range(6):
        company_of_two.call("quick")
    one.begin(1)
    for serial in list(two.calls):
        two.answer(serial)
    await company_of_two.wait(0.3, beat=False)
    before = len(one.calls)

    company_of_two.call("quick")
    assert len(one.calls) == before
    for serial in list(two.calls):
        two.answer(serial)
    await company_of_two.wait(0.1)
    for _ in range(2):
        company_of_two.call("quick")
    assert len(one.calls) > before


async def test_where_there_is_nobody_else_nothing_is_taken_back(company, one):
    for _ in range(3):
        company.call("quick")
    one.begin(1)
    await company.wait(0.3, beat=False)

    assert one.memory.view[TAKEN_BACK] == 0
    assert list(one.member.open) == [1, 2, 3]


async def test_what_it_has_is_taken_back_as_soon_as_there_is_another_one(company_of_two):
    one, two = company_of_two.ready()
    for _ in range(6):
        company_of_two.call("quick")
    one.begin(1)
    await company_of_two.wait(0.5, beat=False)
    assert len(one.calls) == len(two.calls) == 3

    for serial in list(two.calls):
        two.answer(serial)
    await company_of_two.wait(0.3, beat=False)

    assert list(one.member.open) == [1]
    assert len(two.calls) == 2
