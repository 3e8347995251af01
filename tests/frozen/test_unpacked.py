"""Folders of one-file executables: which are held, which are swept. The folders and their launchers are real."""

import os
import subprocess
import sys
import time

import pytest

from plugsock.frozen import unpacked

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such locks")

LONG_AGO = time.time() - 3600


@pytest.fixture
def place(tmp_path):
    """A folder for temporary files."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    return folder


def unpack(place, pid, *, names=("libssl.so.3", "python3.11/_csv.so", "plugsock/bundled/build.json"), sizes=100):
    folder = place / f"_MEI{pid:08x}abcdef"
    folder.mkdir()
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"." * sizes)
    age(folder)
    return folder


def age(folder):
    for path in (*folder.rglob("*"), folder):
        os.utime(path, (LONG_AGO, LONG_AGO))


@pytest.fixture
def own(place):
    return unpack(place, os.getpid())


def test_the_launcher_s_number_is_in_the_name(place):
    assert unpacked.launcher_of(place / "_MEI0000beefabcdef") == 0xBEEF


@pytest.mark.parametrize("name", ["_internal", "_MEI", "_MEI12345", "_MEIxyzxyzxyabcdef"])
def test_other_names_have_no_launcher(place, name):
    assert unpacked.launcher_of(place / name) is None


def test_only_one_file_has_such_a_folder(place, monkeypatch):
    monkeypatch.setattr(sys, "_MEIPASS", str(place / "_MEI00000001abcdef"), raising=False)
    assert unpacked.folder() is None

    monkeypatch.setattr(unpacked, "IS_FROZEN", True)
    assert unpacked.folder() == place / "_MEI00000001abcdef"

    monkeypatch.setattr(sys, "_MEIPASS", str(place / "_internal"))
    assert unpacked.folder() is None


@pytest.mark.fault("F3")
def test_what_a_killed_server_has_left_is_swept(place, own, dead):
    left = unpack(place, dead)

    assert not unpacked.sweep(own)

    assert not left.exists()
    assert own.exists()


def test_one_of_another_version_is_swept_by_its_marker(place, own, dead):
    left = unpack(place, dead, names=("libother.so", "plugsock/bundled/build.json"), sizes=7)

    unpacked.sweep(own)

    assert not left.exists()


@pytest.mark.fault("F3")
@pytest.mark.parametrize("names", [[], ["libssl.so.3"], ["libssl.so.3", "python3.11/_csv.so"]])
def test_one_that_was_not_wholly_unpacked_is_swept(place, own, dead, names):
    left = unpack(place, dead, names=names)
    if names:
        (left / names[-1]).write_bytes(b".")  # cut short
        age(left)

    unpacked.sweep(own)

    assert not left.exists()


def test_one_whose_launcher_lives_is_left_alone(place, own):
    with subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE) as launcher:
        used = unpack(place, launcher.pid)

        unpacked.sweep(own)

        launcher.communicate(b"\n")
    assert used.exists()


def test_one_that_another_process_holds_is_left_alone(place, own, dead):
    used = unpack(place, dead)
    code = "import sys; from pathlib import Path; from plugsock.frozen import unpacked;"
    code += "unpacked.hold(Path(sys.argv[1])); print(flush=True); input()"
    command = [sys.executable, "-c", code, str(used)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        holder.stdout.readline()

        unpacked.sweep(own)
        assert used.exists()

        holder.communicate(b"\n")
    unpacked.sweep(own)
    assert not used.exists()


@pytest.mark.parametrize(
    ("names", "sizes"),
    [
        (["their/program.so"], 100),
        (["libssl.so.3", "their/program.so"], 100),
        (["libssl.so.3", "python3.11/_csv.so"], 99),
        (["libssl.so.3"], 101),
    ],
    ids=["their file", "a file of theirs beside ours", "two of other sizes", "one that is longer"],
)
def test_what_another_program_has_left_is_not_ours_to_sweep(place, own, dead, names, sizes):
    theirs = unpack(place, dead, names=names, sizes=sizes)

    unpacked.sweep(own)

    assert theirs.exists()


def test_a_link_leads_nowhere(place, own, dead, tmp_path):
    elsewhere = unpack(tmp_path, dead)
    link = place / elsewhere.name
    link.symlink_to(elsewhere)

    unpacked.sweep(own)

    assert elsewhere.exists()
    assert link.is_symlink()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files to others")
def test_what_belongs_to_another_user_is_left_alone(place, own, dead):
    theirs = unpack(place, dead)
    os.chown(theirs, 12_345, -1)

    unpacked.sweep(own)

    assert theirs.exists()


def test_what_has_just_changed_is_looked_at_again_later(place, own, dead):
    recent = unpack(place, dead)
    (recent / "libssl.so.3").touch()

    assert unpacked.sweep(own)
    assert recent.exists()

    assert not unpacked.sweep(own, recent_s=0.0)
    assert not recent.exists()


def test_in_the_background_it_is_looked_at_twice(place, own, dead, monkeypatch):
    recent = unpack(place, dead)
    recent.touch()
    monkeypatch.setattr(unpacked, "IS_FROZEN", True)
    monkeypatch.setattr(sys, "_MEIPASS", str(own), raising=False)
    slept = []
    monkeypatch.setattr(time, "sleep", lambda seconds: (slept.append(seconds), age(recent)))

    sweeper = unpacked.sweep_in_background()
    sweeper.join()

    assert slept == [unpacked.RECENT_S]
    assert not recent.exists()


def test_elsewhere_nothing_is_swept():
    assert unpacked.sweep_in_background() is None


def test_a_folder_that_can_not_be_held_does_no_harm(place):
    unpacked.hold(place / "missing")
