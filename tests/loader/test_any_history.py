"""Whatever was done to a folder, what is served is what a fresh start would serve."""

import random
import shutil

import pytest

HELPERS = ["_a", "_b", "_pack/c"]
PLUGS = ["one", "two", "deep/three", "deep/four", "five"]
STEPS = 30


def imported(name):
    return "plugs." + name.replace("/", ".")


def text(name, chance):
    """A file that answers its own version and those of the helpers it uses, at once or later."""
    used = chance.sample(HELPERS, chance.randint(0, 2)) if name not in HELPERS else []
    if name == "_a":
        used = chance.sample(HELPERS[1:], chance.randint(0, 1))
    early = "".join(f"import {imported(helper)} as h{n}\n" for n, helper in enumerate(used) if n == 0)
    later = "".join(f"    import {imported(helper)} as h{n}\n" for n, helper in enumerate(used))
    versions = "".join(f", h{n}.version()" for n in range(len(used)))
    function = "version" if name in HELPERS else name.rpartition("/")[2]
    mark = "" if name in HELPERS else "@plug\n"
    broken = chance.choice(["1/0\n", "def (\n", "raise SystemExit\n"]) if chance.random() < 0.15 else ""
    version = chance.randrange(10**6)
    return f"{early}{mark}def {function}():\n{later}    return ({version}, {name!r}{versions})\n{broken}"


def change(shelf, chance):
    for name in chance.sample(HELPERS + PLUGS, chance.randint(1, 3)):
        path = shelf.path / f"{name}.py"
        if chance.random() < 0.15 and path.exists():
            path.unlink()
        else:
            shelf.write(f"{name}.py", text(name, chance))


def answer(shelf, event):
    try:
        return shelf.call(event)
    except BaseException as error:  # a helper that is imported in the call and is missing or broken
        return type(error).__name__


def answers(shelf):
    return {event: answer(shelf, event) for event in shelf.events}


def revisions(shelf):
    return {event: plug.announcement.revision for event, plug in shelf.loader.catalog.items()}


@pytest.mark.parametrize("seed", range(6))
def test_history_leaves_no_trace(make_shelf, monkeypatch, tmp_path, seed):
    """Files are complete and gone at once here: this is about what moves, not when."""
    monkeypatch.setattr("plugsock.loader.settle.QUIET_S", 0)
    monkeypatch.setattr("plugsock.loader.disk.DELETED_S", 0)
    chance = random.Random(seed)
    lived = make_shelf()
    for step in range(STEPS):
        change(lived, chance)
        lived.swap()
        before = answers(lived)
        assert lived.look().groups == ()
        assert answers(lived) == before
        if not lived.loader.problems:
            shutil.copytree(lived.path, tmp_path / f"{step}/plugs")
            fresh = make_shelf(f"{step}/plugs")
            fresh.swap()
            assert revisions(lived) == revisions(fresh)
            assert answers(lived) == answers(fresh)


@pytest.mark.parametrize("seed", range(4))
def test_every_break_heals(make_shelf, monkeypatch, seed):
    monkeypatch.setattr("plugsock.loader.settle.QUIET_S", 0)
    monkeypatch.setattr("plugsock.loader.disk.DELETED_S", 0)
    chance = random.Random(1000 + seed)
    shelf = make_shelf()
    for _ in range(STEPS):
        change(shelf, chance)
        shelf.swap()
    for name in HELPERS + PLUGS:
        function = "version" if name in HELPERS else name.rpartition("/")[2]
        mark = "" if name in HELPERS else "@plug\n"
        shelf.write(f"{name}.py", f"{mark}def {function}(): return 'whole'\n")
    shelf.swap()
    assert shelf.loader.problems == ()
    assert answers(shelf) == dict.fromkeys(["deep.four", "deep.three", "five", "one", "two"], "whole")
