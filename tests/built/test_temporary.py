"""The folder that one file is unpacked into: cleaned, full, missing, or one in which nothing may be run."""

import shutil
import subprocess
import sys

import pytest

from support import executable
from support.executable import LIMIT_S, running
from support.launched import is_emptied, needs_one_file
from support.once import connect

IMPORTS = """
import importlib
from plugsock import plug

@plug
async def imports(name: str) -> str:
    return importlib.import_module(name).__name__
"""

CLEANER = shutil.which("systemd-tmpfiles")

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="how Linux treats temporary folders")


@pytest.fixture
def one_file(exe):
    needs_one_file(exe)
    return exe


@pytest.mark.skipif(CLEANER is None, reason="needs systemd-tmpfiles: apt-get install systemd-standalone-tmpfiles")
async def test_a_cleaner_spares_the_folder_of_a_server_that_runs(one_file, tmp_path, temporary):
    plugs = tmp_path / "plugs"
    plugs.mkdir()
    (plugs / "imports.py").write_text(IMPORTS)
    forgotten = temporary / "_MEI00000000xxxxxx" / "file"
    forgotten.parent.mkdir()
    forgotten.touch()
    async with running(one_file, plugs, "--workers", "1", temporary=temporary) as server, connect(server.url) as client:
        [unpacked] = set(executable.unpacked(temporary)) - {forgotten.parent}
        before = sorted(unpacked.rglob("*"))

        _clean(temporary, tmp_path)

        assert not forgotten.exists()
        assert sorted(unpacked.rglob("*")) == before
        assert await client.call("imports", {"name": "_sqlite3"}) == "_sqlite3"  # a file of that folder


def _clean(folder, tmp_path):
    """Let systemd's cleaner take away all that nobody holds, however young."""
    config = tmp_path / "cleaner.conf"
    config.write_text(f"d {folder} - - - 0\n")
    subprocess.run([CLEANER, "--clean", str(config)], check=True, timeout=LIMIT_S)


def test_where_the_folder_for_temporary_files_is_missing_another_one_is_taken(one_file, tmp_path, temporary):
    elsewhere = {"TMPDIR": str(tmp_path / "missing"), "TEMP": str(temporary)}
    said = executable.run(one_file, "-c", "import sys; print(sys._MEIPASS)", env=executable.environment() | elsewhere)

    assert said.stdout.startswith(str(temporary))
    assert is_emptied(temporary)


@pytest.mark.fault("F3")
@pytest.mark.parametrize(("options", "said"), [("size=5m", "Failed to extract"), ("noexec", "failed to map segment")])
def test_where_it_can_t_be_unpacked_it_says_so(one_file, temporary, options, said):
    in_mounted = f'mount -t tmpfs -o {options} none "$TMPDIR" && exec "$0" --version'
    ended = executable.run("unshare", "--mount", "sh", "-c", in_mounted, one_file, temporary=temporary)
    if "unshare" in ended.stderr or "mount" in ended.stderr:
        pytest.skip(f"a file system can't be mounted here: {ended.stderr.strip()}")

    assert ended.returncode not in (0, 1, 2)
    assert said in ended.stderr


def test_it_starts_where_nothing_but_the_temporary_folder_can_be_written_to(one_file, temporary):
    read_only = 'mount -t tmpfs none "$TMPDIR" && mount -o remount,bind,ro / && cd / && exec "$0" --version'
    ended = executable.run("unshare", "--mount", "sh", "-c", read_only, one_file, temporary=temporary)
    if "unshare" in ended.stderr or "mount" in ended.stderr:
        pytest.skip(f"a file system can't be mounted here: {ended.stderr.strip()}")

    assert ended.returncode == 0, ended.stderr
    assert list(temporary.iterdir()) == []
