import asyncio
import threading
from pathlib import Path

import pytest

from plugsock.loader.source import Folder
from plugsock.loader.swap import Loader
from plugsock.ops import log
from plugsock.worker.keeper import Keeper, on_loop
from plugsock.worker.table import Table
from support.recording import RecordingSink
from support.working import until

PLUG = "from plugsock import plug, on_load, on_unload\n@plug\nasync def it(): ...\n"


class Kept:
    """A keeper over a folder, with a gateway that commits only what the test says."""

    def __init__(self, folder: Path, **options) -> None:
        self.folder = folder
        self.sink = RecordingSink()
        self.table = Table(1000, dev=False)
        self.loader = Loader([Folder(folder)], **options)
        self.keeper = Keeper(self.loader, self.sink, self.table, poll=False)

    async def stage(self, count: int):
        """The n-th announcement."""
        await self.sink.until(lambda: len(self.sink.stages()) >= count)
        return self.sink.stages()[count - 1]

    def commit(self, staged) -> None:
        self.keeper.commit(staged.stage, [group.id for group in staged.groups])


@pytest.fixture
async def kept(tmp_path):
    made = []

    def make(text: str = PLUG, **options) -> Kept:
        (tmp_path / "it.py").write_text(text)
        made.append(Kept(tmp_path, **options))
        return made[-1]

    yield make
    for one in made:
        await one.keeper.stop()


async def test_start_ends_when_the_first_look_has_been_decided_on(kept):
    one = kept()
    starting = asyncio.get_running_loop().create_task(one.keeper.start())
    staged = await one.stage(1)
    assert not starting.done()
    one.commit(staged)
    await starting
    assert list(one.table.serving) == [staged.groups[0].events[0].revision]


async def test_a_decision_on_another_look_is_ignored(kept):
    one = kept()
    starting = asyncio.get_running_loop().create_task(one.keeper.start())
    staged = await one.stage(1)
    one.keeper.commit(staged.stage + 1, [group.id for group in staged.groups])
    assert one.table.serving == {}
    one.commit(staged)
    one.commit(staged)
    await starting


async def test_nothing_is_looked_at_before_the_last_look_has_been_decided_on(kept):
    one = kept()
    starting = asyncio.get_running_loop().create_task(one.keeper.start())
    staged = await one.stage(1)
    one.keeper.look()
    for _ in range(20):
        await asyncio.sleep(0.001)
    assert len(one.sink.stages()) == 1
    one.commit(staged)
    await starting
    one.commit(await one.stage(2))


async def test_a_retirement_waits_for_the_look_that_is_on_its_way(kept):
    one = kept()
    one.sink.link = one.keeper
    await one.keeper.start()
    entered, may_end = threading.Event(), threading.Event()
    look, retire, order = one.loader.look, one.loader.retire, []

    def slow_look(*args, **more):
        entered.set()
        may_end.wait()
        found = look(*args, **more)
        order.append("look")
        return found

    one.loader.look = slow_look
    one.loader.retire = lambda stage: (order.append("retire"), retire(stage))
    one.keeper.look()
    await until(entered.is_set)
    one.keeper.retire(1)
    assert order == []
    may_end.set()
    await one.sink.until(lambda: any(staged.asked for staged in one.sink.stages()))
    assert order[:2] == ["look", "retire"]


async def test_a_look_that_fails_is_in_the_log_and_the_next_one_is_made(kept, capsys, monkeypatch):
    log.configure("text")
    monkeypatch.setattr("plugsock.worker.keeper.AFTER_FAILURE_S", 0.001)
    one = kept()
    one.sink.link = one.keeper
    await one.keeper.start()
    look = one.loader.look

    def fail_once(*_args, **_more):
        one.loader.look = look
        raise OSError("the disk is on fire")

    one.loader.look = fail_once
    one.keeper.look()
    await one.sink.until(lambda: any(staged.asked for staged in one.sink.stages()))
    assert "the disk is on fire" in capsys.readouterr().err


async def test_a_file_that_can_not_be_loaded_is_announced_with_its_traceback(kept):
    one = kept("raise ValueError('broken')\n")
    one.sink.link = one.keeper
    await one.keeper.start()
    (group,) = one.sink.stages()[0].groups
    assert [problem.line for problem in group.problems] == [1]
    assert group.traces[0].endswith("ValueError: broken\n")


async def test_stop_unloads_the_plugs(kept, tmp_path):
    one = kept(PLUG + "@on_unload\ndef say():\n    open(__file__ + '.bye', 'w').close()\n")
    one.sink.link = one.keeper
    await one.keeper.start()
    await one.keeper.stop()
    assert [path.name for path in tmp_path.glob("*.bye")]


async def test_an_import_that_does_not_end_holds_up_no_stop(kept, capsys, monkeypatch):
    log.configure("text")
    monkeypatch.setattr("plugsock.worker.keeper.STOP_S", 0.01)
    one = kept()
    one.sink.link = one.keeper
    await one.keeper.start()
    may_end = threading.Event()
    look = one.loader.look

    def slow_look(*args, **more):
        may_end.wait()
        return look(*args, **more)

    one.loader.look = slow_look
    one.keeper.look()
    await asyncio.sleep(0)
    await until(lambda: one.keeper._is_looking)
    await one.keeper.stop()
    assert "does not end" in capsys.readouterr().err
    may_end.set()


async def test_async_moments_can_share_the_loop_of_the_plugs(kept):
    seen = []

    async def note() -> None:
        seen.append(asyncio.get_running_loop())

    run = on_loop(asyncio.get_running_loop())
    thread = threading.Thread(target=lambda: run(note()))
    thread.start()
    await until(lambda: not thread.is_alive())
    assert seen == [asyncio.get_running_loop()]


@pytest.mark.parametrize("error", [ValueError, SystemExit, KeyboardInterrupt], ids=lambda error: error.__name__)
async def test_what_an_async_moment_raises_comes_out_in_its_thread_and_not_of_the_loop(error):
    raised = []

    async def fail() -> None:
        raise error

    def run_in_thread() -> None:
        try:
            run(fail())
        except BaseException as it:
            raised.append(type(it))

    run = on_loop(asyncio.get_running_loop())
    thread = threading.Thread(target=run_in_thread)
    thread.start()
    await until(lambda: not thread.is_alive())
    assert raised == [error]
