"""How files are saved in the world: only complete contents are ever served, and no event is ever missing."""

import os
import shutil
import subprocess
import sys
import threading
import time

import pytest

TEXT = "from plugsock import plug\n@plug\ndef greet(): return {!r}\n"


def in_place(path, text):
    path.write_text(text)


def renamed(path, text):
    beside = path.with_name("a.tmp")
    beside.write_text(text)
    beside.replace(path)


def vim_backup(path, text):
    path.rename(path.with_name("greet.py~"))
    path.write_text(text)


def truncated(path, text):
    os.truncate(path, 0)
    path.write_text(text)


def deleted_and_written(path, text):
    path.unlink()
    path.write_text(text)


def sed(path, text):
    subprocess.run(["sed", "-i", f"s/.*return.*/{text.splitlines()[2]}/", path], check=True)


def copied(path, text):
    beside = path.with_name("a.tmp")
    beside.write_text(text)
    shutil.copy2(beside, path)


def moved_over(path, text):
    beside = path.with_name("a.tmp")
    beside.write_text(text)
    subprocess.run(["mv", beside, path], check=True)


STYLES = [in_place, renamed, vim_backup, truncated, deleted_and_written, sed, copied, moved_over]


@pytest.mark.fault("S2")
@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.__name__)
def test_every_way_to_save_swaps_without_a_gap(shelf, style):
    """Somebody looks all the time while the file is saved ten times."""
    path = shelf.path / "greet.py"
    path.write_text(TEXT.format(0))
    shelf.swap()
    saving = threading.Thread(target=lambda: [(style(path, TEXT.format(n)), time.sleep(0.03)) for n in range(1, 11)])
    saving.start()
    while saving.is_alive():
        look = shelf.swap_now()
        assert look.problems == ()
        assert shelf.events == ["greet"]
        assert shelf.call("greet") in range(11)
    saving.join()
    shelf.swap()
    assert shelf.call("greet") == 10


@pytest.mark.fault("S1")
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody can tell that a file is still open")
def test_of_a_write_in_three_parts_only_the_last_is_served(shelf):
    parts = [TEXT.format("first"), "@plug\ndef two(): return 2\n", "@plug\ndef three(): return 3\n"]
    path = shelf.path / "greet.py"
    path.write_text(TEXT.format("old"))
    shelf.swap()
    seen = []

    def write():
        with path.open("w") as file:
            for part in parts:
                file.write(part)
                file.flush()
                time.sleep(0.2)

    writing = threading.Thread(target=write)
    writing.start()
    while writing.is_alive():
        look = shelf.swap_now()
        seen.append((look.again_in_s is not None, tuple(shelf.events)))
    shelf.swap()
    assert {events for _, events in seen} <= {("greet",), ("greet", "greet.three", "greet.two")}
    assert (True, ("greet",)) in seen
    assert shelf.events == ["greet", "greet.three", "greet.two"]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody can tell that a file is still open")
def test_a_file_that_is_held_open_holds_back_no_other_and_is_named(shelf):
    shelf.plug("a.py", 1)
    with (shelf.path / "held.py").open("w") as file:
        look = shelf.swap()
        assert look.again_in_s == 0.02
        assert look.problems == ()
        assert shelf.events == ["a"]
        look = shelf.swap(after_s=3)
        assert "held open for writing" in look.problems[0].message
        file.write(TEXT.format(1))
    look = shelf.swap()
    assert look.problems == ()
    assert "held.greet" in shelf.events


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody can tell that a file is still open")
def test_a_helper_that_is_being_written_holds_back_its_changed_users(shelf):
    shelf.write("_lib.py", "VALUE = 1\n")
    shelf.write("a.py", "from plugs._lib import VALUE\n@plug\ndef a(): return VALUE\n")
    shelf.swap()
    with (shelf.path / "_lib.py").open("a") as file:
        file.write("OTHER = 2\n")
        file.flush()
        shelf.write("a.py", "from plugs._lib import OTHER\n@plug\ndef a(): return OTHER\n")
        assert shelf.swap().problems == ()
        assert shelf.call("a") == 1
    shelf.swap()
    assert shelf.call("a") == 2


@pytest.mark.fault("S12")
@pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")
def test_a_checkout_of_two_hundred_files_is_one_look(shelf):
    def git(*args):
        subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@b", *args], cwd=shelf.path, check=True, capture_output=True
        )

    git("init", "-q", "-b", "one")
    shelf.write("_lib.py", "BRANCH = 'one'\n")
    for n in range(200):
        shelf.write(f"p{n}.py", f"from plugs._lib import BRANCH\n@plug\ndef p{n}(): return BRANCH, 'one'\n")
    git("add", ".")
    git("commit", "-qm", "one")
    git("checkout", "-qb", "two")
    shelf.write("_lib.py", "BRANCH = 'two'\n")
    for n in range(200):
        shelf.write(f"p{n}.py", f"from plugs._lib import BRANCH\n@plug\ndef p{n}(): return BRANCH, 'two'\n")
    git("commit", "-qam", "two")
    git("checkout", "-q", "one")
    shelf.swap()
    checkout = threading.Thread(target=git, args=("checkout", "-q", "two"))
    checkout.start()
    swaps = 0
    while checkout.is_alive() or swaps == 0:
        swaps += bool(shelf.swap_now().groups)
        assert {shelf.call(f"p{n}") for n in range(200)} in ({("one", "one")}, {("two", "two")})
    swaps += bool(shelf.swap().groups)
    assert swaps == 1
    assert shelf.call("p7") == ("two", "two")
