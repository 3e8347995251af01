import errno
import os
import signal
import stat
import subprocess
import sys

import pytest

from plugsock.ops import durable

posix = pytest.mark.skipif(sys.platform == "win32", reason="modes, signals and limits are not there")

DIES_AT = """
import os, signal, sys
from pathlib import Path
from plugsock.ops import durable

def die(event, arguments):
    if event == sys.argv[2] and str(arguments[0]).endswith(".new"):
        os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(die)
durable.write(Path(sys.argv[1]), b"new")
"""

FILLS_THE_DISK = """
import resource, sys
from pathlib import Path
from plugsock.ops import durable

resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    durable.write(Path(sys.argv[1]), b"new" * 1000)
except OSError as error:
    sys.exit(error.errno)
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "kept.json"


def run(program, *arguments):
    return subprocess.run([sys.executable, "-c", program, *map(str, arguments)], capture_output=True, check=False)


def names(path):
    return sorted(file.name for file in path.parent.iterdir())


def test_what_is_not_there_is_none(path):
    assert durable.read(path) is None


@pytest.mark.parametrize("content", [b"", b"1\r\n2\n", os.urandom(1 << 20)], ids=["empty", "lines", "1 MiB"])
def test_what_was_written_is_read(path, content):
    durable.write(path, b"earlier")
    durable.write(path, content)

    assert durable.read(path) == content
    assert names(path) == [path.name]


@posix
def test_only_its_user_can_open_it_whoever_could_before(path):
    path.write_bytes(b"old")
    path.chmod(0o666)

    durable.write(path, b"new")

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@posix
@pytest.mark.fault("A17")
@pytest.mark.parametrize("event", ["open", "os.rename"])
def test_a_process_that_dies_before_the_new_one_takes_its_place_leaves_the_old(path, event):
    durable.write(path, b"old")

    ended = run(DIES_AT, path, event)

    assert ended.returncode == -signal.SIGKILL
    assert durable.read(path) == b"old"


@posix
@pytest.mark.fault("A17")
def test_what_such_a_process_left_is_in_nobodys_way(path):
    run(DIES_AT, path, "os.rename")
    assert names(path) == [f"{path.name}.new"]
    path.with_name(f"{path.name}.new").chmod(0o666)

    durable.write(path, b"later")

    assert (durable.read(path), names(path)) == (b"later", [path.name])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@posix
def test_what_somebody_put_in_its_way_is_not_written_through(path, tmp_path):
    other = tmp_path / "other"
    other.write_bytes(b"somebody's")
    path.with_name(f"{path.name}.new").symlink_to(other)

    durable.write(path, b"new")

    assert other.read_bytes() == b"somebody's"
    assert durable.read(path) == b"new"
    assert not path.is_symlink()


@posix
@pytest.mark.fault("A17")
def test_a_disk_that_is_full_half_way_leaves_the_old_and_no_rest(path):
    durable.write(path, b"old")

    ended = run(FILLS_THE_DISK, path)

    assert ended.returncode == errno.EFBIG
    assert (durable.read(path), names(path)) == (b"old", [path.name])


def test_a_directory_that_is_gone_is_an_error(path):
    with pytest.raises(FileNotFoundError):
        durable.write(path.parent / "gone" / path.name, b"new")


@posix
def test_it_is_on_the_disk_before_it_takes_its_place_which_is_on_the_disk_before_it_returns(path, monkeypatch):
    steps = []
    fsync, replace = os.fsync, os.replace

    def synced(file):
        is_directory = stat.S_ISDIR(os.fstat(file).st_mode)
        steps.append("directory" if is_directory else f"{os.fstat(file).st_size} bytes")
        fsync(file)

    def replaced(old, new):
        steps.append("replaced")
        replace(old, new)

    monkeypatch.setattr("os.fsync", synced)
    monkeypatch.setattr("os.replace", replaced)

    durable.write(path, b"new")

    assert steps == ["3 bytes", "replaced", "directory"]


@posix
@pytest.mark.parametrize("number", [errno.EINVAL, errno.EIO])
def test_a_directory_that_can_not_be_synced_matters_where_it_could_be(path, monkeypatch, number):
    fsync = os.fsync

    def failing(file):
        if stat.S_ISDIR(os.fstat(file).st_mode):
            raise OSError(number, os.strerror(number))
        fsync(file)

    monkeypatch.setattr("os.fsync", failing)

    if number == errno.EIO:
        with pytest.raises(OSError, match=os.strerror(errno.EIO)):
            durable.write(path, b"new")
    else:
        durable.write(path, b"new")

    assert names(path) == [path.name]


@posix
@pytest.mark.fault("A17")
def test_a_link_to_nowhere_is_not_the_same_as_nothing(path, tmp_path):
    path.symlink_to(tmp_path / "not" / "mounted")

    with pytest.raises(FileNotFoundError):
        durable.read(path)


def test_what_can_not_be_read_is_an_error(path):
    path.mkdir()

    with pytest.raises(OSError):
        durable.read(path)
