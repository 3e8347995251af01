import subprocess
import sys
from pathlib import Path

import pytest

from building import executable


def git(folder, *arguments):
    identity = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
    subprocess.run(["git", "-C", folder, *identity, *arguments], check=True, capture_output=True)


def test_what_is_built_is_as_old_as_the_last_commit(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_COMMITTER_DATE", "1234567890 +0000")
    git(tmp_path, "init")
    git(tmp_path, "commit", "--allow-empty", "-m", "one")

    assert executable.epoch(tmp_path, {}) == 1234567890


def test_outside_of_git_it_has_a_date_that_never_changes(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))

    assert executable.epoch(tmp_path, {}) == executable.FIRST_EPOCH


def test_who_names_a_date_gets_it(tmp_path):
    assert executable.epoch(tmp_path, {"SOURCE_DATE_EPOCH": "5"}) == 5


def test_whatever_would_make_two_builds_differ_is_fixed(tmp_path):
    outer = {"PYTHONHASHSEED": "random", "PYTHONPATH": "/elsewhere", "LANG": "C", "SOURCE_DATE_EPOCH": "7"}

    assert executable.surroundings(tmp_path, outer) == {
        "LANG": "C",
        "PYTHONHASHSEED": "1",
        "PYTHONPATH": str(tmp_path / "src"),
        "PYINSTALLER_CONFIG_DIR": str(tmp_path / "build/pyinstaller"),
        "SOURCE_DATE_EPOCH": "7",
    }


def test_a_build_that_fails_says_why_and_where_more_is_said(tmp_path):
    with pytest.raises(SystemExit) as failed:
        executable.build(tmp_path, Path(sys.executable), onedir=False)

    why, where = str(failed.value).splitlines()
    assert why.endswith("No module named PyInstaller")
    assert where == f"build.py: PyInstaller failed with status 1; {tmp_path / 'build/log.txt'} has all that it said."
