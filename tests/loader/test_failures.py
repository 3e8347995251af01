"""What goes wrong in an author's file: the old revision serves, the problem names file and line in one sentence."""

import sys
import threading

import pytest

from plugsock.loader.collect import EVENT
from plugsock.loader.source import Source


def problems(shelf, text, name="a.py", **options):
    """What is wrong with a file, each problem as people see it."""
    shelf.write(name, text, **options)
    shelf.swap()
    return [str(problem) for problem in shelf.loader.problems]


def stagings():
    return {thread for thread in threading.enumerate() if thread.name == "plugsock-stage"}


@pytest.mark.fault("S4")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def (:\n", "2: SyntaxError: invalid syntax"),
        ("x = 1\nprint(nothing)\n", "3: NameError: name 'nothing' is not defined"),
        ("def f():\n    return 1 / 0\nf()\n", "3: ZeroDivisionError: division by zero"),
        ("raise ValueError('one\\n   two\\x1b[31m')\n", "2: ValueError: one two\\x1b[31m"),
        (
            "class Bad(Exception):\n    def __str__(self): 1/0\nraise Bad\n",
            "4: Bad: (it can't say more: its __str__ fails)",
        ),
        (
            "import json\njson.loads('{')\n",
            "3: JSONDecodeError: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
        ),
        ("plug(timeout=-1)\n", "2: timeout=-1 must be more than 0 and at most 86400 seconds"),
        ("plug(timeout=True)\n", "2: timeout=True must be more than 0 and at most 86400 seconds"),
        ("plug(timeout='1')\n", "2: timeout='1' must be more than 0 and at most 86400 seconds"),
        ("plug(idempotent=1)\n", "2: idempotent=1 must be True or False"),
        ("plug(3)\n", "2: @plug marks functions, not int: options have names, as @plug(timeout=5.0)"),
    ],
)
def test_an_error_at_import(shelf, text, said):
    assert problems(shelf, text) == [f"plugs/a.py:{said}"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import sys\nsys.exit(3)\n", "3: SystemExit: 3 (it called sys.exit() while it was loaded)"),
        ("raise KeyboardInterrupt\n", "2: KeyboardInterrupt: "),
        ("raise GeneratorExit\n", "2: GeneratorExit: "),
        ("class Own(BaseException): pass\nraise Own('no')\n", "3: Own: no"),
        ("import asyncio\nraise asyncio.CancelledError\n", "3: CancelledError: "),
    ],
)
def test_a_base_exception_at_import_ends_nothing_else(shelf, text, said):
    shelf.plug("good.py", 1)
    assert problems(shelf, text) == [f"plugs/a.py:{said}".rstrip()]
    assert shelf.events == ["good"]


@pytest.mark.fault("P14")
def test_a_missing_library_is_named_with_a_remedy(shelf):
    (said,) = problems(shelf, "import no_such_library.part\n")
    assert said == (
        "plugs/a.py:2: ModuleNotFoundError: No module named 'no_such_library': "
        "`plugsock pip install no_such_library` puts it into the folder's site-packages"
    )


@pytest.mark.fault("P14")
def test_a_missing_helper_is_named_and_heals_when_it_comes(shelf):
    assert problems(shelf, "from plugs._lib import VALUE\n@plug\ndef a(): return VALUE\n") == [
        "plugs/a.py:2: ModuleNotFoundError: No module named 'plugs._lib': there is no such file in the folder"
    ]
    shelf.write("_lib.py", "VALUE = 1\n")
    shelf.swap()
    assert shelf.loader.problems == ()
    assert shelf.call("a") == 1


def test_a_deleted_helper_keeps_its_users_on_the_old_one(shelf):
    path = shelf.write("_lib.py", "VALUE = 1\n")
    problems(shelf, "from plugs._lib import VALUE\n@plug\ndef a(): return VALUE\n")
    path.unlink()
    shelf.look()
    shelf.swap(after_s=1.1)
    assert shelf.call("a") == 1
    assert "No module named 'plugs._lib'" in shelf.loader.problems[0].message
    assert shelf.loader.problems[0].events == ("a",)


@pytest.mark.fault("P14")
def test_a_circular_import_names_the_circle(shelf):
    shelf.write("a.py", "from plugs.b import b\n@plug\ndef a(): return b()\n")
    shelf.write("b.py", "from plugs.a import a\n@plug\ndef b(): return a()\n")
    shelf.swap()
    said = {problem.file: problem.message for problem in shelf.loader.problems}
    assert said["plugs/b.py"].startswith(
        "circular import (plugs.a -> plugs.b): cannot import name 'a' from partially initialized module 'plugs.a'"
    )


@pytest.mark.fault("P14")
def test_a_circular_import_that_python_allows_works(shelf):
    shelf.write("a.py", "import plugs.b\n@plug\ndef a(): return plugs.b.N\nN = 1\n")
    shelf.write("b.py", "import plugs.a\nN = 2\n@plug\ndef b(): return plugs.a.N\n")
    shelf.swap()
    assert (shelf.call("a"), shelf.call("b")) == (2, 1)


@pytest.mark.fault("P13")
@pytest.mark.parametrize("line", ["while True: pass", "time.sleep(3)", "threading.Event().wait(3)"])
def test_an_import_that_never_ends_is_given_up_and_named(make_shelf, line):
    shelf = make_shelf(import_limit_s=0.3)
    shelf.plug("a.py", 1)
    shelf.plug("good.py", 1)
    shelf.swap()
    shelf.plug("good.py", 2)
    assert problems(shelf, f"import time, threading\n{line}\n") == [
        "plugs/a.py:3: loading it had not ended after 0.3 s; it was here"
    ]
    assert (shelf.call("a"), shelf.call("good")) == (1, 2)
    assert sys.modules["plugs.a"].a() == 1
    shelf.plug("a.py", 3)
    shelf.swap()
    assert shelf.call("a") == 3


@pytest.mark.fault("P13")
def test_an_endless_loop_that_was_given_up_stops_running(make_shelf):
    shelf = make_shelf(import_limit_s=0.2)
    before = stagings()
    problems(shelf, "while True: pass\n")
    for thread in stagings() - before:
        thread.join(10)
        assert not thread.is_alive()


@pytest.mark.fault("P13")
def test_an_import_that_ends_too_late_changes_nothing(make_shelf, tmp_path):
    shelf = make_shelf(import_limit_s=0.2)
    gate, others = tmp_path / "gate", stagings()
    shelf.write("b.py", "VALUE = 1\n@plug\ndef b(): return VALUE\n")
    problems(
        shelf,
        f"import os, time\ndef wait():\n    while not os.path.exists({str(gate)!r}):\n        try: time.sleep(0.01)\n"
        "        except BaseException: pass\nwait()\nimport plugs.b\n@plug\ndef a(): return 1\n",
    )
    before = dict(sys.modules)
    (thread,) = stagings() - others
    gate.touch()
    thread.join(5)
    assert not thread.is_alive()
    assert shelf.events == ["b"]
    assert {name: module for name, module in sys.modules.items() if name.startswith("plugs")} == {
        name: module for name, module in before.items() if name.startswith("plugs")
    }


@pytest.mark.fault("P13")
def test_an_on_load_that_never_ends_is_given_up(make_shelf):
    shelf = make_shelf(import_limit_s=0.3)
    assert problems(shelf, "import asyncio\n@on_load\nasync def begin():\n    await asyncio.sleep(0.5)\n") == [
        "plugs/a.py:4: loading it had not ended after 0.3 s; it was here"
    ]


@pytest.mark.fault("S18")
@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"x = '\xff'\n", "SyntaxError: (unicode error) 'utf-8' codec can't decode byte 0xff"),
        (b"# coding: rot13\nx = 1\n", "'rot13' is not a text encoding"),
        (b"# coding: no-such\nx = 1\n", "unknown encoding: no-such"),
        (b"x = 1\x00\n", "null bytes"),
        (b"x = " + b"(" * 10_000 + b")" * 10_000, "too many nested parentheses"),
        (b"x = " + b"-" * 100_000 + b"1", "it can't be compiled: "),
        (b"\xff\xfex\x00", "SyntaxError"),
    ],
)
def test_bytes_that_are_no_python(shelf, data, said):
    shelf.plug("a.py", 1)
    shelf.swap()
    shelf.save("a.py", data)
    shelf.swap()
    (problem,) = shelf.loader.problems
    assert said in problem.message
    assert shelf.call("a") == 1


def test_a_thread_that_breaks_off_is_a_failure(shelf, monkeypatch):
    shelf.plug("a.py", 1)
    shelf.swap()
    monkeypatch.setattr("plugsock.loader.staging.collect", lambda *_: threading.current_thread().no_such_thing)
    monkeypatch.setattr("plugsock.loader.blame.problem", lambda *_: sys.exit())
    shelf.plug("a.py", 2)
    shelf.swap()
    assert [str(problem) for problem in shelf.loader.problems] == ["plugs/a.py:0: loading it broke off"]
    assert shelf.call("a") == 1


@pytest.mark.fault("S18")
def test_a_byte_order_mark_is_fine(shelf):
    shelf.save("a.py", b"\xef\xbb\xbffrom plugsock import plug\n@plug\ndef a(): return '\xc3\xa9'\n")
    shelf.swap()
    assert shelf.call("a") == "é"


@pytest.mark.fault("S18")
def test_a_declared_encoding_is_respected(shelf):
    shelf.save("a.py", b"# coding: latin-1\nfrom plugsock import plug\n@plug\ndef a(): return '\xe9'\n")
    shelf.swap()
    assert shelf.call("a") == "é"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.py", "@plug\ndef _a(): ...\n", "3: `_a`: a name that begins with `_` is private"),
        (
            "a.py",
            "@plug\ndef a(x, /): ...\n",
            "3: `a`: the fields of a payload have names, so `x` can't be positional-only",
        ),
        ("a.py", "x = 1\n@plug\n\n\ndef a(*x): ...\n", "6: `a`: a plug can't take *args or **kwargs"),
        ("a.py", "@plug\nasync def a(x: 'No'): ...\n", "3: `a`: the annotation of `x` names 'No'"),
        ("a.py", "@plug\nclass a: ...\n", "2: @plug marks functions, not classes"),
        ("a.py", "class A:\n    @plug\n    def run(self): ...\n", "3: `A.run`: a method can't be marked"),
        ("a.py", "@on_load\ndef begin(x): ...\n", "3: `begin`: @on_load is called without arguments"),
        ("a.py", "@on_unload\ndef end():\n    yield\n", "3: `end`: @on_unload is run, not iterated"),
        ("_a.py", "@plug\ndef a(): ...\n", ""),
        ("é.py", "@plug\ndef run(): ...\n", "3: `run`: the event 'é.run' can't be sent"),
        ("b/__init__.py", "@plug\ndef run(): ...\n", "3: `run`: `__init__.py` holds no events"),
    ],
)
def test_a_wrong_declaration(shelf, name, text, said):
    found = problems(shelf, text, name)
    assert [problem[: len(f"plugs/{name}:{said}")] for problem in found] == ([f"plugs/{name}:{said}"] if said else [])


@pytest.mark.fault("S18")
def test_the_source_of_what_is_no_text_is_shown_as_well_as_it_can_be(shelf):
    source = Source("plugs.a", "a.py", "a.py", b"# coding: no-such\n\xff")
    assert source.text() == "# coding: no-such\n\ufffd"


def test_a_long_message_is_cut(shelf):
    (said,) = problems(shelf, "raise ValueError('x' * 1000)\n")
    assert len(said) < 330
    assert said.endswith("xxx...")


def test_an_error_that_can_not_be_shown_has_a_trace_all_the_same(shelf):
    shelf.write("a.py", "class Bad(Exception):\n    def __str__(self): raise SystemExit\nraise Bad\n")
    (group,) = shelf.look().groups
    assert "Bad" in group.problems[0].message


@pytest.mark.parametrize("name", ["_lib.py", "pack/__init__.py"])
def test_a_mark_where_there_are_no_events_is_named_once_the_file_is_used(shelf, name):
    module = name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    shelf.write("use.py", f"import plugs.{module}\n@plug\ndef use(): return 1\n")
    (said,) = problems(shelf, "@plug\ndef run(): ...\n", name)
    assert "holds no events" in said
    assert said.startswith(f"plugs/{name}:3: `run`")


def test_all_wrong_declarations_of_a_file_are_named(shelf):
    assert len(problems(shelf, "@plug\ndef a(*x): ...\n@plug\ndef b(*x): ...\n")) == 2


def test_a_helper_that_is_only_imported_later_is_compiled_now(shelf):
    shelf.write("_lib.py", "VALUE = 1\n")
    problems(shelf, "@plug\ndef a():\n    from plugs._lib import VALUE\n    return VALUE\n")
    shelf.write("_lib.py", "VALUE = (\n")
    shelf.swap()
    assert shelf.loader.problems[0].file == "plugs/_lib.py"
    assert shelf.call("a") == 1


def test_a_traceback_has_the_authors_own_frames_and_source(shelf):
    shelf.write("_lib.py", "def broken():\n    return int('x')  # here\n")
    shelf.write("a.py", "from plugs._lib import broken\nbroken()\n")
    group = next(group for group in shelf.look().groups if group.problems)
    (trace,) = set(group.traces)
    assert "return int('x')  # here" in trace
    assert "loader/isolate.py" not in trace
    assert trace.endswith("ValueError: invalid literal for int() with base 10: 'x'\n")


def test_an_object_that_answers_every_attribute_is_no_plug(shelf):
    text = """
        class Any:
            def __getattr__(self, name): return self
        anything = Any()
        from unittest.mock import MagicMock
        mock = MagicMock()
        @plug
        def a(): return 1
    """
    assert problems(shelf, text) == []
    assert shelf.events == ["a"]


@pytest.mark.parametrize(
    ("name", "function", "event"),
    [
        ("greet.py", "greet", "greet"),
        ("greet.py", "again", "greet.again"),
        ("chat/rooms.py", "send", "chat.rooms.send"),
        ("chat/rooms.py", "rooms", "chat.rooms"),
        ("chat/rooms.py", "chat", "chat.rooms.chat"),
        ("chat/chat.py", "chat", "chat.chat"),
        ("a/b/c/d.py", "d", "a.b.c.d"),
        ("class/def.py", "run", "class.def.run"),
        ("UPPER.py", "UPPER", "UPPER"),
        ("x1/_y.py", "run", None),
        ("_x/y.py", "run", None),
    ],
)
def test_the_name_of_an_event_is_path_and_function(shelf, name, function, event):
    shelf.write(name, f"@plug\ndef {function}(): return 1\n")
    shelf.swap()
    assert shelf.events == ([event] if event else [])
    assert event is None or EVENT.fullmatch(event)


def test_a_lambda_and_an_alias_are_plugs_under_their_names(shelf):
    shelf.write("a.py", "one = plug(lambda x: x + 1)\n@plug\ndef two(): return 2\nsame = two\n")
    shelf.swap()
    assert shelf.events == ["a.one", "a.two"]
    assert shelf.call("a.one", b'{"x":1}') == 2


def test_a_decorated_plug_keeps_its_mark(shelf):
    text = """
        import functools
        def twice(function):
            @functools.wraps(function)
            def wrapper(*args, **kwargs): return function(*args, **kwargs) * 2
            return wrapper
        @twice
        @plug(timeout=2.0, idempotent=True)
        def a(x: int) -> int:
            '''First line.

            More.
            '''
            return x
    """
    shelf.write("a.py", text)
    shelf.swap()
    announced = shelf.loader.catalog["a"].announcement
    assert shelf.call("a", b'{"x":2}') == 4
    assert (announced.timeout, announced.idempotent, announced.doc) == (2.0, True, "First line.")
    assert announced.place == "plugs/a.py:10"
