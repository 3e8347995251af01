"""A plug that says what it needs is loaded when that is there, and says what is missing when it isn't."""

import sys

import pytest
from msgspec import structs

from plugsock.model import Problem

NEEDY = """\
# /// script
# dependencies = ["no-such-package>=3", "click", "other-package"]
# ///
RAN.append(1)
from plugsock import plug
@plug
def needy(): return 1
"""


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Install a package that has nothing but a name."""
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path / "lib")])

    def put(name, version):
        info = tmp_path / "lib" / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\n")

    return put


def problems(shelf):
    return [str(problem) for problem in shelf.loader.problems]


def test_what_is_missing_is_named_at_its_line_and_nothing_is_run(shelf):
    shelf.save("needy.py", NEEDY.encode())
    shelf.swap()

    assert problems(shelf) == [
        "plugs/needy.py:2: it needs no-such-package>=3, which is not installed: run `plugsock pip sync`",
        "plugs/needy.py:2: it needs other-package, which is not installed: run `plugsock pip sync`",
    ]


def test_the_problem_says_to_programs_what_would_mend_it(shelf):
    shelf.save("needy.py", NEEDY.encode())
    look = shelf.swap()

    assert [problem.needs for problem in look.groups[0].problems] == [("no-such-package>=3",), ("other-package",)]
    assert structs.replace(look.problems[0], needs=()) == Problem(
        "plugs/needy.py",
        2,
        "it needs no-such-package>=3, which is not installed: run `plugsock pip sync`",
        ("needy",),
    )


def test_the_old_revision_serves_meanwhile(shelf, installed):
    shelf.plug("needy.py", 0)
    shelf.swap()
    shelf.save("needy.py", NEEDY.replace("RAN.append(1)\n", "").encode())
    shelf.swap()
    assert shelf.call("needy") == 0

    installed("no-such-package", "3.1")
    installed("other-package", "1")
    shelf.swap(force=True)
    assert (shelf.call("needy"), problems(shelf)) == (1, [])


def test_a_version_that_does_not_do_is_named(shelf, installed):
    installed("no-such-package", "2.9")
    installed("other-package", "1")
    shelf.save("needy.py", NEEDY.encode())
    shelf.swap()

    assert problems(shelf) == [
        "plugs/needy.py:2: it needs no-such-package>=3, and 2.9 is installed: run `plugsock pip sync`"
    ]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("# dependencies = [", "2: what it needs is not TOML"),
        ("# dependencies = ['???']", "2: '???' is no requirement"),
        ("""# dependencies = ["a; os_name ~= '3'"]""", "2: \"a; os_name ~= '3'\" is no requirement"),
        ("# requires-python = '>=99'", "2: it needs Python >=99, and this is "),
    ],
)
def test_metadata_that_can_not_be_met_or_read_are_a_problem(shelf, lines, said):
    shelf.save("a.py", f"# /// script\n{lines}\n# ///\n".encode())
    shelf.swap()

    (problem,) = shelf.loader.problems
    assert str(problem).startswith(f"plugs/a.py:{said}")
    assert problem.needs == ()


def test_windows_line_ends_make_no_difference(shelf):
    shelf.save("needy.py", NEEDY.replace("\n", "\r\n").encode())
    shelf.swap()

    assert [problem.line for problem in shelf.loader.problems] == [2, 2]


def test_what_a_helper_needs_holds_back_those_that_import_it_and_no_others(shelf):
    shelf.save("_lib.py", b"# /// script\n# dependencies = ['absent']\n# ///\n")
    shelf.write("user.py", "from plugs import _lib\n@plug\ndef user(): return 1\n")
    shelf.plug("other.py", 1)
    shelf.swap()

    assert shelf.events == ["other"]
    assert problems(shelf)[0].startswith("plugs/_lib.py:2: it needs absent, which is not installed")


def test_what_is_served_elsewhere_is_loaded_whatever_it_says(shelf):
    shelf.save("needy.py", NEEDY.replace("RAN.append(1)\n", "").encode())
    sources = list(shelf.loader._disk.contents(0.0).sources.values())
    look = shelf.loader.look(contents=sources, is_served=True)

    assert [list(group.plugs) for group in look.groups] == [["needy"]]


def test_what_another_worker_has_staged_is_refused_where_it_lacks_something(shelf):
    shelf.swap()
    shelf.save("needy.py", NEEDY.encode())
    sources = list(shelf.loader._disk.contents(0.0).sources.values())
    look = shelf.loader.adopt(sources, ())

    assert [problem.needs for problem in look.groups[0].problems] == [("no-such-package>=3",), ("other-package",)]


def test_nobody_else_waits_until_it_is_known_how_requirements_are_read(shelf):
    known = {name for name in sys.modules if name.startswith("plugsock.needs.")}
    for name in known - {"plugsock.needs.places", "plugsock.needs.remedy"}:
        del sys.modules[name]
    shelf.plug("a.py", 1)
    shelf.swap()

    assert "plugsock.needs.flaws" not in sys.modules
