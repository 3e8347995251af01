"""A plugs folder that a test writes, looks at and commits."""

import asyncio
import gc
import inspect
import textwrap
import time
from pathlib import Path

import pytest

from plugsock.loader.source import Folder
from plugsock.loader.swap import Loader

HEAD = "from plugsock import Raw, Server, Socket, User, on_load, on_unload, plug\n"


class Shelf:
    """A folder with a loader; time stands still unless a test moves it."""

    def __init__(self, path: Path, **options) -> None:
        self.path = path
        self.path.mkdir(parents=True, exist_ok=True)
        self.now = 1000.0
        self.problems_reported = []
        self.folders = options.pop("folders", [Folder(path)])
        self.loader = Loader(self.folders, report=self.problems_reported.append, **options)

    def write(self, name: str, text: str, *, head: str = HEAD) -> Path:
        """Save a file as an editor does: beside it, then renamed. Its first line is the import of plugsock's words."""
        return self.save(name, (head + textwrap.dedent(text)).encode())

    def save(self, name: str, data: bytes) -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.tmp")
        beside.write_bytes(data)
        beside.replace(path)
        return path

    def plug(self, name: str, answer: object) -> Path:
        """A file with one event named like it, that answers always the same."""
        function = Path(name).stem
        return self.write(name, f"@plug\ndef {function}():\n    return {answer!r}\n")

    def look(self, *, after_s: float = 0.0, **options):
        self.now += after_s
        return self.loader.look(self.now, **options)

    def swap(self, *, after_s: float = 0.0, **options):
        """Look, commit everything that was staged, retire what it replaced."""
        look = self.look(after_s=after_s, **options)
        self.loader.commit(look.stage, [group.id for group in look.groups if not group.problems])
        self.loader.retire(look.stage)
        return look

    def swap_now(self):
        """Swap by the real clock, for tests in which others write meanwhile."""
        self.now = time.monotonic()
        return self.swap()

    def call(self, event: str, payload: bytes = b"", *, socket=None, server=None, user=None, catalog=None):
        plug = (catalog or self.loader.catalog)[event]
        value = plug.signature.bind(payload, 0)
        handed_in = (socket, server, user) if plug.signature.needs else ()
        result = plug.signature.entry(plug.function)(value, *handed_in)
        return asyncio.run(result) if inspect.iscoroutine(result) else result

    @property
    def events(self):
        return sorted(self.loader.catalog)

    def settled_gc(self):
        assert self.loader._reaper.join(30)  # it rests 20 times as long as a collection takes
        gc.collect()


@pytest.fixture(autouse=True)
def small_heap():
    """Collections look at little, as in a server: else each takes as long as all that pytest holds makes it."""
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
def make_shelf(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = []

    def make(path="plugs", **options):
        made.append(Shelf(Path(path), **options))
        return made[-1]

    yield make
    for shelf in made:
        shelf.loader.close()


@pytest.fixture
def shelf(make_shelf):
    return make_shelf()
