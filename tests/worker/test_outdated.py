import asyncio

import pytest

from plugsock.worker import outdated
from plugsock.worker.outdated import Outdated


@pytest.fixture
def told(monkeypatch, tmp_path):
    monkeypatch.setattr(outdated, "QUIET_S", 0.02)
    return []


def paths(folder, *names):
    return frozenset(str(folder / name) for name in names)


async def test_plugs_are_given_back(tmp_path, told):
    watcher = Outdated([tmp_path], told.append)
    assert watcher.without(paths(tmp_path, "a.py", ".env")) == paths(tmp_path, "a.py")
    watcher.stop()


async def test_it_is_told_once_when_it_has_come_to_rest(tmp_path, told):
    watcher = Outdated([tmp_path], told.append)
    for n in range(20):
        watcher.without(paths(tmp_path, f"site-packages/{n}.py"))
        await asyncio.sleep(0)
    assert told == []
    await asyncio.sleep(0.05)
    assert told == ["site-packages has changed"]


async def test_several_things_are_counted(tmp_path, told):
    watcher = Outdated([tmp_path], told.append)
    watcher.without(paths(tmp_path, ".env", "fast.so", "site-packages/x.py"))
    await asyncio.sleep(0.05)
    assert told == [".env and 2 more have changed"]


async def test_what_changes_later_is_told_again(tmp_path, told):
    watcher = Outdated([tmp_path], told.append)
    watcher.without(paths(tmp_path, ".env"))
    await asyncio.sleep(0.05)
    watcher.without(paths(tmp_path, "fast.so"))
    await asyncio.sleep(0.05)
    assert told == [".env has changed", "fast.so has changed"]


async def test_after_the_end_nothing_is_told(tmp_path, told):
    watcher = Outdated([tmp_path], told.append)
    watcher.without(paths(tmp_path, ".env"))
    watcher.stop()
    await asyncio.sleep(0.05)
    assert told == []
