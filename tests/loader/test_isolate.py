"""What plugs see of each other, of the standard library and of `sys.modules`."""

import importlib
import linecache
import logging
import pickle  # noqa: TID251 -- as authors do
import sys
import threading
import traceback

import pytest


def answer(shelf, text):
    """What a plug `use` answers whose file has this text."""
    shelf.write("use.py", text)
    shelf.swap()
    assert shelf.loader.problems == ()
    return shelf.call("use")


@pytest.mark.parametrize(
    "statements",
    [
        "from plugs._lib import VALUE as v",
        "from ._lib import VALUE as v",
        "from . import _lib; v = _lib.VALUE",
        "from plugs import _lib; v = _lib.VALUE",
        "import plugs._lib; v = plugs._lib.VALUE",
        "import plugs._lib as lib; v = lib.VALUE",
        "import plugs; v = plugs._lib.VALUE",
        "import importlib; v = importlib.import_module('plugs._lib').VALUE",
        "import importlib; v = importlib.import_module('._lib', 'plugs').VALUE",
        "from importlib import import_module; v = import_module('plugs._lib').VALUE",
        "import importlib.util as u; assert u.find_spec; v = 7",
        "v = __import__('plugs._lib', fromlist=['VALUE']).VALUE",
        "scope = {}; exec('from plugs._lib import VALUE', scope); v = scope['VALUE']",
        "from plugs._deep.er.est import VALUE as v",
        "import plugs._deep.er.est as e; v = e.VALUE",
        "from plugs._deep.er import est; v = est.VALUE",
        "import plugs._pack.mod as m; v = m.VALUE",
        "from plugs._pack import VALUE as v",
        "from plugs import _pack; v = _pack.mod.VALUE",
        "from plugs._pack import *; v = exported",
        "import plugs._pack; v = plugs._pack.lazy",
    ],
)
@pytest.mark.parametrize("place", ["top", "function"])
def test_every_way_to_import(shelf, statements, place):
    if place == "function" and "*" in statements:
        return
    shelf.write("_lib.py", "VALUE = 7\n")
    shelf.write("_deep/er/est.py", "VALUE = 7\n")
    shelf.write("_pack/mod.py", "VALUE = 7\n")
    shelf.write(
        "_pack/__init__.py",
        "from .mod import VALUE\nassert mod.VALUE\nexported = 7\ndef __getattr__(name):\n"
        "    if name == 'lazy': return 7\n    raise AttributeError(name)\n",
    )
    if place == "top":
        text = f"{statements}\n@plug\ndef use(): return v\n"
    else:
        text = f"@plug\ndef use():\n    {statements}\n    return v\n"
    assert answer(shelf, text) == 7


def test_a_star_import_follows_all(shelf):
    shelf.write("_pack/mod.py", "VALUE = 7\n")
    shelf.write("_pack/__init__.py", "__all__ = ['mod']\n")
    assert answer(shelf, "from plugs._pack import *\n@plug\ndef use(): return mod.VALUE\n") == 7


def test_names_of_a_package_can_be_set_through_it(shelf):
    shelf.write("_pack/__init__.py", "count = 0\ndef read(): return count\n")
    text = """
        from plugs import _pack
        @plug
        def use():
            _pack.count = 5
            first = _pack.read()
            del _pack.count
            return first, hasattr(_pack, "count"), hasattr(_pack, "nothing"), "read" in dir(_pack)
    """
    assert answer(shelf, text) == (5, False, False, True)


def test_a_plug_may_import_another_plug(shelf):
    shelf.write("a.py", "@plug\ndef a(): return 'a'\n")
    shelf.write("b.py", "from plugs.a import a\n@plug\ndef b(): return a() + 'b'\n")
    shelf.swap()
    assert shelf.call("b") == "ab"
    assert shelf.events == ["a", "b"]


@pytest.mark.fault("P14")
@pytest.mark.parametrize("name", ["json", "asyncio", "os", "typing", "plugsock", "msgspec"])
def test_a_file_that_is_called_like_a_library_hides_it_from_nobody(shelf, name):
    libraries = "import json as j, asyncio as a, msgspec, typing"
    shelf.write(f"{name}.py", f"{libraries}\n@plug\ndef {name}(): return j.dumps([1]), a.__name__\n")
    shelf.write("other.py", f"import {name}\n@plug\ndef other(): return {name}.__file__\n")
    shelf.swap()
    folder = str(shelf.path.absolute())
    assert shelf.call(name) == ("[1]", "asyncio")
    assert not shelf.call("other").startswith(folder)
    assert not [entry for entry in sys.path if entry.startswith(folder)]


@pytest.mark.fault("P14")
def test_conftest_pth_and_tests_are_never_loaded(shelf):
    for name in (
        "conftest.py",
        "test_a.py",
        "a_test.py",
        "x.pth",
        "venv/a.py",
        "node_modules/a.py",
        ".hid/a.py",
        ".a.py",
    ):
        shelf.save(name, b"raise SystemExit('loaded')\n")
    shelf.plug("good.py", 1)
    shelf.swap()
    assert shelf.loader.problems == ()
    assert shelf.events == ["good"]


def test_a_lazy_import_in_old_code_sees_its_own_neighbours(shelf):
    shelf.write("_lib.py", "VALUE = 'old'\n")
    shelf.write("use.py", "@plug\ndef use():\n    from plugs._lib import VALUE\n    return VALUE\n")
    shelf.swap()
    old = shelf.loader.catalog
    shelf.write("_lib.py", "VALUE = 'new'\n")
    look = shelf.look()
    assert shelf.call("use") == "old"
    shelf.loader.commit(look.stage, [group.id for group in look.groups])
    assert shelf.call("use", catalog=old) == "old"
    assert shelf.call("use") == "new"


def test_a_lazy_import_during_and_after_a_failed_swap_sees_the_old(shelf, tmp_path):
    gate, seen = tmp_path / "gate", []
    shelf.write("_lib.py", "VALUE = 'old'\n")
    shelf.write("use.py", "@plug\ndef use():\n    import plugs._lib as lib\n    return lib.VALUE\n")
    shelf.swap()
    shelf.write(
        "_lib.py",
        f"import os, time\nVALUE = 'new'\nopen({str(gate)!r}, 'x').close()\n"
        f"while os.path.exists({str(gate)!r}): time.sleep(0.001)\n1/0\n",
    )
    shelf.write("use.py", "from plugs import _lib\n@plug\ndef use():\n    return _lib.VALUE\n")

    def ask():
        while not gate.exists():
            pass
        seen.extend(shelf.call("use") for _ in range(20))
        gate.unlink()

    asking = threading.Thread(target=ask)
    asking.start()
    look = shelf.swap()
    asking.join()
    assert "ZeroDivisionError" in look.problems[0].message
    assert set(seen) == {"old"}
    assert shelf.call("use") == "old"
    assert sys.modules["plugs._lib"].VALUE == "old"


def test_an_unchanged_module_sees_new_neighbours_when_it_imports_lazily(shelf):
    shelf.write("_lib.py", "VALUE = 1\n")
    shelf.write(
        "use.py", "import importlib\n@plug\ndef use(name: str): return importlib.import_module('plugs.' + name).VALUE\n"
    )
    shelf.swap()
    shelf.write("_lib.py", "VALUE = 2\n")
    shelf.swap()
    assert shelf.call("use", b'{"name":"_lib"}') == 2
    shelf.write("_lib.py", "VALUE = 3\n")
    look = shelf.swap()
    assert [sorted(group.plugs) for group in look.groups] == [["use"]]
    assert shelf.call("use", b'{"name":"_lib"}') == 3


def test_an_import_that_only_running_shows_joins_groups(shelf):
    name = "name = 'plugs.' + 'zeta'\n"
    shelf.write(
        "alpha.py",
        f"import importlib\n{name}zeta = importlib.import_module(name)\n@plug\ndef alpha(): return zeta.VALUE\n",
    )
    shelf.write("zeta.py", "VALUE = 1\n@plug\ndef zeta(): return VALUE\n")
    look = shelf.swap()
    assert [sorted(group.plugs) for group in look.groups] == [["alpha", "zeta"]]
    shelf.write("zeta.py", "VALUE = 2\n@plug\ndef zeta(): return VALUE\n")
    shelf.swap()
    assert (shelf.call("alpha"), shelf.call("zeta")) == (2, 2)


def test_attributes_of_the_package_are_those_of_the_modules_own_generation(shelf):
    shelf.write("a.py", "VALUE = 1\n@plug\ndef a(): return VALUE\n")
    shelf.write("b.py", "import plugs\n@plug\ndef b(): return plugs.a.VALUE\n")
    shelf.swap()
    assert shelf.call("b") == 1
    old = shelf.loader.catalog
    shelf.write("a.py", "VALUE = 2\n@plug\ndef a(): return VALUE\n")
    shelf.swap()
    assert (shelf.call("b", catalog=old), shelf.call("b")) == (1, 2)


def test_sys_modules_names_what_is_committed(shelf):
    shelf.write("a.py", "class Thing: pass\n@plug\ndef a(): return Thing()\n")
    shelf.swap()
    assert pickle.loads(pickle.dumps(shelf.call("a"))).__class__ is sys.modules["plugs.a"].Thing
    first = sys.modules["plugs.a"]
    shelf.write("a.py", "class Thing: n = 2\n@plug\ndef a(): return Thing()\n")
    look = shelf.look()
    assert sys.modules["plugs.a"] is first
    shelf.loader.commit(look.stage, [group.id for group in look.groups])
    assert sys.modules["plugs.a"] is not first
    (shelf.path / "a.py").unlink()
    shelf.look()
    shelf.swap(after_s=1.1)
    assert "plugs.a" not in sys.modules


def test_code_outside_can_import_plugs_by_name(shelf):
    shelf.write("_lib/tool.py", "VALUE = 1\n")
    shelf.plug("a.py", 1)
    shelf.swap()
    assert importlib.import_module("plugs.a").a() == 1
    assert importlib.import_module("plugs._lib.tool").VALUE == 1
    import plugs

    assert plugs.a.a() == 1
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("plugs.nothing")


def test_a_helper_that_outside_code_loaded_swaps_like_any_other(shelf):
    shelf.write("_lib/tool.py", "VALUE = 1\n")
    shelf.write("a.py", "@plug\ndef a():\n    from plugs._lib import tool\n    return tool.VALUE\n")
    shelf.swap()
    importlib.import_module("plugs._lib.tool")
    shelf.write("_lib/tool.py", "VALUE = 2\n")
    shelf.swap()
    assert shelf.call("a") == 2
    assert importlib.import_module("plugs._lib.tool").VALUE == 2


def test_two_threads_that_import_each_others_modules_do_not_block(shelf):
    shelf.write("_a.py", "import threading, time\nfrom plugs import _gate\n_gate.meet()\nimport plugs._b\nA = 1\n")
    shelf.write("_b.py", "from plugs import _gate\n_gate.meet()\nimport plugs._a\nB = 1\n")
    shelf.write("_gate.py", "import threading\nbarrier = threading.Barrier(2)\ndef meet(): barrier.wait(5)\n")
    text = """
        from concurrent.futures import ThreadPoolExecutor
        import plugs._gate
        def one():
            import plugs._a
            return plugs._a.A
        def two():
            import plugs._b
            return plugs._b.B
        @plug
        def use():
            with ThreadPoolExecutor(2) as pool:
                return sum(future.result(10) for future in [pool.submit(one), pool.submit(two)])
    """
    assert answer(shelf, text) == 2


def test_a_lazy_import_runs_once_however_many_threads_ask(shelf):
    shelf.write("_count.py", "import itertools\nruns = itertools.count()\n")
    shelf.write("_slow.py", "import time\nfrom plugs._count import runs\nn = next(runs)\ntime.sleep(0.05)\nVALUE = n\n")
    text = """
        from concurrent.futures import ThreadPoolExecutor
        def one(_):
            from plugs._slow import VALUE
            return VALUE
        @plug
        def use():
            with ThreadPoolExecutor(8) as pool:
                return set(pool.map(one, range(8)))
    """
    assert answer(shelf, text) == {0}


def test_a_lazy_import_that_fails_can_be_tried_again(shelf):
    text = """
        state = []
        @plug
        def use():
            try:
                from plugs._bad import VALUE
            except ZeroDivisionError:
                return "failed"
    """
    shelf.write("_bad.py", "1/0\n")
    assert answer(shelf, text) == "failed"
    assert shelf.call("use") == "failed"


@pytest.mark.fault("S25")
def test_a_traceback_shows_the_source_that_ran(shelf):
    shelf.write("a.py", "@plug\ndef a():\n    return 1 / 0  # first\n")
    shelf.swap()
    old = shelf.loader.catalog
    shelf.write("a.py", "@plug\ndef a():\n\n\n    raise ValueError  # second\n")
    look = shelf.look()
    shelf.loader.commit(look.stage, [group.id for group in look.groups])

    def shown(catalog):
        try:
            shelf.call("a", catalog=catalog)
        except Exception:
            return traceback.format_exc()

    assert "return 1 / 0  # first" in shown(old)
    assert "raise ValueError  # second" in shown(shelf.loader.catalog)
    assert f"{shelf.path.absolute()}/a.py#" in shown(old)


@pytest.mark.fault("S25")
def test_the_source_of_a_revision_is_released_with_it(shelf):
    for n in range(5):
        shelf.write("a.py", f"@plug\ndef a(): return {n}\n")
        shelf.swap()
    shelf.write("a.py", "@plug\ndef a(: return\n")
    shelf.swap()
    shelf.settled_gc()
    assert len([name for name in linecache.cache if name.startswith(f"{shelf.path.absolute()}/a.py#")]) == 1


@pytest.mark.fault("S26")
def test_no_compiled_file_is_read_or_written(shelf):
    opened = []
    watching = [True]
    sys.addaudithook(lambda event, args: opened.append(str(args[0])) if watching and event == "open" else None)
    shelf.save("__pycache__/a.cpython-311.pyc", b"planted")
    shelf.save("a.pyc", b"planted")
    shelf.plug("a.py", 1)
    opened.clear()
    before = sys.dont_write_bytecode
    sys.dont_write_bytecode = False
    try:
        shelf.swap()
        shelf.plug("a.py", 2)
        shelf.swap()
    finally:
        sys.dont_write_bytecode = before
        watching.clear()
    assert shelf.call("a") == 2
    assert not [name for name in opened if name.endswith(".pyc")]
    assert [path.name for path in (shelf.path / "__pycache__").iterdir()] == ["a.cpython-311.pyc"]


def test_classes_of_every_kind_work(shelf):
    text = """
        import abc, dataclasses, enum, typing, msgspec
        @dataclasses.dataclass
        class Point:
            x: int
            other: Point | None = None
            kind: typing.ClassVar[int] = 3
        class Colour(enum.Enum):
            RED = 1
        class Pair(typing.NamedTuple):
            a: int
        class Base(abc.ABC):
            @abc.abstractmethod
            def run(self): ...
        class Child(Base):
            def run(self): return 5
        class Tree(msgspec.Struct):
            children: list[Tree] = []
        @plug
        def use(tree: Tree, point: Point, colour: Colour = Colour.RED) -> Tree:
            return point.x + Pair(1).a + Child().run() + len(tree.children) + colour.value
    """
    shelf.write("use.py", text, head="from __future__ import annotations\nfrom plugsock import plug\n")
    shelf.swap()
    assert shelf.loader.problems == ()
    assert shelf.call("use", b'{"tree":{"children":[{}]},"point":{"x":1}}') == 9


def test_a_module_that_starts_a_thread_is_loaded_and_its_thread_sees_its_own_generation(shelf):
    text = """
        import threading, queue
        asked, told = queue.Queue(), queue.Queue()
        def serve():
            while asked.get() is not None:
                from plugs._lib import VALUE
                told.put(VALUE)
        threading.Thread(target=serve, daemon=True).start()
        @plug
        def use():
            asked.put(1)
            return told.get(timeout=5)
        @on_unload
        def end(): asked.put(None)
    """
    shelf.write("_lib.py", "VALUE = 1\n")
    assert answer(shelf, text) == 1
    old = shelf.loader.catalog
    shelf.write("_lib.py", "VALUE = 2\n")
    look = shelf.look()
    shelf.loader.commit(look.stage, [group.id for group in look.groups])
    assert (shelf.call("use", catalog=old), shelf.call("use")) == (1, 2)


def test_a_package_is_a_loader_away_from_pkgutil_and_inspect(shelf):
    text = """
        import pkgutil
        import plugs._pack
        @plug
        def use():
            names = [module.name for module in pkgutil.iter_modules(plugs._pack.__path__)]
            return names, plugs._pack.__loader__.is_package("plugs._pack")
    """
    shelf.write("_pack/mod.py", "")
    shelf.write("_pack/__init__.py", "")
    assert answer(shelf, text) == (["mod"], True)


def test_importlib_passes_on_what_is_no_plug(shelf):
    text = """
        import importlib
        @plug
        def use():
            return importlib.import_module("json.decoder").__name__, importlib.import_module(".decoder", "json").__name__
    """
    assert answer(shelf, text) == ("json.decoder", "json.decoder")


def test_code_without_a_module_imports_as_the_plug_that_runs_it(shelf):
    shelf.write("_lib.py", "VALUE = 7\n")
    text = """
        @plug
        def use():
            return eval("(lambda: __import__('plugs._lib', fromlist=['VALUE']).VALUE)()", {"__builtins__": __builtins__})
    """
    assert answer(shelf, text) == 7


def test_logging_and_inspect_find_the_source(shelf, caplog):
    shelf.write(
        "use.py",
        "import inspect, logging\n@plug\ndef use():\n    logging.getLogger('p').warning('hi')\n    return inspect.getsource(use)\n",
    )
    shelf.swap()
    with caplog.at_level(logging.WARNING):
        assert "def use():" in shelf.call("use")
    assert caplog.records[0].module.startswith("use")


def test_a_package_that_changes_is_loaded_anew_and_its_modules_keep_their_state(shelf):
    shelf.write("pack/__init__.py", "VALUE = 1\n")
    shelf.write("pack/a.py", "count = 0\n@plug\ndef a():\n    global count\n    count += 1\n    return count\n")
    shelf.write("use.py", "import plugs.pack\n@plug\ndef use(): return plugs.pack.VALUE\n")
    shelf.swap()
    assert (shelf.call("use"), shelf.call("pack.a")) == (1, 1)
    shelf.write("pack/__init__.py", "VALUE = 2\n")
    shelf.swap()
    assert (shelf.call("use"), shelf.call("pack.a")) == (2, 2)
    shelf.write("pack/__init__.py", "1/0\n")
    shelf.swap()
    assert shelf.loader.problems[0].file == "plugs/pack/__init__.py"
    assert (shelf.call("use"), shelf.call("pack.a")) == (2, 3)


def test_a_helper_in_use_is_tried_before_it_is_served_though_it_is_imported_later(shelf):
    shelf.write("_lib.py", "VALUE = 1\n")
    shelf.write("use.py", "@plug\ndef use():\n    from plugs._lib import VALUE\n    return VALUE\n")
    shelf.swap()
    assert shelf.call("use") == 1
    shelf.write("_lib.py", "VALUE = 1/0\n")
    shelf.swap()
    assert "ZeroDivisionError" in shelf.loader.problems[0].message
    assert shelf.call("use") == 1


def test_a_module_below_a_file_is_named_as_such(shelf):
    shelf.plug("a.py", 1)
    shelf.write("b.py", "import plugs.a.c\n")
    shelf.swap()
    assert "No module named 'plugs.a.c'; 'plugs.a' is not a package" in shelf.loader.problems[0].message


def test_an_import_beyond_the_folder_is_refused(shelf):
    shelf.write("b.py", "from ..x import y\n")
    shelf.swap()
    assert "beyond the top of the plugs folder" in shelf.loader.problems[0].message


def test_two_loaders_in_one_process_do_not_take_each_others_modules(make_shelf):
    one, other = make_shelf("one/plugs"), make_shelf("other/plugs")
    for n, shelf in enumerate((one, other)):
        shelf.write("_lib.py", f"VALUE = {n}\n")
        shelf.write("a.py", "from plugs._lib import VALUE\n@plug\ndef a(): return VALUE\n")
        shelf.swap()
    assert (one.call("a"), other.call("a")) == (0, 1)
    one.loader.close()
    assert sys.modules["plugs.a"].a() == 1
    other.write("_lib.py", "VALUE = 2\n")
    other.swap()
    assert other.call("a") == 2
