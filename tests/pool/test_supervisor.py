"""How workers come, how many there are, and how all of them go."""

import asyncio
import sys

import pytest

from plugsock.frozen import executable
from plugsock.model import Problem
from plugsock.pool.care import DUMP_S, STOP_S, UNKILLABLE_S
from plugsock.pool.life import State
from plugsock.pool.sizes import Size
from plugsock.pool.squad import QUIET_S
from plugsock.pool.supervisor import REGISTER_S, TICK_S
from plugsock.rpc.frames import Group
from support.scripted import announce
from support.staffed import Company, turn

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the signals are POSIX'")

HALF = 50


def sizes(least, most=None, **more):
    return {"": Size(least, most or least), **{name: Size(count, count) for name, count in more.items()}}


@pytest.fixture
async def company(monkeypatch):
    return Company(monkeypatch, sizes=sizes(2))


def states(company):
    return [member.state for member in company.pool.members]


# They come.


async def test_as_many_as_there_must_be_are_started(company):
    await company.wait(1.0)

    assert len(company.started) == 2
    assert not company.supervisor.manned.is_set()


async def test_it_is_manned_when_each_set_has_what_it_must_have(monkeypatch):
    company = Company(monkeypatch, sizes=sizes(1, reports=1))
    await company.wait(0.2)
    workers = [await company.register(), await company.register()]
    assert sorted(worker.member.crew for worker in workers) == ["", "reports"]
    workers[0].catch_up()
    assert not company.supervisor.manned.is_set()
    workers[1].catch_up()

    assert company.supervisor.manned.is_set()


async def test_a_key_is_good_for_one_worker(company):
    await company.wait(0.05)
    key = next(iter(company.started.values()))
    assert company.supervisor.expects(key)
    await company.register()

    assert not company.supervisor.expects(key)
    assert not company.supervisor.expects("a guess")


async def test_one_that_joins_by_hand_gets_its_share_and_holds_nobodys_place(company):
    own, other = await company.man(2)
    joined = company.by_hand()
    joined.catch_up()
    await company.wait(1.0)
    for _ in range(3):
        company.call("quick")

    assert [worker.events for worker in (own, other, joined)] == [["quick"]] * 3
    assert company.started == {}
    company.die(own)
    await company.wait(0.1)
    assert len(company.started) == 1


async def test_a_process_that_ends_before_it_has_registered_is_started_anew(company, capsys):
    await company.wait(0.2)
    (pid, key), *_ = company.started.items()
    company.supervisor.process_ended(pid, 1)
    assert "ended before it had registered" in capsys.readouterr().err
    assert not company.supervisor.expects(key)
    await company.wait(1.0)

    assert len(company.started) == 3


async def test_one_that_can_not_load_what_is_served_is_ended_and_the_next_one_is_tried(company, capsys):
    await company.man(1)
    await company.wait(0.1)
    late = await company.register()
    late.stage(Group("restored", [], [], [Problem("quick.py", 1, "there is no numpy here")]))
    assert company.kills == [(2, 9)]
    company.die(late)
    await company.wait(0.2)

    assert len(company.started) == 1
    assert "it could not load what is served; quick.py:1: there is no numpy here" in capsys.readouterr().err


async def test_a_process_that_never_registers_is_given_up(company, capsys):
    await company.man(2)
    company.die(next(iter(company.workers.values())))
    await company.wait(0.1)
    await company.wait(REGISTER_S + 0.1)

    assert len(company.started) == 2
    assert company.kills == [(0, 9)]
    assert "does not register" in capsys.readouterr().err


async def test_where_no_process_can_be_started_it_is_tried_ever_less_often(company, capsys):
    company.fails = OSError("no memory is left")
    await company.wait(30.0)
    tries = capsys.readouterr().err.count("no memory is left")
    assert 8 < tries < 20
    company.fails = RuntimeError("of another kind")
    await company.wait(6.0)
    assert "of another kind" in capsys.readouterr().err

    company.fails = None
    await company.wait(6.0)

    assert len(company.started) == 2


@pytest.mark.fault("F5")
async def test_that_the_executable_was_replaced_is_said_once(company, capsys):
    company.fails = executable.Replaced()
    await company.wait(30.0)
    company.fails = OSError("no memory is left")
    await company.wait(6.0)

    said = capsys.readouterr().err
    assert said.count(executable.REPLACED) == 1
    assert "no memory is left" in said


async def test_workers_that_end_as_soon_as_they_are_there_are_started_ever_less_often(company):
    await company.man(2)
    ended = 0
    for _ in range(600):
        await company.wait(TICK_S)
        for pid in list(company.started):
            company.started.pop(pid)
            company.supervisor.process_ended(pid, 1)
            ended += 1
        for worker in list(company.workers.values())[:1]:
            if worker.state is State.READY:
                company.die(worker)

    assert ended < 20
    assert company.pool.members


# There are more and fewer of them.


async def test_it_grows_while_calls_have_to_wait_and_shrinks_after_a_quiet_minute(monkeypatch):
    company = Company(monkeypatch, sizes=sizes(1, 3))
    (one,) = await company.man()
    for _ in range(2 * HALF + 1):
        company.call("quick")
    one.begin()  # what a worker does not begin is taken back from it after a while, and given to another one
    await company.wait(1.0)
    assert len(company.started) == 1
    two = await company.register()
    two.catch_up()
    two.begin()
    await company.wait(0.2)
    assert len(company.started) == 1
    three = await company.register()
    three.catch_up()
    assert three.events == ["quick"]
    three.begin()
    await company.wait(QUIET_S - 1.0)
    assert states(company) == [State.READY] * 3
    await company.wait(2.0)

    assert states(company) == [State.READY, State.READY, State.DRAINING]
    three.answer()
    await company.wait(0.05)
    company.die(three, 0)
    await company.wait(QUIET_S + 1.0)
    assert states(company) == [State.READY, State.DRAINING]
    await company.wait(QUIET_S + 1.0)
    assert one.state is State.READY
    assert company.started == {}


async def test_one_that_is_not_needed_any_more_and_has_died_is_not_let_go_twice(monkeypatch):
    company = Company(monkeypatch, sizes=sizes(1, 2))
    (one,) = await company.man()
    for _ in range(HALF + 1):
        company.call("quick")
    await company.wait(0.2)
    two = await company.register()
    two.catch_up()
    for worker in (one, two):
        while worker.calls:
            worker.answer()
    await company.wait(QUIET_S - 1.0)
    company.die(one)
    company.die(two)
    await company.wait(5.0)
    assert len(company.started) == 2
    for pid in list(company.started):
        await company.register(pid)
    await company.wait(0.05)

    assert states(company) == [State.JOINING, State.ENDING]


# They are replaced.


async def test_all_are_replaced_one_by_one_the_new_ones_beside_the_old(company):
    old = await company.man(2)
    reload = asyncio.get_running_loop().create_task(company.supervisor.reload("somebody has asked for it"))
    fewest = 2
    while not reload.done() or any(worker.member in company.pool.members for worker in old):
        await company.wait(0.05)
        for pid in list(company.started):
            (await company.register(pid)).catch_up()
        for worker in old:
            if ("stop",) in worker.heard():
                company.die(worker, 0)
        fewest = min(fewest, states(company).count(State.READY))
    await company.wait(1.0)

    assert await reload == 2
    assert fewest == 2
    assert states(company) == [State.READY] * 2
    assert not any(worker.member in company.pool.members for worker in old)
    assert company.started == {}
    assert company.supervisor.restarts("") == 2
    assert company.kills == []


async def test_when_one_of_the_old_dies_meanwhile_there_are_as_many_as_before_in_the_end(company):
    one, two = await company.man(2)
    company.supervisor.roll("an environment file has changed")
    await company.wait(0.05)
    company.die(one)
    for _ in range(20):
        await company.wait(0.05)
        for pid in list(company.started):
            (await company.register(pid)).catch_up()
        if ("stop",) in two.heard():
            company.die(two, 0)

    assert states(company) == [State.READY] * 2
    assert company.started == {}


async def test_where_nobody_is_there_is_nothing_to_replace(company):
    assert await company.supervisor.reload("for the sake of it") == 0


async def test_one_that_is_asked_to_end_by_somebody_is_replaced_the_new_one_first(company):
    one, _ = await company.man(2)
    one.member.leave()
    one.member.leave()
    await company.wait(0.1)
    assert (one.state, len(company.started)) == (State.READY, 1)
    (await company.register()).catch_up()
    await company.wait(0.1)

    assert (one.state, one.member.reason) == (State.ENDING, "it was asked to end")
    assert one.heard()[-1] == ("stop",)
    company.die(one, 0)
    await company.wait(1.0)
    assert states(company) == [State.READY] * 2
    assert (company.started, company.supervisor.restarts("")) == ({}, 1)


async def test_one_of_somebodys_own_that_is_asked_to_end_ends_at_once(company):
    await company.man(2)
    joined = company.by_hand()
    joined.catch_up()
    joined.member.leave()
    await company.wait(0.1)

    assert (joined.state, company.started) == (State.ENDING, {})


async def test_those_that_have_all_run_their_share_are_replaced_one_by_one(monkeypatch):
    company = Company(monkeypatch, sizes=sizes(3), max_calls=2)
    old = await company.man(3)
    for _ in range(6):
        company.call("quick")
    for worker in old:
        while worker.calls:
            worker.answer()
    fewest, most = 3, 0
    for _ in range(60):
        await company.wait(0.05)
        most = max(most, len(company.started))
        for pid in list(company.started):
            (await company.register(pid)).catch_up()
        for worker in old:
            if ("stop",) in worker.heard():
                company.die(worker, 0)
        fewest = min(fewest, states(company).count(State.READY))

    assert [worker.state for worker in old] == [State.GONE] * 3
    assert {worker.member.reason for worker in old} == {"it has run 2 calls"}
    assert (fewest, most) == (3, 1)
    assert states(company) == [State.READY] * 3
    assert company.supervisor.restarts("") == 3


async def test_a_reload_does_not_wait_for_what_is_replaced_after_it(company):
    old = await company.man(2)
    reload = asyncio.get_running_loop().create_task(company.supervisor.reload("somebody has asked for it"))
    for _ in range(4):
        await company.wait(0.05)
        for pid in list(company.started):
            new = await company.register(pid)
            new.catch_up()
            new.member.leave()
        for worker in old:
            if ("stop",) in worker.heard():
                company.die(worker, 0)
    await turn()

    assert await reload == 2
    assert company.started or any(member.is_old for member in company.pool.members)


async def test_those_that_were_started_by_hand_do_not_stand_in_for_others(company):
    await company.man(1)
    company.by_hand().catch_up()
    await company.wait(0.1)
    assert states(company) == [State.READY] * 2
    assert not company.supervisor.manned.is_set()

    company.supervisor.roll("an environment file has changed")
    await company.wait(0.1)
    assert states(company) == [State.READY] * 2
    (await company.register()).catch_up()
    assert company.supervisor.manned.is_set()


async def test_calls_that_wait_make_it_grow_however_many_were_started_by_hand(monkeypatch):
    company = Company(monkeypatch, sizes=sizes(1, 2))
    await company.man(1)
    company.by_hand().catch_up()
    for _ in range(4 * HALF):
        company.call("quick")
    await company.wait(0.2)

    assert len(company.started) == 1


async def test_what_they_have_done_is_counted_beyond_their_ends(company):
    one, _ = await company.man(2)
    for _ in range(4):
        company.call("quick")
    for worker in company.ready():
        while worker.calls:
            worker.answer()
    company.die(one)

    assert company.supervisor.served == 4
    assert company.supervisor.restarts("") == 1


# All of them go.


async def stopping(company):
    stop = asyncio.get_running_loop().create_task(company.supervisor.stop())
    await turn()
    return stop


async def test_the_end_is_told_to_all_and_awaited(company):
    one, two = await company.man(2)
    stop = await stopping(company)
    assert (one.heard()[-1], two.heard()[-1]) == (("stop",), ("stop",))
    company.die(one, 0)
    await company.wait(0.1)
    assert not stop.done()
    company.die(two, 0)
    await turn()

    await stop
    assert company.kills == []
    assert company.started == {}


async def test_it_is_awaited_too_if_all_had_ended_once_before(company):
    for worker in await company.man(2):
        company.die(worker)
    await company.man(2)
    stop = await stopping(company)

    assert not stop.done()
    for worker in company.ready() or list(company.workers.values()):
        company.die(worker, 0)
    await stop


async def test_whatever_a_worker_is_doing_the_end_comes(company, monkeypatch):
    company = Company(monkeypatch, sizes=sizes(5))
    one, two, three, four = await company.man(4)
    await company.wait(0.05)
    joining = await company.register()
    stuck = company.call("quick")
    next(worker for worker in (one, two, three, four) if worker.calls).begin()
    company.supervisor.relieve(two.member, "it was asked to end")
    await company.wait(0.05)
    three.stats.stopped = True
    four.member.lost(None)
    stop = await stopping(company)
    await company.wait(STOP_S + UNKILLABLE_S + 0.2)

    await stop
    assert company.pool.members == []
    assert company.ends(stuck) == ["worker_lost"]
    assert {number for number, _ in company.kills} >= {worker.member.number for worker in (one, two, three, joining)}


async def test_processes_that_have_not_registered_are_killed_and_not_let_in(company):
    await company.wait(0.2)
    pids = list(company.started)
    await company.supervisor.stop()

    assert company.kills == [(0, 9)] * len(pids)
    assert not any(company.supervisor.expects(key) for key in [*company.started.values(), ""])


async def test_a_process_that_is_being_started_when_the_end_comes_is_killed_when_its_number_is_known(monkeypatch):
    company = Company(monkeypatch, sizes=sizes(1))
    may_go_on = asyncio.Event()
    start = company.supervisor._start_process

    async def starts_slowly(key):
        await may_go_on.wait()
        return await start(key)

    company.supervisor._start_process = starts_slowly
    await company.wait(0.1)
    worker = company.by_hand()
    stop = await stopping(company)
    assert company.kills == []
    may_go_on.set()
    await turn()
    assert company.kills == [(0, 9)]
    company.die(worker, 0)
    await company.wait(DUMP_S + 0.1)

    await stop


async def test_a_reload_ends_with_the_server(company):
    workers = await company.man(2)
    reload = asyncio.get_running_loop().create_task(company.supervisor.reload("somebody has asked for it"))
    await turn()
    stop = await stopping(company)
    for worker in workers:
        company.die(worker, 0)

    await stop
    assert await reload == 2


# Whatever goes wrong.


async def test_what_goes_wrong_with_one_does_not_concern_the_others(company, capsys):
    one, two = await company.man(2)

    def fails():
        raise RuntimeError("no such process")

    one.stats.cpu_s = fails
    two.stats.stopped = True
    await company.wait(2.25, beat=False)

    assert two.state is State.DRAINING
    assert "looking after a worker failed" in capsys.readouterr().err


async def test_it_ticks_by_itself_and_forgives_what_happened_while_it_could_not(monkeypatch, capsys):
    company = Company(monkeypatch, sizes=sizes(1))
    (one,) = await company.man()
    company.serve(announce("quick"))
    company.supervisor.start()
    await turn()
    company._now += 60.0
    one.stats.stopped = True
    for _ in range(3):
        await turn()
    assert one.state is State.READY
    ticks = company.supervisor._ticks

    def fails(_now):
        raise RuntimeError

    monkeypatch.setattr(company.pool, "tick", fails)
    for _ in range(20):
        company._now += TICK_S
        await turn()

    assert company.supervisor._ticks > ticks + 5
    assert "looking after the workers failed" in capsys.readouterr().err
    stop = await stopping(company)
    company.die(one, 0)
    await stop
