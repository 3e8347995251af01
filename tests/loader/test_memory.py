"""Old generations are really freed."""

import gc
import textwrap
import time
import weakref

import pytest

from plugsock.loader import reaper
from plugsock.loader.reaper import Reaper

KINDS = """
    import abc, dataclasses, enum, functools, typing, msgspec
    import plugs
    from plugs import other
    N = {n}
    @dataclasses.dataclass
    class Data:
        x: int = N
    class Colour(enum.Enum):
        RED = N
    class Pair(typing.NamedTuple):
        a: int = N
    class Base(abc.ABC):
        @abc.abstractmethod
        def run(self): ...
    class Record(msgspec.Struct):
        x: int = N
        more: "list[Record]" = []
    @functools.lru_cache
    def cached(x): return x
    cached(1)
    @plug
    def a(record: Record, colour: Colour = Colour.RED, data: Data | None = None) -> list[Pair]:
        return [Pair(N)]
    @plug
    async def more(x: int = N) -> int:
        return x
    @on_load
    def begin(): plugs.other.VALUE
"""


@pytest.fixture
def busy(shelf, monkeypatch):
    monkeypatch.setattr(reaper, "SHARE", 0.5)  # a test's heap is large
    shelf.write("other.py", "import plugs\nVALUE = 1\n@plug\ndef other(): return plugs.a.N\n")
    shelf.write("a.py", KINDS.format(n=0))
    shelf.swap()
    assert shelf.loader.problems == ()
    return shelf


def watched(module):
    return [
        weakref.ref(module),
        *(weakref.ref(vars(module)[name]) for name in ("Data", "Colour", "Pair", "Base", "Record", "a")),
    ]


def served(shelf):
    return shelf.loader._generation.records["plugs.a"].module


def alive(generations):
    return sum(any(ref() is not None for ref in refs) for refs in generations)


@pytest.mark.fault("S19")
def test_of_many_generations_only_the_last_is_alive(busy):
    generations = [watched(served(busy))]
    for n in range(1, 30):
        busy.write("a.py", KINDS.format(n=n))
        busy.swap()
        assert busy.call("a", b'{"record":{}}') == [(n,)]
        assert busy.call("other") == n
        generations.append(watched(served(busy)))
    busy.settled_gc()
    assert alive(generations) == 1


@pytest.mark.fault("S19")
def test_failed_generations_are_freed_too(busy):
    generations = []
    kept = gc.kept = []
    for n in range(1, 10):
        busy.write(
            "a.py", KINDS.format(n=n) + "\n    import gc, sys\n    gc.kept.append(sys.modules[__name__])\n    1/0\n"
        )
        busy.swap()
        generations += [[weakref.ref(kept.pop())] for _ in kept]
    del gc.kept
    assert len(generations) == 9
    gc.collect()
    assert alive(generations) == 0


@pytest.mark.fault("S11", "S19")
def test_while_swapping_at_most_two_generations_are_alive(busy):
    generations = [watched(served(busy))]
    for n in range(1, 15):
        busy.write("a.py", KINDS.format(n=n))
        busy.swap()
        generations.append(watched(served(busy)))
        assert busy.loader._reaper.join(10)
        assert alive(generations) <= 2


@pytest.mark.fault("S19")
def test_five_hundred_swaps_do_not_grow_memory(busy, monkeypatch):
    """As fast as they go: without waiting for the file to be quiet."""
    psutil = pytest.importorskip("psutil")
    monkeypatch.setattr("plugsock.loader.settle.QUIET_S", 0)
    process = psutil.Process()
    refs, sizes = [], []
    text = textwrap.dedent(KINDS)
    for n in range(600):
        busy.write("a.py", text.format(n=n))
        busy.swap()
        refs = [ref for ref in [*refs, *watched(served(busy))] if ref() is not None]
        if n in (99, 599):
            busy.settled_gc()
            sizes.append(process.memory_info().rss)
    assert alive([[ref] for ref in refs]) == len(watched(served(busy)))
    assert sizes[1] - sizes[0] < 10 << 20


def test_the_reaper_runs_what_it_is_given_in_order_and_ends():
    one, ran = Reaper(), []
    for n in range(10):
        one.add(lambda n=n: ran.append(n))
    assert one.join(10)
    assert ran == list(range(10))
    assert one._thread is None


def test_the_reaper_collects_only_for_a_small_part_of_the_time(monkeypatch):
    collections = []
    monkeypatch.setattr(
        reaper.gc, "collect", lambda generation=2: generation == 2 and (collections.append(1), time.sleep(0.01))
    )
    one = Reaper()
    began = time.monotonic()
    for _ in range(2):
        one.add(lambda: None)
        assert one.join(10)
    assert len(collections) == 2
    assert time.monotonic() - began >= 0.01 / reaper.SHARE


def test_a_closing_reaper_does_what_is_left_and_does_not_wait(monkeypatch):
    monkeypatch.setattr(reaper, "SHARE", 1e-9)
    one, ran = Reaper(), []
    one.add(lambda: None)
    one.join(10)
    one.add(lambda: ran.append(1))
    assert one.close(10)
    assert ran == [1]
