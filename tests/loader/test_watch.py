"""When somebody is told to look."""

import asyncio
import contextlib
import errno
import time
from pathlib import Path

import pytest
from watchfiles import Change

from plugsock.loader import watch as watching
from plugsock.loader.watch import EVERYTHING, beyond, is_relevant, watch


class Script:
    """Changes that a test says: a list of batches for each time that somebody begins to watch."""

    def __init__(self, *runs):
        self.runs = list(runs)
        self.began = []

    async def __call__(self, *paths):
        self.began.append(paths)
        for step in self.runs.pop(0) if self.runs else []:
            if isinstance(step, BaseException):
                raise step
            if callable(step):
                step()
                yield set()
            else:
                yield {(Change.modified, path) for path in step}
        await asyncio.Event().wait()


async def first(count, reports):
    """So many reports; then the watch is ended."""
    found = []
    async with contextlib.aclosing(reports):
        async with asyncio.timeout(20):
            async for report in reports:
                found.append(report)
                if len(found) == count:
                    return found
    return found


async def test_the_first_report_says_look_everywhere(tmp_path):
    assert await first(1, watch([tmp_path], source=Script([]))) == [EVERYTHING]


async def test_changes_are_reported_with_their_paths(tmp_path):
    script = Script([["a.py", "b.py"], [], ["c.py"]])
    assert await first(3, watch([tmp_path], source=script)) == [EVERYTHING, {"a.py", "b.py"}, {"c.py"}]


async def test_everything_is_looked_at_from_time_to_time(tmp_path, monkeypatch):
    monkeypatch.setattr(watching, "RESCAN_S", 0)
    assert await first(2, watch([tmp_path], source=Script([[]]))) == [EVERYTHING, EVERYTHING]


@pytest.mark.fault("S13")
@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "no space left on device"),
        OSError(errno.EMFILE, "too many open files"),
        RuntimeError("error creating recommended watcher"),
    ],
)
async def test_where_the_system_can_not_watch_it_looks_by_itself_and_says_so_once(tmp_path, error):
    warnings = []
    reports = watch([tmp_path], source=Script([error]), warn=warnings.append, poll_s=0.001)
    assert await first(5, reports) == [EVERYTHING] * 5
    assert len(warnings) == 1
    assert "it is looked at every 0.001 s" in warnings[0]


@pytest.mark.fault("S13")
async def test_polling_asks_nobody(tmp_path):
    script = Script([])
    assert await first(3, watch([tmp_path], poll=True, source=script, poll_s=0.001)) == [EVERYTHING] * 3
    assert script.began == []


@pytest.mark.fault("S14")
async def test_a_link_that_is_turned_is_watched_where_it_leads(tmp_path):
    for n in "12":
        (tmp_path / n).mkdir()
    current = tmp_path / "current"
    current.symlink_to("1")

    def turn():
        (tmp_path / "next").symlink_to("2")
        (tmp_path / "next").replace(current)

    script = Script([turn], [["a.py"]])
    assert await first(3, watch([current], source=script)) == [EVERYTHING, EVERYTHING, {"a.py"}]
    assert script.began == [(current,), (current,)]


@pytest.mark.fault("S14")
async def test_a_folder_that_is_missing_is_watched_once_it_comes(tmp_path, monkeypatch):
    monkeypatch.setattr(watching, "IDENTITY_MS", 1)
    folder = tmp_path / "plugs"
    script = Script([["a.py"]])
    reports = watch([folder], source=script)
    async with contextlib.aclosing(reports):
        assert await anext(reports) == EVERYTHING
        assert script.began == []
        folder.mkdir()
        assert [await anext(reports), await anext(reports)] == [EVERYTHING, {"a.py"}]


async def test_a_folder_that_vanishes_while_the_watch_is_set_up_is_tried_again(tmp_path, monkeypatch):
    monkeypatch.setattr(watching, "IDENTITY_MS", 1)
    script = Script([FileNotFoundError(errno.ENOENT, "gone")], [["a.py"]])
    assert await first(3, watch([tmp_path], source=script)) == [EVERYTHING, EVERYTHING, {"a.py"}]


@pytest.mark.parametrize(
    ("path", "relevant"),
    [
        ("/x/plugs/a.py", True),
        ("/x/plugs/_a.py", True),
        ("/x/plugs/folder", True),
        ("/x/plugs/.a.py.swp", False),
        ("/x/plugs/a.txt", False),
        ("/x/plugs/a.py~", False),
        ("/x/plugs/__pycache__/a.cpython-311.pyc", False),
        ("/x/plugs/test_a.py", False),
        ("/x/plugs/.site-packages-ab12/ready/a.py", False),
    ],
)
def test_what_is_relevant(path, relevant):
    assert is_relevant(path) == relevant


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (".env", ".env"),
        ("site-packages/numpy/core.py", "site-packages"),
        ("site-packages/numpy-2.dist-info", "site-packages"),
        ("site-packages", "site-packages"),
        ("fast.cpython-311-x86_64-linux-gnu.so", "fast.cpython-311-x86_64-linux-gnu.so"),
        ("lib/fast.abi3.so", "lib/fast.abi3.so"),
        ("fast.pyd", "fast.pyd"),
        ("FAST.DLL", "FAST.DLL"),
        ("a.py", None),
        ("lib/.env", None),
        ("lib/site-packages/a.py", None),
        (".venv/lib/fast.so", None),
        ("site-packages/__pycache__/a.cpython-311.pyc", None),
        ("fast.so.tmp", None),
        (".site-packages-ab12/ready/fast.so", None),
        (".site-packages.lock", None),
    ],
)
def test_what_only_a_new_process_can_take_over(tmp_path, path, name):
    assert beyond(str(tmp_path / path), [tmp_path]) == name


def test_a_folder_may_itself_lie_among_libraries(tmp_path):
    folder = tmp_path / "site-packages" / "plugsock" / "embedded"
    assert beyond(str(folder / "clock.py"), [folder]) is None
    assert beyond(str(tmp_path / "site-packages" / "x.so"), [folder]) is None


@pytest.mark.parametrize("said", ["plugs", "absolute", "linked"])
def test_a_path_is_known_however_the_system_says_it(tmp_path, monkeypatch, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "real").mkdir()
    (tmp_path / "plugs").symlink_to("real")
    path = {"plugs": Path("plugs"), "absolute": tmp_path / "plugs", "linked": (tmp_path / "real").resolve()}[said]
    assert beyond(str(path / ".env"), [Path("plugs")]) == ".env"


async def test_the_system_reports_an_environment_file_and_libraries(tmp_path):
    (tmp_path / "site-packages").mkdir()
    reports = watch([tmp_path])
    seen = set()
    async with contextlib.aclosing(reports), asyncio.timeout(20):
        await anext(reports)
        while seen != {".env", "readme.txt"}:
            pending = asyncio.ensure_future(anext(reports))  # noqa: TID251
            while not pending.done():
                (tmp_path / ".env").write_text("A=1")
                (tmp_path / "site-packages" / "readme.txt").write_text("A")
                await asyncio.sleep(0.05)
            seen |= {Path(path).name for path in await pending}


async def test_the_system_reports_a_save_soon(tmp_path):
    (tmp_path / "a.py").write_text("1")
    delays = []
    reports = watch([tmp_path])
    async with contextlib.aclosing(reports):
        await anext(reports)
        for n in range(10):
            pending = asyncio.ensure_future(anext(reports))  # noqa: TID251
            await asyncio.sleep(0.1)  # the watch stands
            began = time.monotonic()
            (tmp_path / "b.tmp").write_text(str(n))
            (tmp_path / "b.tmp").replace(tmp_path / "a.py")
            report = await asyncio.wait_for(pending, 5)
            delays.append(time.monotonic() - began)
            assert {Path(path).name for path in report} == {"a.py"}
    assert sorted(delays)[5] < 0.2


async def test_a_watch_that_is_cancelled_ends_soon(tmp_path):
    async def run():
        async for _ in watch([tmp_path]):
            pass

    task = asyncio.ensure_future(run())  # noqa: TID251
    await asyncio.sleep(0.2)
    began = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.monotonic() - began < 1


@pytest.mark.fault("S14")
async def test_the_system_reports_changes_in_a_folder_that_was_replaced(tmp_path):
    folder = tmp_path / "plugs"
    folder.mkdir()
    reports = watch([folder])
    async with contextlib.aclosing(reports), asyncio.timeout(20):
        await anext(reports)
        folder.rename(tmp_path / "old")
        folder.mkdir()
        async for report in reports:
            if report == EVERYTHING:
                break
        pending = asyncio.ensure_future(anext(reports))  # noqa: TID251
        while not pending.done():
            (folder / "a.py").write_text("1")
            await asyncio.sleep(0.05)
        assert {Path(path).name for path in await pending} == {"a.py"}
