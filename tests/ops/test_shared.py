import mmap
import stat
import sys

import pytest

from plugsock.ops.shared import Shared

posix = pytest.mark.skipif(sys.platform == "win32", reason="modes are not there, and what is mapped can't be removed")

SIZE = 4096


@pytest.fixture
def one(tmp_path):
    shared = Shared.create(tmp_path, SIZE)
    yield shared
    shared.close()


def test_what_one_end_writes_the_other_reads(one):
    other = Shared(one.path, SIZE)
    other.view[3] = (1 << 64) - 1

    assert one.view[3] == (1 << 64) - 1
    other.close()


def test_it_is_full_of_zeros_in_the_beginning(one):
    assert set(one.view) == {0}
    assert len(one.view) == SIZE // 8


@posix
def test_only_its_user_can_open_the_file(one):
    assert stat.S_IMODE(one.path.stat().st_mode) == 0o600


@posix
def test_it_stays_when_its_path_is_forgotten(one):
    other = Shared(one.path, SIZE)
    one.forget_path()
    one.forget_path()
    one.view[0] = 7

    assert not one.path.exists()
    assert other.view[0] == 7
    other.close()


def test_a_closed_one_leaves_no_file(tmp_path):
    Shared.create(tmp_path, SIZE).close()

    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_too_small_is_refused(tmp_path):
    (tmp_path / "small").write_bytes(b"")

    with pytest.raises(ValueError):
        Shared(tmp_path / "small", SIZE)


def test_one_that_can_not_be_mapped_leaves_no_file(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(mmap, "mmap", full)

    with pytest.raises(OSError):
        Shared.create(tmp_path, SIZE)
    assert list(tmp_path.iterdir()) == []
