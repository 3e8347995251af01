import os
import stat
import sys
import tarfile
import zipfile
from datetime import UTC, datetime

import pytest

from building import archive

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes and few symbolic links")


@pytest.fixture
def folder(tmp_path):
    """A folder with a program, a text in a folder, what Python leaves behind, and a symbolic link."""
    (tmp_path / "in" / "deep" / "__pycache__").mkdir(parents=True)
    (tmp_path / "in" / "deep" / "__pycache__" / "left.pyc").touch()
    (tmp_path / "in" / "deep" / "text").write_text("words", encoding="utf-8")
    (tmp_path / "in" / "program").write_text("#!/bin/sh\n", encoding="utf-8")
    (tmp_path / "in" / "program").chmod(0o700)
    (tmp_path / "in" / "deep" / "text").chmod(0o666)
    return tmp_path / "in"


def packed(folder, name, epoch=1_700_000_000):
    return archive.pack(archive.tree(folder), folder.parent / name, epoch)


@pytest.mark.parametrize("suffix", [".tar.gz", ".zip"])
def test_the_same_files_of_another_day_give_the_same_bytes(folder, suffix):
    before = packed(folder, f"a{suffix}").read_bytes()
    for file in folder.rglob("*"):
        os.utime(file, (1, 1))

    assert packed(folder, f"a{suffix}").read_bytes() == before


@pytest.mark.parametrize("suffix", [".tar.gz", ".zip"])
def test_everything_is_in_one_folder_with_the_archives_name(folder, suffix):
    file = packed(folder, f"some-1.0{suffix}")

    with tarfile.open(file) if suffix == ".tar.gz" else zipfile.ZipFile(file) as opened:
        names = opened.getnames() if suffix == ".tar.gz" else opened.namelist()
    assert {"some-1.0/program", "some-1.0/deep/text"} <= set(names)
    assert {name.partition("/")[0] for name in names} == {"some-1.0"}
    assert not [name for name in names if "pycache" in name]


@posix
def test_nobody_else_may_write_to_what_is_unpacked_whoever_packed_it(folder):
    with tarfile.open(packed(folder, "a.tar.gz")) as opened:
        modes = {info.name: oct(info.mode) for info in opened}
        owners = {(info.uid, info.gid, info.uname, info.gname, info.mtime) for info in opened}

    assert modes == {"a": "0o755", "a/deep": "0o755", "a/deep/text": "0o644", "a/program": "0o755"}
    assert owners == {(0, 0, "", "", 1_700_000_000)}


@posix
def test_a_zip_keeps_mode_and_date(folder):
    with zipfile.ZipFile(packed(folder, "a.zip")) as opened:
        info = opened.getinfo("a/program")

    assert stat.filemode(info.external_attr >> 16) == "-rwxr-xr-x"
    assert datetime(*info.date_time, tzinfo=UTC).timestamp() == 1_700_000_000


@posix
def test_a_symbolic_link_stays_one(folder):
    (folder / "link").symlink_to("deep/text")
    (folder / "shelf").symlink_to("deep", target_is_directory=True)

    with tarfile.open(packed(folder, "a.tar.gz")) as opened:
        links = {info.name: info.linkname for info in opened if info.issym()}

    assert links == {"a/link": "deep/text", "a/shelf": "deep"}


@pytest.mark.parametrize(
    ("system", "machine", "name"),
    [
        ("linux", "x86_64", "linux-x86_64"),
        ("linux", "aarch64", "linux-arm64"),
        ("darwin", "arm64", "macos-arm64"),
        ("win32", "AMD64", "windows-x86_64"),
    ],
)
def test_a_target_has_one_name_on_all_systems(monkeypatch, system, machine, name):
    monkeypatch.setattr("sys.platform", system)
    monkeypatch.setattr("platform.machine", lambda: machine)

    assert archive.target() == name
