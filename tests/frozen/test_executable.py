"""Which file plugsock was started from. What is only so in an executable is shown with a stand-in for one."""

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from plugsock.frozen import executable


@pytest.fixture
def file(tmp_path, monkeypatch):
    """A file that stands in for an executable, which this process was started from."""
    path = tmp_path / "app" / "plugsock"
    path.parent.mkdir()
    path.write_bytes(b"first")
    monkeypatch.setattr(sys, "executable", str(path))
    monkeypatch.setattr(sys, "_MEIPASS", str(tmp_path / "unpacked"), raising=False)
    monkeypatch.setattr(executable, "IS_FROZEN", True)
    monkeypatch.setattr(executable, "_STARTED_FROM", executable._identity())
    for name in (executable.LIBRARY_PATH, executable.ORIGINAL_LIBRARY_PATH, executable.STARTED_BY):
        monkeypatch.delenv(name, raising=False)
    return path


def test_plugsock_starts_itself_again():
    assert executable.command()[-2:] == ["-m", "plugsock"]
    said = subprocess.run([*executable.command(), "--version"], capture_output=True, text=True, check=True)
    assert said.stdout.startswith("plugsock ")


@pytest.mark.parametrize(("spec", "flags"), [(None, ["-P"]), ("plugsock.__main__", [])])
def test_a_module_in_the_working_directory_is_taken_for_the_library_s_only_if_it_was_before(monkeypatch, spec, flags):
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", spec)

    assert executable.command() == [sys.executable, *flags, "-m", "plugsock"]


def test_an_executable_starts_itself_without_a_module(file):
    assert executable.command() == [str(file)]


def test_without_an_executable_children_get_the_environment_as_it_is():
    assert executable.environment() == dict(os.environ)
    assert not executable.is_replaced()
    assert executable.is_installed()


def test_the_folder_is_the_real_one_whatever_link_leads_to_it(file, tmp_path, monkeypatch):
    link = tmp_path / "link"
    link.symlink_to(file)
    monkeypatch.setattr(sys, "executable", str(link))

    assert executable.folder() == file.parent


def test_only_a_marker_beside_it_makes_an_executable_an_installed_one(file):
    assert not executable.is_installed()

    (file.parent / executable.INSTALLED).touch()

    assert executable.is_installed()


def test_what_stays_is_not_replaced(file, tmp_path):
    os.link(file, tmp_path / "another name")

    assert not executable.is_replaced()


def rename_another_over_it(file):
    other = file.with_name("other")
    other.write_bytes(b"first")
    other.replace(file)


@pytest.mark.fault("F5")
@pytest.mark.parametrize(
    "change",
    [
        rename_another_over_it,
        lambda file: file.unlink(),
        lambda file: file.write_bytes(b"longer than before"),
    ],
    ids=["renamed over", "deleted", "overwritten"],
)
def test_every_other_file_in_its_place_is_noticed(file, change):
    change(file)

    assert executable.is_replaced()


def test_one_that_was_only_touched_is_the_same(file):
    os.utime(file, (1, 1))
    file.chmod(0o700)

    assert not executable.is_replaced()


@pytest.mark.skipif(sys.platform != "linux", reason="needs a name for the file that runs")
def test_a_process_knows_whether_its_launcher_is_another_program():
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as other:
        assert executable.has_replaced(other.pid)
    assert not executable.has_replaced(os.getpid())
    assert not executable.has_replaced(other.pid)  # it has ended: nobody can tell


def test_children_find_our_libraries_first(file, monkeypatch):
    monkeypatch.setattr(executable, "USES_LIBRARY_PATH", True)

    variables = executable.environment()

    assert variables[executable.LIBRARY_PATH] == sys._MEIPASS
    assert executable.ORIGINAL_LIBRARY_PATH not in variables


def test_and_then_the_user_s_which_they_know_as_well(file, monkeypatch):
    monkeypatch.setattr(executable, "USES_LIBRARY_PATH", True)
    monkeypatch.setenv(executable.LIBRARY_PATH, "/theirs")

    variables = executable.environment()

    assert variables[executable.LIBRARY_PATH] == f"{sys._MEIPASS}:/theirs"
    assert variables[executable.ORIGINAL_LIBRARY_PATH] == "/theirs"


def test_where_libraries_find_each_other_no_path_is_set(file, monkeypatch):
    monkeypatch.setattr(executable, "USES_LIBRARY_PATH", False)

    assert executable.LIBRARY_PATH not in executable.environment()


def test_children_share_what_is_unpacked_even_if_somebody_has_cleared_the_environment(file, monkeypatch):
    monkeypatch.setattr(executable, "_GIVEN", {"_PYI_ARCHIVE_FILE": str(file)})

    assert executable.environment()["_PYI_ARCHIVE_FILE"] == str(file)


def test_a_child_knows_it_and_its_own_children_do_not(file, monkeypatch):
    monkeypatch.setattr(os, "environ", executable.environment())

    assert executable.is_started_by_plugsock()
    assert executable.STARTED_BY not in os.environ


def test_a_child_of_another_plugsock_is_nobody_s(file, monkeypatch):
    monkeypatch.setenv(executable.STARTED_BY, "/tmp/_MEI00000001abcdef")

    assert not executable.is_started_by_plugsock()
    assert executable.STARTED_BY not in os.environ


@pytest.mark.skipif(sys.platform != "linux", reason="needs a name for the file that runs")
def test_modules_come_from_the_file_that_runs_under_whatever_name(monkeypatch):
    archive = SimpleNamespace(_filename=os.path.realpath("/proc/self/exe"))
    monkeypatch.setitem(sys.modules, "pyimod02_importers", SimpleNamespace(pyz_archive=archive))

    executable.pin()

    assert archive._filename == "/proc/self/exe"


@pytest.mark.parametrize("archive", [None, SimpleNamespace(), SimpleNamespace(_filename="/no/such/file")])
def test_what_another_pyinstaller_does_stays_as_it_is(monkeypatch, archive):
    before = dict(vars(archive)) if archive else None
    monkeypatch.setitem(sys.modules, "pyimod02_importers", SimpleNamespace(pyz_archive=archive))

    executable.pin()

    assert (dict(vars(archive)) if archive else None) == before
