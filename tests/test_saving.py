"""Every way in which a file of plugs can be saved, while clients call: each is served, and nobody notices a gap."""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from support.callers import EVENT, calling, source
from support.swapping import swapping

linux = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody can tell that a file is still open")

pytestmark = pytest.mark.end_to_end


def in_place(path, text):
    path.write_text(text)


def renamed(path, text):
    beside = path.with_name("beside.tmp")
    beside.write_text(text)
    beside.replace(path)


def backed_up(path, text):
    path.rename(path.with_name(f"{path.name}~"))
    path.write_text(text)


def truncated(path, text):
    os.truncate(path, 0)
    path.write_text(text)


def copied(path, text):
    beside = path.with_name("beside.tmp")
    beside.write_text(text)
    _run("cp", beside, path)


def moved_from_another_folder(path, text):
    beside = path.parent.parent / path.name
    beside.write_text(text)
    _run("mv", beside, path)


def moved_from_another_file_system(path, text):
    with tempfile.TemporaryDirectory(dir="/dev/shm") as other:
        beside = Path(other, path.name)
        beside.write_text(text)
        _run("mv", beside, path)


def sed(path, text):
    version = text.rpartition(" ")[2].strip()
    _run("sed", "-i", f"s/^\\(FIRST\\|LAST\\) = .*/\\1 = {version}/", path)


def vim(path, text):
    version = text.rpartition(" ")[2].strip()
    change = f"%s/^\\(FIRST\\|LAST\\) = .*/\\1 = {version}/"
    _run("vim", "-u", "NONE", "-es", "-c", "set backup backupcopy=no", "-c", change, "-c", "wq", path)


def rsync(path, text):
    beside = path.parent.parent / path.name
    beside.write_text(text)
    _run("rsync", "--ignore-times", beside, path)  # two saves of a test may be alike in size and second


def checked_out(path, text):
    """The next version is committed in another working tree; this one checks it out."""
    here, there = path.parent, path.parent.parent / "there"
    if not there.exists():
        _git(here, "init", "-q")
        _git(here, "add", ".")
        _git(here, "commit", "-qm", "first")
        _git(here, "worktree", "add", "-q", "--detach", str(there))
    (there / path.name).write_text(text)
    _git(there, "commit", "-qam", "next")
    head = _git(there, "rev-parse", "HEAD").strip()
    _git(here, "checkout", "-q", head)


def _git(folder, *words):
    return _run("git", "-c", "user.name=a", "-c", "user.email=a@b", *words, cwd=folder)


def _run(*words, cwd=None):
    return subprocess.run(words, cwd=cwd, check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout


def needs(program):
    return pytest.mark.skipif(not shutil.which(program), reason=f"{program} is not installed")


def _is_another_file_system(path):
    return Path(path).is_dir() and Path(path).stat().st_dev != Path(tempfile.gettempdir()).stat().st_dev


another_file_system = pytest.mark.skipif(not _is_another_file_system("/dev/shm"), reason="there is but one file system")


@pytest.mark.fault("S2")
@pytest.mark.parametrize(
    "style",
    [
        in_place,
        renamed,
        backed_up,
        truncated,
        pytest.param(copied, marks=needs("cp")),
        pytest.param(moved_from_another_folder, marks=needs("mv")),
        pytest.param(moved_from_another_file_system, marks=[needs("mv"), another_file_system]),
        pytest.param(sed, marks=[needs("sed"), linux]),
        pytest.param(vim, marks=needs("vim")),
        pytest.param(rsync, marks=needs("rsync")),
        pytest.param(checked_out, marks=needs("git")),
    ],
    ids=lambda style: style.__name__,
)
async def test_every_way_to_save_is_served_without_a_gap(tmp_path, style):
    async with swapping(tmp_path / "plugs") as folder:
        async with calling(folder.server, folder.history, connections=2, depth=2):
            for _ in range(5):
                await folder.swap(style)
        assert folder.history.faults() == []


@pytest.mark.fault("S11")
async def test_of_a_hundred_saves_a_second_the_last_is_served_and_few_are_swaps(tmp_path):
    saves = 200
    async with swapping(tmp_path / "plugs") as folder:
        loop = asyncio.get_running_loop()
        async with calling(folder.server, folder.history, connections=2, depth=2) as callers:
            began = loop.time()
            answered = []
            for number in range(1, saves + 1):
                swap = folder.begin()
                folder.server.save(folder.path.name, source(swap.version))
                answered.append(sum(caller.answered for caller in callers))
                await asyncio.sleep(began + number * 0.01 - loop.time())
            await folder.served(swap)
        assert folder.history.faults() == []
        assert folder.history.slowest_s() < 2.0
        assert answered[-1] > answered[saves // 2] > answered[0]
        assert len(folder.history.versions()) < saves // 2
        await folder.two_are_alive()


@pytest.mark.fault("S14")
async def test_a_folder_that_is_moved_away_goes_on_serving_and_is_found_again(tmp_path):
    async with swapping(tmp_path / "plugs") as folder:
        here, away = folder.server.folder, tmp_path / "away"
        async with calling(folder.server, folder.history, connections=2, depth=2):
            here.rename(away)
            await folder.server.says("can't be read")
            swap = folder.begin()
            (away / folder.path.name).write_text(source(swap.version))
            away.rename(here)
            await folder.served(swap)
            await folder.swap()
        assert folder.history.faults() == []


@pytest.mark.fault("S14")
@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there that few have")
async def test_a_link_that_is_turned_to_the_next_release_swaps(tmp_path):
    for version in (1, 2):
        release = tmp_path / "releases" / str(version)
        release.mkdir(parents=True)
        (release / f"{EVENT}.py").write_text(source(version))
    current = tmp_path / "current"
    current.symlink_to(tmp_path / "releases" / "1")
    async with swapping(current) as folder:
        async with calling(folder.server, folder.history, connections=2, depth=2):
            turned = tmp_path / "turned"
            turned.symlink_to(tmp_path / "releases" / "2")
            swap = folder.begin()
            turned.replace(current)
            await folder.served(swap)
            await folder.swap()
        assert folder.history.faults() == []
        assert (tmp_path / "releases" / "2" / f"{EVENT}.py").read_text() == source(3)
