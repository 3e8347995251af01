"""Which files are plugs, and when they are read."""

import os
import socket
import sys
import time
from pathlib import Path

import pytest

from plugsock.loader import scan as scanning
from plugsock.loader.scan import MAX_SOURCE, Scanner, is_ignored
from plugsock.loader.source import Folder

LONG_AGO = 10_000_000_000


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "plugs"
    path.mkdir()
    return path


def scanner(folder, wall_ns=lambda: time.time_ns() + LONG_AGO):
    """By its clock every file was written 10 s ago, so that nothing needs to be waited for."""
    return Scanner(Folder(folder), wall_ns)


def found(folder):
    return scanner(folder).scan(0)


def complaints(scan):
    return {Path(problem.file).name: problem.message for problem in scan.problems}


def test_files_become_modules(folder):
    for name in ("a.py", "_b.py", "c/d.py", "c/__init__.py", "_e/f.py", "__init__.py"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("")
    sources = found(folder).sources
    assert sorted(sources) == ["plugs", "plugs._b", "plugs._e.f", "plugs.a", "plugs.c", "plugs.c.d"]
    assert sorted(name for name, source in sources.items() if source.is_helper) == ["plugs._b", "plugs._e.f"]
    assert sorted(name for name, source in sources.items() if source.is_package) == ["plugs", "plugs.c"]


@pytest.mark.fault("S17")
@pytest.mark.parametrize(
    "name",
    [".#a.py", "a.py~", "4913", ".a.py.swp", "a.py.tmp", "#a.py#", "a.pyc", "a.PY~", "__pycache__/a.py", "a.py.orig"],
)
def test_what_editors_leave_behind_is_ignored(folder, name):
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("1/0")
    scan = found(folder)
    assert (scan.sources, scan.problems) == ({}, [])


@pytest.mark.fault("S17")
@pytest.mark.parametrize(
    "name",
    [
        "a b.py",
        "a-b.py",
        "1.py",
        "new\nline.py",
        "esc\x1b[31m.py",
        "a.b.py",
        "my-dir/a.py",
        "\u202egnp.py",
        "x" * 252 + ".py",
    ],
)
def test_names_that_are_no_identifiers_are_problems_of_one_line(folder, name):
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("")
    scan = found(folder)
    if len(name) > 250:
        assert len(scan.sources) == 1
        return
    (problem,) = scan.problems
    assert "Python identifiers" in problem.message
    assert str(problem).isprintable()
    assert scan.sources == {}


@pytest.mark.fault("S17")
def test_a_name_that_is_no_unicode_is_a_problem_of_one_line(folder):
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff.py")).touch()
    (problem,) = found(folder).problems
    assert str(problem).isprintable()


@pytest.mark.fault("S17")
def test_names_that_differ_in_case_are_two_modules(folder):
    (folder / "a.py").write_text("1")
    (folder / "A.py").write_text("2")
    assert len(found(folder).sources) == len(list(folder.iterdir()))


@pytest.mark.parametrize(
    ("name", "ignored"),
    [
        ("a.py", False),
        ("_a.py", False),
        ("test_a.py", True),
        ("a_test.py", True),
        ("conftest.py", True),
        ("test_folder", False),
        ("venv", True),
        ("node_modules", True),
        ("site-packages", True),
        (".git", True),
        ("__pycache__", True),
        ("contest.py", False),
    ],
)
def test_what_is_ignored(name, ignored):
    assert is_ignored(name) == ignored


@pytest.mark.fault("S15")
def test_a_fifo_is_skipped_and_never_waited_for(folder):
    os.mkfifo(folder / "a.py")
    (folder / "b.py").write_text("")
    scan = found(folder)
    assert complaints(scan) == {"a.py": "it is skipped: it is no regular file"}
    assert list(scan.sources) == ["plugs.b"]


@pytest.mark.fault("S15")
def test_a_socket_is_skipped(folder, monkeypatch):
    monkeypatch.chdir(folder)  # the name of a socket is short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("a.py")
        assert "a.py" in complaints(found(folder))


@pytest.mark.fault("S15")
def test_a_folder_called_like_a_file_is_skipped(folder):
    (folder / "a.py").mkdir()
    (folder / "a.py" / "b.py").write_text("")
    scan = found(folder)
    assert "it is a folder" in complaints(scan)["a.py"]
    assert scan.sources == {}


@pytest.mark.fault("S15")
def test_links_out_of_the_folder_broken_ones_and_loops_are_skipped(folder, tmp_path):
    (tmp_path / "out.py").write_text("")
    (folder / "out.py").symlink_to(tmp_path / "out.py")
    (folder / "up.py").symlink_to("../out.py")
    (folder / "broken.py").symlink_to("nothing.py")
    (folder / "loop.py").symlink_to("loop.py")
    (folder / "round").symlink_to(".")
    scan = found(folder)
    assert scan.sources == {}
    assert complaints(scan) == {
        "out.py": "it is skipped: it is a link that leads out of the folder",
        "up.py": "it is skipped: it is a link that leads out of the folder",
        "broken.py": "it is skipped: it is a broken link",
        "loop.py": "it is skipped: it is a broken link",
        "round": "it is a link to a folder, which is not followed",
    }


def test_a_link_within_the_folder_is_followed(folder):
    """As Kubernetes mounts files: `a.py -> ..data/a.py`, `..data -> ..2026_11_24`."""
    data = folder / "..2026_11_24"
    data.mkdir()
    (data / "a.py").write_text("x = 1")
    (folder / "..data").symlink_to(data.name)
    (folder / "a.py").symlink_to("..data/a.py")
    scan = found(folder)
    assert scan.problems == []
    assert scan.sources["plugs.a"].data == b"x = 1"


@pytest.mark.fault("S15", "S18")
def test_a_file_beyond_the_limit_is_skipped_unread(folder):
    with (folder / "a.py").open("wb") as file:
        file.truncate(1 << 30)
    (folder / "b.py").write_bytes(b"#" * MAX_SOURCE)
    scan = found(folder)
    assert complaints(scan) == {"a.py": "it is skipped: it has 1024 MiB, and 2 are the most"}
    assert list(scan.sources) == ["plugs.b"]


@pytest.mark.fault("S15")
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_skipped(folder):
    (folder / "a.py").write_text("")
    (folder / "a.py").chmod(0)
    assert "it can't be read" in complaints(found(folder))["a.py"]


@pytest.mark.fault("S27")
def test_a_subfolder_that_can_not_be_read_is_kept_and_holds_back_no_other(folder, monkeypatch):
    for name in ("a.py", "deep/b.py"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("")
    listing = scanning.listing

    def fail(path, guard):
        if path.endswith("deep"):
            raise PermissionError(13, "Permission denied")
        return listing(path, guard)

    monkeypatch.setattr(scanning, "listing", fail)
    scan = found(folder)
    assert (list(scan.sources), scan.kept, scan.has_unread) == (["plugs.a"], {"plugs.deep"}, True)
    assert complaints(scan) == {"deep": "the folder can't be read: Permission denied"}


@pytest.mark.fault("S27")
def test_a_file_that_can_not_be_read_is_kept_and_read_again(folder, monkeypatch):
    (folder / "a.py").write_text("")
    one = scanner(folder)
    one.scan(0)
    (folder / "a.py").write_text("x = 1")
    with monkeypatch.context() as patch:
        patch.setattr(scanning.os, "read", lambda *_: (_ for _ in ()).throw(OSError(5, "Input/output error")))
        scan = one.scan(0)
    assert (scan.kept, scan.has_unread) == ({"plugs.a"}, True)
    assert complaints(scan) == {"a.py": "it is skipped: it can't be read: Input/output error"}
    assert one.scan(0).sources["plugs.a"].data == b"x = 1"


@pytest.mark.fault("S27")
def test_a_file_that_vanishes_between_listing_and_reading_is_missing(folder, monkeypatch):
    (folder / "a.py").write_text("")
    one = scanner(folder)
    monkeypatch.setattr(scanning, "read", lambda path, _: Path(path).unlink() or Path(path).stat())
    scan = one.scan(0)
    assert (scan.sources, scan.kept, scan.problems) == ({}, set(), [])


def test_an_unchanged_file_is_not_read_again(folder, monkeypatch):
    (folder / "a.py").write_text("x = 1")
    one = scanner(folder)
    first = one.scan(0).sources["plugs.a"]
    monkeypatch.setattr(scanning, "read", lambda *_: pytest.fail("it was read"))
    assert one.scan(0).sources["plugs.a"] is first


def test_a_file_that_the_watcher_names_is_read_again(folder, monkeypatch):
    (folder / "a.py").write_text("x = 1")
    one = scanner(folder)
    one.scan(0)
    reads = []
    read = scanning.read
    monkeypatch.setattr(scanning, "read", lambda path, guard: reads.append(path) or read(path, guard))
    one.scan(0, {"a.py"})
    assert reads == [str(folder / "a.py")]


def test_a_stat_that_is_too_young_is_not_trusted(folder, monkeypatch):
    (folder / "a.py").write_text("x = 1")
    one = scanner(folder, lambda: time.time_ns() + 1_000_000_000)
    one.scan(0)
    reads = []
    read = scanning.read
    monkeypatch.setattr(scanning, "read", lambda path, guard: reads.append(path) or read(path, guard))
    one.scan(0)
    assert len(reads) == 1


@pytest.mark.fault("S5")
def test_edits_of_equal_size_within_one_second_are_all_seen(folder):
    one = scanner(folder, lambda: time.time_ns() + 1_000_000_000)
    for n in range(50):
        (folder / "a.py").write_text(f"x = {n % 10}")
        assert one.scan(0).sources["plugs.a"].data == b"x = %d" % (n % 10)


@pytest.mark.fault("S6")
@pytest.mark.parametrize("shift_ns", [0, -86_400_000_000_000])
def test_an_edit_that_keeps_or_turns_back_the_time_is_seen(folder, shift_ns):
    path = folder / "a.py"
    path.write_text("x = 1")
    info = path.stat()
    one = scanner(folder)
    one.scan(0)
    path.write_text("x = 2")
    os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns + shift_ns))
    assert one.scan(0).sources["plugs.a"].data == b"x = 2"


@pytest.mark.skipif(sys.platform != "linux", reason="leases are Linux's")
def test_a_file_that_is_open_for_writing_is_waited_for(folder):
    one = scanner(folder)
    with (folder / "a.py").open("w") as file:
        file.write("x = 1")
        file.flush()
        assert one.scan(0).waits == {"plugs.a": 0.02}
        assert one.scan(10).waits == {"plugs.a": 0.02}
    assert one.scan(10).sources["plugs.a"].data == b"x = 1"


def test_a_young_file_is_waited_for(folder):
    (folder / "a.py").write_text("x = 1")
    one = scanner(folder, lambda: (folder / "a.py").stat().st_ctime_ns + 5_000_000)
    assert one.scan(0).waits == {"plugs.a": pytest.approx(0.015)}
    assert one.scan(0.02).sources
