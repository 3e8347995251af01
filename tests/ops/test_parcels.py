import errno
import os
import stat
import sys

import pytest

from plugsock.ops import log
from plugsock.ops.parcels import Parcels, of_worker

posix = pytest.mark.skipif(sys.platform == "win32", reason="there are no such modes and files")


@pytest.fixture
def here(tmp_path):
    return Parcels(tmp_path, "1.up", counts=True)


@pytest.fixture
def there(tmp_path):
    """The other process's."""
    return Parcels(tmp_path, "1.up")


@pytest.mark.parametrize("payload", [b"", b"1\r\n2\n", os.urandom(1 << 20)], ids=["empty", "lines", "1 MiB"])
def test_what_one_puts_the_other_takes_once(here, there, payload):
    number = here.put(payload)

    assert there.take(number, len(payload)) == payload
    with pytest.raises(FileNotFoundError):
        there.take(number, len(payload))


def test_they_are_counted(here, there):
    assert [here.put(b"a"), here.put(b"b")] == [1, 2]
    assert [there.take(2, 1), there.take(1, 1)] == [b"b", b"a"]


@posix
def test_only_its_user_can_read_one(here, tmp_path):
    here.put(b"1")

    assert stat.S_IMODE((tmp_path / "1.up.1").stat().st_mode) == 0o600


def test_what_a_worker_is_sent_is_not_what_it_sends(tmp_path):
    down, up = of_worker(tmp_path, 3)
    down.put(b"a")
    up.put(b"b")

    assert sorted(path.name for path in tmp_path.iterdir()) == ["3.down.1", "3.up.1"]


@pytest.mark.parametrize("size", [0, 2, 4])
def test_one_of_another_size_is_refused_and_stays(here, there, size):
    here.put(b"abc")

    with pytest.raises(ValueError, match=f"parcel 1 has 3 bytes, not {size}"):
        there.take(1, size)
    assert there.take(1, 3) == b"abc"


def test_one_that_becomes_shorter_while_it_is_read_is_refused(here, there, monkeypatch):
    here.put(b"abc")
    read = os.read
    monkeypatch.setattr(os, "read", lambda file, size: read(file, size - 1))

    with pytest.raises(ValueError, match="parcel 1 has become shorter than 3 bytes"):
        there.take(1, 3)


@posix
def test_a_link_is_not_followed(there, tmp_path):
    (tmp_path / "secret").write_bytes(b"abc")
    (tmp_path / "1.up.1").symlink_to(tmp_path / "secret")

    with pytest.raises(OSError):
        there.take(1, 3)
    assert (tmp_path / "secret").exists()


@posix
@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
def test_what_is_no_file_is_refused_at_once(there, tmp_path, make):
    make(tmp_path / "1.up.1")

    with pytest.raises(ValueError, match="parcel 1 is no file"):
        there.take(1, (tmp_path / "1.up.1").stat().st_size)


@pytest.fixture
def taken(tmp_path):
    """Somebody else's file has the first name."""
    path = tmp_path / "1.up.1"
    path.write_bytes(b"precious")
    return path


def test_nothing_that_is_there_is_overwritten(here, taken):
    assert here.put(b"1") == 0
    assert taken.read_bytes() == b"precious"
    assert here.put(b"2") == 2


@posix
def test_nothing_is_written_through_a_link(here, tmp_path):
    (tmp_path / "1.up.1").symlink_to(tmp_path / "elsewhere")

    assert here.put(b"1") == 0
    assert not (tmp_path / "elsewhere").exists()


def test_one_that_is_written_in_pieces_is_whole(here, there, monkeypatch):
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, data: write(file, data[:3]))

    assert there.take(here.put(b"abcdefgh"), 8) == b"abcdefgh"


def test_where_the_disk_is_full_nothing_is_left_and_the_log_says_so_once(here, tmp_path, monkeypatch, capsys):
    log.configure()

    def full(_file, _data):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)

    assert [here.put(b"1"), here.put(b"2")] == [0, 0]
    assert list(tmp_path.iterdir()) == []
    said = capsys.readouterr().err
    assert said.count("long payloads have no room") == said.count("No space left on device") == 1


def test_what_waits_is_what_was_put_and_not_taken(here, there):
    assert here.waiting() == 0
    for payload in (b"a", b"bc", b"def"):
        here.put(payload)
    assert here.waiting() == 6

    there.take(1, 1)
    assert here.waiting() == 5
    there.take(2, 2)
    there.take(3, 3)
    assert here.waiting() == 0


def test_one_that_could_not_be_removed_does_not_count_for_ever(here, tmp_path):
    for payload in (b"a", b"bc", b"def"):
        here.put(payload)
    (tmp_path / "1.up.2").unlink()  # so 1 has been taken, too, and something has held it

    assert here.waiting() == 3


def test_who_does_not_ask_what_waits_keeps_no_account_of_it(tmp_path):
    here = Parcels(tmp_path, "1.up")
    here.put(b"a")

    assert here.waiting() == 0


def test_all_of_them_are_cleared_away_and_nothing_else(here, tmp_path):
    others = Parcels(tmp_path, "11.up"), Parcels(tmp_path, "1.down")
    for parcels in (here, here, *others):
        parcels.put(b"1")

    here.clear()

    assert sorted(path.name for path in tmp_path.iterdir()) == ["1.down.1", "11.up.1"]
    assert here.waiting() == 0


def test_what_can_not_be_cleared_away_stays(here, tmp_path):
    (tmp_path / "1.up.7").mkdir()

    here.clear()

    assert (tmp_path / "1.up.7").exists()


def test_there_is_nothing_to_clear_where_the_directory_has_gone(tmp_path):
    Parcels(tmp_path / "gone", "1.up").clear()
