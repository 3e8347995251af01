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


MIXED = ("_a", "_b", "_pack/c", "_pack/d", "one", "two", "deep/three", "deep/four", "five")
LOADED = tuple(name.replace("_", "") for name in MIXED)


def is_helper(name):
    return name.startswith("_")


class Chart:
    """What files import, how, and which of them are broken; and so what has to be served."""

    def __init__(self, chance, files, *, most):
        self.chance = chance
        self.files = files
        self.most = most
        self.needs = {}
        self.broken = set()

    def change(self, hidden, plain):
        """Change some files in two folders, which differ only in how they import."""
        for name in self.chance.sample(self.files, self.chance.randint(1, 4)):
            if self.chance.random() < 0.1 and name in self.needs:
                del self.needs[name]
                for shelf in (hidden, plain):
                    (shelf.path / f"{name}.py").unlink()
            else:
                begin, end = self.draw(name)
                needed = list(enumerate(map(imported, self.needs[name])))
                hidden.write(
                    f"{name}.py", begin + "".join(self.chance.choice(HIDDEN).format(*each) for each in needed) + end
                )
                plain.write(f"{name}.py", begin + "".join(PLAIN.format(*each) for each in needed) + end)

    def draw(self, name):
        """What stands before and after a file's imports; it imports files before it in the list and may be broken."""
        before = self.files[: self.files.index(name)]
        self.needs[name] = self.chance.sample(before, min(len(before), self.chance.randint(0, self.most)))
        self.broken.discard(name)
        line = ""
        if self.chance.random() < 0.15:
            self.broken.add(name)
            line = self.chance.choice(["1/0\n", "raise SystemExit\n", "def (\n"])
        function, mark = ("version", "") if is_helper(name) else (name.rpartition("/")[2], "@plug\n")
        answers = "".join(f", h{n}.VERSION" for n in range(len(self.needs[name])))
        version = self.chance.randrange(10**6)
        return "import importlib\n", f"{line}VERSION = {version}{answers}\n{mark}def {function}(): return VERSION\n"

    def is_whole(self, name):
        return name in self.needs and name not in self.broken and all(map(self.is_whole, self.needs[name]))

    @property
    def events(self):
        return sorted(name.replace("/", ".") for name in self.files if self.is_whole(name) and not is_helper(name))


PLAIN = "import {1} as h{0}\n"
HIDDEN = [
    PLAIN,
    "h{0} = importlib.import_module('{1}'[:-1] + '{1}'[-1])\n",
    "def later{0}():\n    import {1} as h\n    return h\nh{0} = later{0}()\n",
    "def later{0}(name='{1}'):\n    return importlib.import_module(name)\nh{0} = later{0}()\n",
    "exec('import {1} as h{0}')\n",
    "import plugs\nh{0} = plugs\nfor part in '{1}'.split('.')[1:]: h{0} = getattr(h{0}, part)\n",
]


@pytest.mark.parametrize("seed", range(5))
def test_history_leaves_no_trace_of_imports_that_no_text_shows(make_shelf, monkeypatch, tmp_path, seed):
    """A fresh start serves all that can be; where nothing is wrong, so does what was changed again and again."""
    monkeypatch.setattr("plugsock.loader.settle.QUIET_S", 0)
    monkeypatch.setattr("plugsock.loader.disk.DELETED_S", 0)
    chart = Chart(random.Random(2000 + seed), MIXED, most=3)
    lived, plain = make_shelf("hidden/plugs"), make_shelf("plain/plugs")
    for step in range(STEPS):
        chart.change(lived, plain)
        lived.swap()
        assert lived.look().groups == ()
        shutil.copytree(lived.path, tmp_path / f"{step}/plugs")
        fresh = make_shelf(f"{step}/plugs")
        fresh.swap()
        assert fresh.events == chart.events
        if not lived.loader.problems:
            assert answers(lived) == answers(fresh)
            assert revisions(lived) == revisions(fresh)


@pytest.mark.parametrize("seed", range(5))
def test_an_import_that_no_text_shows_is_an_import(make_shelf, monkeypatch, seed):
    """After every change, broken ones too, a folder serves what one does that says all its imports.

    No helpers and one import a file: what a helper imports that nobody uses, and what would be imported after an import
    that fails, is known from the text alone.
    """
    monkeypatch.setattr("plugsock.loader.settle.QUIET_S", 0)
    monkeypatch.setattr("plugsock.loader.disk.DELETED_S", 0)
    chart = Chart(random.Random(3000 + seed), LOADED, most=1)
    hidden, plain = make_shelf("hidden/plugs"), make_shelf("plain/plugs")
    for _ in range(STEPS):
        chart.change(hidden, plain)
        hidden.swap()
        plain.swap()
        assert answers(hidden) == answers(plain)
        assert hidden.look().groups == ()
