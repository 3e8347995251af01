import asyncio
import threading
from pathlib import Path

import pytest

from plugsock.loader.source import Folder
from plugsock.loader.swap import Loader
from plugsock.model import Kind, TopicRule, Watching
from plugsock.ops import log
from plugsock.rpc.frames import File
from plugsock.rpc.page import STAGING, private, staging
from plugsock.worker.keeper import Keeper, marks_staging, on_loop, warn
from plugsock.worker.table import Table
from support.recording import RecordingSink
from support.working import until

PLUG = "from plugsock import plug, on_load, on_unload\n@plug\nasync def it(): ...\n"


class Kept:
    """A keeper over a folder, with a gateway that says only what the test says."""

    def __init__(self, folder: Path, **options) -> None:
        self.folder = folder
        self.sink = RecordingSink()
        self.table = Table(1000, dev=False)
        self.loader = Loader([Folder(folder)], **options)
        self.outdated = []
        self.keeper = Keeper(self.loader, self.sink, self.table, poll=False, outdated=self.outdated.append)

    def start(self) -> None:
        """Begin with a gateway that does whatever the keeper wants."""
        self.sink.link = self.keeper
        self.keeper.start()

    async def started(self) -> None:
        """Begin likewise, and wait until the folder has been looked at."""
        self.start()
        await self.stage(1)

    async def stage(self, count: int):
        """The n-th answer."""
        await self.sink.until(lambda: len(self.sink.stages()) >= count)
        return self.sink.stages()[count - 1]

    async def changed(self, count: int) -> list[str]:
        """What the keeper says the n-th time that something may have changed."""
        await self.sink.until(lambda: len(self.sink.changes()) >= count)
        return self.sink.changes()[count - 1]

    def commit(self, staged, held=None) -> None:
        self.keeper.commit(staged.stage, [group.id for group in staged.groups if not group.problems], held)

    def save(self, text: str) -> None:
        beside = self.folder / ".it.tmp"
        beside.write_text(text)
        beside.replace(self.folder / "it.py")

    @property
    def events(self) -> list[str]:
        return sorted(event for events in self.table.serving.values() for event in events)


@pytest.fixture
async def kept(tmp_path):
    made = []

    def make(text: str | None = PLUG, **options) -> Kept:
        folder = tmp_path / "plugs"
        folder.mkdir()
        if text is not None:
            (folder / "it.py").write_text(text)
        made.append(Kept(folder, **options))
        return made[-1]

    yield make
    for one in made:
        await one.keeper.stop()


async def turns(count: int = 20) -> None:
    """Give what should not happen the time to happen."""
    for _ in range(count):
        await asyncio.sleep(0.001)


async def test_it_says_at_once_that_everything_may_have_changed_and_looks_only_when_told_to(kept):
    one = kept()
    one.keeper.start()
    assert await one.changed(1) == []
    await turns()
    assert one.sink.stages() == []
    one.keeper.look()
    assert [group.events[0].event for group in (await one.stage(1)).groups] == ["it"]


ALL_KINDS = """
from plugsock import on_join, topic, view

topic("room.*", requires="rooms.{*}", history=10, presence=True)

@view(on="orders")
def summary() -> int:
    return 1

@on_join
async def joined(topic: str): ...
"""


async def test_views_rules_and_hooks_are_announced_and_served_and_go(kept):
    one = kept(ALL_KINDS)
    await one.started()
    announced = {event.event: event for event in (await one.stage(1)).groups[0].events}
    assert [event.kind for _, event in sorted(announced.items())] == [Kind.MOMENT, Kind.TOPIC, Kind.VIEW]
    assert announced["@topic:room.*"].topic == TopicRule("room.*", 10, presence=True)
    assert (announced["it.summary"].view, announced["it.summary"].idempotent) == (Watching(on=("orders",)), True)
    assert one.events == ["@on_join:it.joined", "@topic:room.*", "it.summary"]

    await turns()
    one.save("from plugsock import plug\n@plug\nasync def it(): ...\n")
    staged = await one.stage(2)
    assert sorted(staged.groups[0].gone) == ["@on_join:it.joined", "@topic:room.*", "it.summary"]
    one.keeper.retire(staged.stage)
    assert one.events == ["it"]


async def test_what_was_saved_is_said_with_its_path(kept):
    one = kept()
    one.keeper.start()
    await one.changed(1)
    await turns()  # the watch stands
    one.save(PLUG + "\n")
    assert [Path(path).name for path in await one.changed(2)] == ["it.py"]


async def test_it_serves_what_it_is_told_to(kept):
    one = kept()
    one.keeper.start()
    one.keeper.look()
    staged = await one.stage(1)
    assert one.events == []
    one.commit(staged)
    assert list(one.table.serving) == [staged.groups[0].events[0].revision]


async def test_a_decision_on_another_look_is_ignored(kept):
    one = kept()
    one.keeper.start()
    one.keeper.look()
    staged = await one.stage(1)
    one.keeper.commit(staged.stage + 1, [group.id for group in staged.groups])
    assert one.events == []
    one.commit(staged)
    one.commit(staged)
    assert one.events == ["it"]


async def test_nothing_is_looked_at_before_the_last_look_has_been_decided_on(kept):
    one = kept()
    one.keeper.start()
    one.keeper.look()
    staged = await one.stage(1)
    one.keeper.look()
    await turns()
    assert len(one.sink.stages()) == 1
    one.commit(staged)
    one.commit(await one.stage(2))


async def test_each_look_is_answered_in_order_and_says_whether_it_was_forced(kept):
    one = kept()
    one.sink.link = one.keeper
    for force in (True, False, True):
        one.keeper.look(force=force)
    one.keeper.start()
    await one.stage(3)
    assert [staged.asked for staged in one.sink.stages()[:3]] == [True, False, True]


async def test_what_failed_is_tried_again_when_that_is_asked_for(kept, tmp_path):
    one = kept("from pathlib import Path\n" + PLUG + f"assert Path({str(tmp_path / 'there')!r}).exists()\n")
    await one.started()
    (tmp_path / "there").touch()
    one.keeper.look()
    assert (await one.stage(2)).groups == []
    one.keeper.look(force=True)
    assert [group.problems for group in (await one.stage(3)).groups] == [[]]


async def test_a_refused_group_fails_without_being_tried(kept, tmp_path):
    one = kept(f"open({str(tmp_path / 'ran')!r}, 'w').close()\n" + PLUG)
    one.keeper.start()
    one.keeper.look()
    (group,) = (await one.stage(1)).groups
    one.keeper.commit(1, [], [])
    (tmp_path / "ran").unlink()
    one.keeper.look(refused=[group.id])
    staged = await one.stage(2)
    assert "ended a worker" in staged.groups[0].problems[0].message
    assert staged.groups[0].id == group.id
    assert not (tmp_path / "ran").exists()


async def test_what_is_neither_committed_nor_held_is_soon_said_to_have_changed(kept):
    one = kept()
    one.keeper.start()
    await one.changed(1)
    one.keeper.look()
    first = await one.stage(1)
    one.keeper.commit(first.stage, [], [])
    assert await one.changed(2) == []
    one.keeper.look()
    assert [group.id for group in (await one.stage(2)).groups] == [group.id for group in first.groups]


@pytest.mark.parametrize("held", [None, "it"])
async def test_what_is_held_is_not_staged_again(kept, held):
    one = kept()
    one.keeper.start()
    await one.changed(1)
    one.keeper.look()
    first = await one.stage(1)
    one.keeper.commit(first.stage, [], held and [group.id for group in first.groups])
    one.keeper.look()
    assert (await one.stage(2)).groups == []
    await asyncio.sleep(0.1)  # twice as long as it would take
    assert len(one.sink.changes()) == 1


async def test_a_failed_group_that_nobody_decides_on_is_not_tried_for_ever(kept):
    one = kept("1/0\n")
    one.keeper.start()
    await one.changed(1)
    one.keeper.look()
    one.keeper.commit((await one.stage(1)).stage, [], [])
    one.keeper.look()
    assert (await one.stage(2)).groups == []
    await asyncio.sleep(0.1)
    assert len(one.sink.changes()) == 1


async def test_what_is_being_deleted_is_said_to_have_changed_when_that_is_certain(kept):
    one = kept()
    await one.started()
    (one.folder / "it.py").unlink()
    await one.sink.until(lambda: any(group.gone for staged in one.sink.stages() for group in staged.groups))


async def test_a_group_says_what_it_is_made_of(kept):
    one = kept()
    await one.started()
    (group,) = one.sink.stages()[0].groups
    path = str(one.folder / "it.py")
    assert group.modules == ["plugs.it"]
    assert group.files == [
        File(
            "plugs.it", path, path, PLUG.encode(), is_package=False, is_helper=False, origin="folder", is_implicit=False
        )
    ]


async def test_files_are_served_whatever_the_folder_holds(kept):
    one = kept("this is no Python\n")
    path = str(one.folder / "it.py")
    file = File("plugs.it", path, path, PLUG.encode(), False, False, "folder", False)
    one.sink.link = one.keeper
    one.keeper.restore([file])
    one.keeper.start()
    staged = await one.stage(1)
    assert (staged.problems, staged.asked, one.events) == ([], False, ["it"])
    assert (await one.stage(2)).problems != []
    assert one.events == ["it"]


async def test_a_retirement_waits_for_the_look_that_is_on_its_way(kept):
    one = kept()
    await one.started()
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
    one.keeper.look(force=True)
    await until(entered.is_set)
    one.keeper.retire(1)
    assert order == []
    may_end.set()
    await one.sink.until(lambda: any(staged.asked for staged in one.sink.stages()))
    assert order[:2] == ["look", "retire"]


async def test_a_look_that_fails_is_in_the_log_and_answered_and_the_next_one_is_wanted(kept, capsys, monkeypatch):
    log.configure("text")
    monkeypatch.setattr("plugsock.worker.keeper.AFTER_FAILURE_S", 0.001)
    one = kept("1/0\n")
    await one.started()
    look = one.loader.look

    def fail_once(*_args, **_more):
        one.loader.look = look
        raise OSError("the disk is on fire")

    one.loader.look = fail_once
    count = len(one.sink.changes())
    one.keeper.look(force=True)
    failed = await one.sink.until(lambda: next((staged for staged in one.sink.stages() if staged.asked), None))
    assert (failed.groups, failed.problems) == ([], one.sink.stages()[0].problems)
    assert await one.changed(count + 1) == []
    assert "the disk is on fire" in capsys.readouterr().err


async def test_after_a_look_that_failed_what_was_committed_before_is_still_served(kept, monkeypatch):
    monkeypatch.setattr("plugsock.worker.keeper.AFTER_FAILURE_S", 60)
    one = kept()
    await one.started()
    monkeypatch.setattr("plugsock.worker.keeper.in_thread", None)  # as where no thread can be started
    one.keeper.look(force=True)
    failed = await one.sink.until(lambda: next((staged for staged in one.sink.stages() if staged.asked), None))
    one.keeper.retire(failed.stage)
    assert one.events == ["it"]
    monkeypatch.undo()


async def test_a_gateway_that_fails_is_told_of_the_next_look(kept, capsys, monkeypatch):
    log.configure("text")
    monkeypatch.setattr("plugsock.worker.keeper.AFTER_FAILURE_S", 0.001)
    one = kept()
    staged = one.sink.staged

    def fail_once(_staged):
        one.sink.staged = staged
        raise ValueError("a bug")

    one.sink.staged = fail_once
    await one.started()
    await until(lambda: one.events == ["it"])
    assert "a bug" in capsys.readouterr().err


async def test_a_file_that_can_not_be_loaded_is_announced_with_its_traceback(kept):
    one = kept("raise ValueError('broken')\n")
    await one.started()
    (group,) = one.sink.stages()[0].groups
    assert [problem.line for problem in group.problems] == [1]
    assert group.traces[0].endswith("ValueError: broken\n")


async def test_stop_unloads_the_plugs(kept):
    one = kept(PLUG + "@on_unload\ndef say():\n    open(__file__ + '.bye', 'w').close()\n")
    await one.started()
    await one.keeper.stop()
    assert [path.name for path in one.folder.glob("*.bye")]


async def test_an_import_that_does_not_end_holds_up_no_stop(kept, capsys, monkeypatch):
    log.configure("text")
    monkeypatch.setattr("plugsock.worker.keeper.STOP_S", 0.01)
    one = kept()
    await one.started()
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


async def test_an_async_moment_that_is_given_up_is_cancelled(kept, tmp_path):
    text = (
        "import asyncio\n" + PLUG + "@on_load\nasync def hang():\n    try:\n        await asyncio.sleep(60)\n"
        f"    except asyncio.CancelledError:\n        open({str(tmp_path / 'cancelled')!r}, 'w').close()\n"
    )
    one = kept(text, run_async=on_loop(asyncio.get_running_loop()), import_limit_s=0.05)
    await one.started()
    assert "had not ended" in one.sink.stages()[0].problems[0].message
    await until((tmp_path / "cancelled").exists)


async def test_the_group_that_is_tried_is_marked_on_the_page(kept):
    page = private()
    seen = []
    mark = marks_staging(page)

    def trying(group: str | None) -> None:
        mark(group)
        seen.append(page[STAGING])

    one = kept(trying=trying)
    await one.started()
    assert seen == [staging(one.sink.stages()[0].groups[0].id), 0]


@pytest.fixture
def quiet(monkeypatch):
    monkeypatch.setattr("plugsock.worker.outdated.QUIET_S", 0.02)


@pytest.mark.usefixtures("quiet")
async def test_a_library_that_is_installed_is_said_to_need_a_new_process_and_looked_at_by_nobody(kept):
    one = kept()
    (one.folder / "site-packages").mkdir()
    await one.started()
    count = len(one.sink.changes())
    async with asyncio.timeout(20):
        while not one.outdated:
            (one.folder / "site-packages" / "library.py").write_text("X = 1\n")
            await asyncio.sleep(0.05)
    assert one.outdated[0] == "site-packages has changed"
    assert all(not path.endswith("library.py") for paths in one.sink.changes()[count:] for path in paths)


def test_where_nobody_can_start_a_process_people_are_told(capsys):
    log.configure("text")
    warn(".env has changed")
    assert 'only a restart takes over  reason=".env has changed"' in capsys.readouterr().err


async def test_what_can_not_be_announced_is_a_problem_and_nothing_else_is_held_up(kept):
    one = kept(
        "from plugsock.loader.declare import Options\nasync def it(): ...\nit.__plugsock__ = Options(timeout='soon')\n"
    )
    one.start()
    (group,) = (await one.stage(1)).groups

    assert group.events == []
    assert [problem.events for problem in group.problems] == [("it",)]
    assert "can't be announced" in group.problems[0].message

    one.save(PLUG)
    await one.sink.until(lambda: one.events == ["it"])
