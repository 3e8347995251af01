import sys
from pathlib import Path

import pytest

from building import archive, trial

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the executable of these tests is a shell script")

GOOD = """\
#!/bin/sh
case $1 in
  --version) echo plugsock 1.2.3 ;;
  selftest) test -z "$HOME" ;;
esac
"""


@pytest.fixture
def script(tmp_path):
    """Makes an executable that is a shell script."""

    def make(text):
        file = tmp_path / "plugsock"
        file.write_text(text, encoding="utf-8")
        file.chmod(0o755)
        return file

    return make


def test_what_says_its_version_and_passes_its_own_test_is_good(script):
    trial.try_executable(script(GOOD), "1.2.3")


def test_another_version_is_not_good(script):
    with pytest.raises(SystemExit, match=r"said `plugsock 1\.2\.3` instead of `plugsock 1\.2\.4`"):
        trial.try_executable(script(GOOD), "1.2.4")


def test_one_that_fails_its_own_test_is_not_good_and_what_it_said_is_shown(script, capsys):
    with pytest.raises(SystemExit, match=r"this failed with status 3: .*plugsock selftest"):
        trial.try_executable(script(GOOD.replace('test -z "$HOME"', "echo no sqlite3; exit 3")), "1.2.3")

    assert "no sqlite3" in capsys.readouterr().err


def test_one_whose_unpacked_files_stay_behind_is_not_good(script):
    with pytest.raises(SystemExit, match="has unpacked _MEIabc and not taken it away"):
        trial.try_executable(script(GOOD.replace('test -z "$HOME"', 'touch "$TMPDIR/_MEIabc"')), "1.2.3")


@pytest.mark.parametrize("folder", [".", "bin"])
def test_the_executable_in_an_archive_is_tried_where_it_was_unpacked(script, tmp_path, folder):
    name = (Path(folder) / "plugsock").as_posix()
    packed = archive.pack({name: script(GOOD)}, tmp_path / "plugsock-1.2.3.tar.gz", 0)

    trial.try_archive(packed, name, "1.2.3")
    with pytest.raises(SystemExit, match="instead of"):
        trial.try_archive(packed, name, "9")
