"""Groups that are joined by what their modules do, not by what they say: what is served, what is left out, what is run."""

import itertools

import pytest


def by_name(*modules):
    """Imports that no text shows."""
    head = "import importlib\n"
    return head + "".join(f"{m} = importlib.import_module('plugs.' + '{m[:2]}' + '{m[2:]}')\n" for m in modules)


def plug(name, value="1"):
    return f"@plug\ndef {name}(): return {value}\n"


def groups(look):
    return [
        (sorted(name.removeprefix("plugs.") for name in group.modules), sorted(group.plugs)) for group in look.groups
    ]


def told(shelf):
    return [str(problem) for problem in shelf.loader.problems]


@pytest.fixture
def runs(shelf, tmp_path):
    """Lines for a file that count how often it is run, and what was counted."""
    log = tmp_path / "runs"
    log.touch()

    class Runs:
        @staticmethod
        def line(word):
            return f"with open({str(log)!r}, 'a') as file: file.write('{word} ')\n"

        @staticmethod
        def count(word):
            return log.read_text().split().count(word)

    return Runs


def test_a_plug_that_needs_one_helper_by_statement_and_another_by_name_is_served_at_boot(shelf):
    shelf.write("_gate.py", "gate = 1\n")
    shelf.write("opens.py", "from plugs._gate import gate\n" + plug("opens", "gate"))
    shelf.write("_number.py", "VERSION = 2\n")
    shelf.write("named.py", "from plugs._gate import gate\n" + by_name("_number") + plug("named", "_number.VERSION"))
    look = shelf.swap()
    assert groups(look) == [(["_gate", "_number", "named", "opens"], ["named", "opens"])]
    assert told(shelf) == []
    assert (shelf.call("opens"), shelf.call("named")) == (1, 2)


@pytest.mark.parametrize("order", list(itertools.permutations(["one", "two", "three"])))
def test_a_chain_of_imports_by_name_is_one_group_whatever_its_files_are_called(shelf, order):
    first, second, third = order
    shelf.write("_zero.py", "VALUE = 'end'\n")
    shelf.write(f"{first}.py", by_name("_zero") + plug(first, "_zero.VALUE"))
    shelf.write(f"{second}.py", by_name(first) + plug(second, f"{first}.{first}()"))
    shelf.write(f"{third}.py", by_name(second, first) + plug(third, f"{second}.{second}()"))
    look = shelf.swap()
    assert groups(look) == [(["_zero", *sorted(order)], sorted(order))]
    assert {shelf.call(name) for name in order} == {"end"}


def test_a_plug_that_needs_many_by_name_is_served_with_all_of_them(shelf):
    needed = [f"n{number}" for number in range(8)]
    for name in needed:
        shelf.plug(f"{name}.py", name)
    shelf.write("all.py", by_name(*needed) + plug("all", f"[{', '.join(f'{name}.{name}()' for name in needed)}]"))
    shelf.swap()
    assert shelf.call("all") == needed


def test_an_import_by_name_in_on_load_joins_too(shelf):
    shelf.plug("late.py", 1)
    shelf.write(
        "use.py", "@on_load\ndef begin():\n" + "    import importlib\n    importlib.import_module('plugs.la' + 'te')\n"
    )
    assert groups(shelf.swap()) == [(["late", "use"], ["late"])]


def test_a_broken_helper_leaves_out_whoever_imports_it_by_name_and_nobody_else(shelf):
    shelf.write("_shared.py", "VALUE = 1\n")
    shelf.write("_broken.py", "1/0\n")
    shelf.write("bad.py", "from plugs._shared import VALUE\n" + by_name("_broken") + plug("bad"))
    shelf.write("worse.py", by_name("bad") + plug("worse"))
    shelf.write("good.py", "from plugs._shared import VALUE\n" + plug("good"))
    shelf.plug("other.py", 1)
    shelf.swap()
    assert shelf.events == ["good", "other"]
    assert told(shelf) == ["plugs/_broken.py:2: ZeroDivisionError: division by zero"]
    shelf.write("_broken.py", "VALUE = 1\n")
    shelf.swap()
    assert shelf.events == ["bad", "good", "other", "worse"]
    assert told(shelf) == []


def test_whoever_would_do_without_a_broken_file_is_left_out_however_it_imports_it(shelf):
    shelf.write("broken.py", "1/0\n")
    shelf.write("said.py", "try:\n    import plugs.broken\nexcept Exception: pass\n" + plug("said"))
    shelf.write("unsaid.py", f"try: exec({by_name('broken')!r})\nexcept Exception: pass\n" + plug("unsaid"))
    shelf.swap()
    assert shelf.events == []


def test_a_broken_plug_holds_back_none_of_those_that_it_imports_by_name(shelf, runs):
    shelf.write("good.py", runs.line("good") + plug("good"))
    shelf.write("bad.py", by_name("good") + "1/0\n")
    shelf.swap()
    assert shelf.events == ["good"]
    assert told(shelf) == ["plugs/bad.py:4: ZeroDivisionError: division by zero"]
    assert runs.count("good") == 2  # alone, which is what is served, and once with the broken one


def test_a_broken_edit_of_what_is_served_keeps_those_that_it_needs_by_name_as_they_are(shelf):
    shelf.write("_helper.py", "VALUE = 1\n")
    shelf.write("use.py", by_name("_helper") + plug("use", "_helper.VALUE"))
    shelf.swap()
    shelf.write("_helper.py", "VALUE = 2\n")
    shelf.write("use.py", by_name("_helper") + plug("use", "_helper.VALUE") + "1/0\n")
    shelf.swap()
    assert shelf.call("use") == 1
    shelf.write("use.py", by_name("_helper") + plug("use", "_helper.VALUE"))
    shelf.swap()
    assert shelf.call("use") == 2


def test_a_missing_file_is_missing_still(shelf):
    shelf.plug("good.py", 1)
    shelf.write("bad.py", by_name("good", "_none") + plug("bad"))
    shelf.swap()
    assert shelf.events == ["good"]
    assert told(shelf) == [
        "plugs/bad.py:4: ModuleNotFoundError: No module named 'plugs._none': there is no such file in the folder"
    ]


def test_a_new_plug_that_needs_what_failed_before_is_told_why_that_failed(shelf):
    shelf.write("_broken.py", "VALUE = (\n")
    shelf.plug("good.py", 1)
    shelf.swap()
    shelf.write("use.py", by_name("_broken", "good") + plug("use", "_broken.VALUE"))
    shelf.swap()
    assert shelf.events == ["good"]
    assert [(problem.file, problem.line, problem.events) for problem in shelf.loader.problems] == [
        ("plugs/_broken.py", 2, ("use",))
    ]
    shelf.write("_broken.py", "VALUE = 3\n")
    shelf.swap()
    assert shelf.call("use") == 3


def test_an_edit_that_needs_by_name_what_serves_an_old_revision_waits_for_the_new_one(shelf):
    shelf.plug("first.py", 1)
    shelf.plug("second.py", 1)
    shelf.swap()
    shelf.write("first.py", "1/0\n")
    shelf.swap()
    shelf.write("second.py", by_name("first") + plug("second", "first.first()"))
    shelf.swap()
    assert shelf.call("second") == 1
    assert told(shelf) == ["plugs/first.py:2: ZeroDivisionError: division by zero"]
    shelf.plug("first.py", 2)
    shelf.swap()
    assert (shelf.call("first"), shelf.call("second")) == (2, 2)


def test_what_failed_before_is_not_run_again_for_those_that_do_not_need_it(shelf, runs):
    shelf.write("bad.py", runs.line("bad") + "1/0\n")
    shelf.plug("good.py", 1)
    shelf.swap()
    shelf.plug("good.py", 2)
    shelf.swap()
    assert runs.count("bad") == 1


def test_two_that_load_one_helper_by_name_get_the_same_one(shelf):
    shelf.write("_later.py", "import random\nVALUE = random.random()\n")
    shelf.write("old.py", "@plug\ndef old():\n    from plugs._later import VALUE\n    return VALUE\n")
    shelf.swap()
    for name in ("one", "two"):
        shelf.write(f"{name}.py", by_name("_later") + plug(name, "_later.VALUE"))
    shelf.swap()
    assert shelf.call("one") == shelf.call("two") == shelf.call("old")


def test_attempts_that_came_to_nothing_are_unloaded(shelf, runs):
    def moments(word):
        loaded, unloaded = runs.line(f"load-{word}"), runs.line(f"unload-{word}")
        return f"@on_load\ndef begin():\n    {loaded}@on_unload\ndef end():\n    {unloaded}"

    shelf.write("a.py", moments("a") + plug("a"))
    shelf.write("b.py", moments("b") + by_name("a") + plug("b"))
    shelf.write(
        "c.py", "@on_load\ndef begin():\n    import importlib\n    importlib.import_module('plugs.' + 'b')\n    1/0\n"
    )
    shelf.swap()
    shelf.settled_gc()
    assert shelf.events == ["a", "b"]
    for word in ("a", "b"):
        assert runs.count(f"load-{word}") == runs.count(f"unload-{word}") + 1
    shelf.loader.close()
    for word in ("a", "b"):
        assert runs.count(f"load-{word}") == runs.count(f"unload-{word}")


def test_a_folder_that_was_missing_heals_whoever_looked_for_it(shelf):
    shelf.write("use.py", "from plugs import deep\nlate = getattr(deep, 'late')\n" + plug("use", "late.late()"))
    shelf.swap()
    assert shelf.events == []
    shelf.plug("deep/late.py", 5)
    shelf.swap()
    assert told(shelf) == []
    assert shelf.call("use") == 5
