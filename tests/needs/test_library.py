"""site-packages is changed as a whole, by one process at a time, and never left half changed."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from plugsock.errors import PlugsockError
from plugsock.needs.library import Library
from support.wheels import wheel


@pytest.fixture
def library(tmp_path):
    (tmp_path / "plugs").mkdir()
    return Library(tmp_path / "plugs")


def add(library, tmp_path, name, version="1.0", files=None):
    """Install a wheel without pip."""
    with library.staging() as staging:
        with zipfile.ZipFile(wheel(tmp_path / "wheels", name, version, files)) as archive:
            archive.extractall(staging / "fresh")
        library.replace(staging / "fresh", staging)


def content(library):
    return sorted(str(path.relative_to(library.path)) for path in library.path.rglob("*") if path.is_file())


def beside(library):
    """What lies in the folder of plugs."""
    return sorted(path.name for path in library.path.parent.iterdir())


def nobody():
    raise AssertionError("somebody else has the lock")


def test_a_first_package_makes_the_folder(library, tmp_path):
    add(library, tmp_path, "alpha")

    assert content(library) == ["alpha-1.0.dist-info/METADATA", "alpha-1.0.dist-info/RECORD", *content(library)[2:]]
    assert (library.path / "alpha.py").read_text() == "VERSION = '1.0'\n"
    assert beside(library) == ["site-packages"]


def test_another_version_takes_the_place_of_one_and_what_else_there_is_stays(library, tmp_path):
    add(library, tmp_path, "beta")
    add(library, tmp_path, "alpha", "1.0", {"alpha/__init__.py": "", "alpha/old/part.py": "", "alpha_old.py": ""})
    (library.path / "alpha" / "old" / "__pycache__").mkdir()
    (library.path / "alpha" / "old" / "__pycache__" / "part.pyc").write_text("")
    (library.path / "own.py").write_text("")
    add(library, tmp_path, "alpha", "2.0", {"alpha/__init__.py": "NEW = True\n"})

    assert {name.partition("/")[0] for name in content(library)} == {
        "alpha",
        "alpha-2.0.dist-info",
        "beta.py",
        "beta-1.0.dist-info",
        "own.py",
    }
    assert sorted(path.name for path in (library.path / "alpha").iterdir()) == ["__init__.py"]


def test_packages_that_share_a_folder_are_merged(library, tmp_path):
    add(library, tmp_path, "space_one", files={"space/one.py": ""})
    add(library, tmp_path, "space_two", files={"space/two.py": ""})
    add(library, tmp_path, "space_one", "2.0", files={"space/one.py": "NEW = True\n"})

    assert sorted(path.name for path in (library.path / "space").iterdir()) == ["one.py", "two.py"]


def test_a_record_that_leads_elsewhere_deletes_nothing_there(library, tmp_path):
    add(library, tmp_path, "alpha")
    (tmp_path / "precious.txt").write_text("")
    with (library.path / "alpha-1.0.dist-info" / "RECORD").open("a") as record:
        record.write("../../precious.txt,,\n")
    add(library, tmp_path, "alpha", "2.0")

    assert (tmp_path / "precious.txt").exists()


def test_links_stay_links(library, tmp_path):
    add(library, tmp_path, "alpha")
    (library.path / "link.py").symlink_to("alpha.py")
    add(library, tmp_path, "beta")

    assert (library.path / "link.py").readlink() == Path("alpha.py")


def test_where_the_folder_is_a_link_what_it_leads_to_is_exchanged(tmp_path):
    (tmp_path / "plugs").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "plugs" / "site-packages").symlink_to(tmp_path / "elsewhere")
    library = Library(tmp_path / "plugs")
    add(library, tmp_path, "alpha")

    assert (tmp_path / "plugs" / "site-packages").is_symlink()
    assert (tmp_path / "elsewhere" / "alpha.py").exists()


def test_what_fails_on_the_way_changes_nothing(library, tmp_path):
    add(library, tmp_path, "alpha")
    before = content(library)
    with pytest.raises(FileNotFoundError), library.staging() as staging:
        library.replace(staging / "missing", staging)

    assert content(library) == before
    assert beside(library) == ["site-packages"]


def test_a_folder_that_can_not_be_exchanged_stays(library, tmp_path, monkeypatch):
    add(library, tmp_path, "alpha")
    rename = type(library.path).rename

    def refuse(path, target):
        if path.name == "ready":
            raise PermissionError("in use, as Windows says")
        return rename(path, target)

    monkeypatch.setattr(type(library.path), "rename", refuse)
    with pytest.raises(PlugsockError, match="is in use and can't be exchanged: stop the server"):
        add(library, tmp_path, "beta")

    assert list(library.packages()) == ["alpha"]
    assert beside(library) == ["site-packages"]


def test_what_a_killed_process_has_left_is_cleared_away_and_undone(library, tmp_path):
    add(library, tmp_path, "alpha")
    left = library.path.with_name(".site-packages-left")
    (left / "ready").mkdir(parents=True)
    library.path.rename(left / "before")  # it was killed between the two renames
    with library.locked(nobody):
        assert list(library.packages()) == ["alpha"]
        assert beside(library) == ["site-packages"]


HOLD = """
import sys
from pathlib import Path
from plugsock.needs.library import Library

with Library(Path(sys.argv[1])).locked(lambda: None):
    print("locked", flush=True)
    sys.stdin.read()
"""


def test_one_waits_for_the_other_and_is_told_so(library):
    command = [sys.executable, "-c", HOLD, str(library.path.parent)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "locked\n"
        waited = []

        def waiting():
            waited.append(True)
            other.stdin.close()

        with library.locked(waiting):
            assert waited == [True]


@pytest.mark.skipif(sys.platform == "win32", reason="descriptors are not handed on there")
def test_where_two_folders_share_one_library_they_share_the_lock_as_well(library, tmp_path):
    (tmp_path / "others").mkdir()
    (tmp_path / "others" / "site-packages").symlink_to(library.path)

    def waiting():
        raise InterruptedError

    with library.locked(nobody), pytest.raises(InterruptedError), Library(tmp_path / "others").locked(waiting):
        pass


def test_a_program_that_was_started_meanwhile_holds_the_lock_as_well(library):
    with library.locked(nobody) as lock:
        program = subprocess.Popen(["cat"], stdin=subprocess.PIPE, pass_fds=(lock,))
    waited = []

    def waiting():
        waited.append(True)
        program.stdin.close()

    with program, library.locked(waiting):
        assert waited == [True]
