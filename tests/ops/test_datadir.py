import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from plugsock.errors import PlugsockError
from plugsock.ops.datadir import DataDirectory, read_server

posix = pytest.mark.skipif(sys.platform == "win32", reason="modes and Unix sockets are not there")


@pytest.fixture(autouse=True)
def runtime(monkeypatch):
    """A runtime directory of the test's own, with a short path."""
    with tempfile.TemporaryDirectory() as directory:
        monkeypatch.setenv("XDG_RUNTIME_DIR", directory)
        yield Path(directory)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deep" / ".plugsock"


@pytest.fixture
def data(path):
    directory = DataDirectory(path)
    yield directory
    directory.close()


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@posix
def test_it_is_made_for_its_user_alone(data):
    data.listen().close()
    data.publish("ws://127.0.0.1:1", data.path.parent / "plugs")

    assert mode(data.path) == 0o700
    assert {mode(each) for each in data.path.iterdir()} == {0o600}


@posix
@pytest.mark.fault("D9")
def test_one_that_others_can_open_is_refused_and_left_as_it_is(path):
    path.mkdir(parents=True)
    path.chmod(0o755)

    with pytest.raises(PlugsockError, match="can be opened by others; make it private with: chmod 700"):
        DataDirectory(path)

    assert mode(path) == 0o755


@pytest.mark.fault("D9")
def test_a_place_that_can_not_be_used_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(PlugsockError, match="the data directory can't be used"):
        DataDirectory(tmp_path / "file" / ".plugsock")


@pytest.mark.fault("D9")
def test_a_second_server_is_told_who_holds_it(data):
    with pytest.raises(PlugsockError, match=rf"in use by another plugsock \(process {os.getpid()}\)"):
        DataDirectory(data.path)


def test_another_process_is_told_too(data):
    program = (
        f"from pathlib import Path; from plugsock.ops.datadir import DataDirectory as D; D(Path({str(data.path)!r}))"
    )

    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert f"process {os.getpid()}" in ended.stderr


def test_a_closed_one_can_be_opened_again(path):
    DataDirectory(path).close()

    DataDirectory(path).close()


def test_the_lock_of_a_process_that_was_killed_is_free(path):
    program = (
        "import sys, time; from pathlib import Path; from plugsock.ops.datadir import DataDirectory\n"
        f"d = DataDirectory(Path({str(path)!r})); d.listen(); d.publish('ws://127.0.0.1:1', Path('plugs')); print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"held\n"
        holder.kill()

    data = DataDirectory(path)
    data.listen().close()  # although the dead one's socket is still there
    data.close()


@posix
def test_the_admin_socket_is_a_socket_of_this_user_alone(data, runtime):
    with data.listen() as server, socket.socket(socket.AF_UNIX) as client:
        client.connect(data.admin.path)
        server.accept()[0].close()

    assert data.admin.path.startswith(str(runtime / "plugsock"))
    assert mode(runtime / "plugsock") == 0o700
    assert mode(Path(data.admin.path)) == 0o600


@posix
def test_a_long_path_of_the_data_directory_does_not_lengthen_the_sockets(tmp_path):
    directories = [DataDirectory(tmp_path / ("x" * 200) / name) for name in "ab"]
    sockets = [directory.listen() for directory in directories]

    assert directories[0].admin.path != directories[1].admin.path

    for each in (*sockets, *directories):
        each.close()


@posix
@pytest.mark.parametrize("given", ["missing", "y" * 120])
def test_without_a_good_runtime_directory_there_is_one_in_the_temporary_folder(data, runtime, monkeypatch, given):
    (runtime / ("y" * 120)).mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime / given))
    monkeypatch.setattr("tempfile.tempdir", str(runtime))

    data.listen().close()

    assert data.admin.path.startswith(f"{runtime}/plugsock-{os.getuid()}/")


@posix
def test_where_every_path_is_too_long_it_says_what_to_do(data, runtime, monkeypatch):
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    monkeypatch.setattr("tempfile.tempdir", str(runtime / ("y" * 120)))

    with pytest.raises(PlugsockError, match="too long for a socket; set TMPDIR"):
        data.listen()


@posix
def test_a_runtime_directory_that_somebody_prepared_is_refused(data, runtime, monkeypatch):
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    monkeypatch.setattr("tempfile.tempdir", str(runtime))
    (runtime / "trap").mkdir(mode=0o700)
    (runtime / f"plugsock-{os.getuid()}").symlink_to(runtime / "trap")

    with pytest.raises(PlugsockError, match="belongs to somebody else"):
        data.listen()


def test_where_there_are_no_unix_sockets_it_is_a_loopback_port_with_a_key(data):
    with data.listen(unix=False) as server:
        assert server.getsockname() == ("127.0.0.1", data.admin.port)

    assert len(data.admin.key) == 64
    assert data.admin.path == ""


@posix
def test_the_socket_of_workers_lies_beside_it(data, runtime):
    with data.listen(), data.listen_workers() as server, socket.socket(socket.AF_UNIX) as client:
        client.connect(data.workers.path)
        server.accept()[0].close()

    assert Path(data.workers.path).parent == runtime / "plugsock"
    assert data.workers.path != data.admin.path
    assert mode(Path(data.workers.path)) == 0o600
    assert str(data.workers) == data.workers.path


def test_without_unix_sockets_workers_have_a_port_and_a_key_of_their_own(data):
    with data.listen(unix=False), data.listen_workers(unix=False) as server:
        assert str(data.workers) == f"127.0.0.1:{server.getsockname()[1]}"

    assert len(data.workers.key) == 64
    assert data.workers.key != data.admin.key


@posix
def test_a_socket_that_can_not_be_opened_is_one_line(data, monkeypatch):
    data.listen().close()
    Path(data.admin.path).unlink()
    Path(data.admin.path).mkdir()

    with pytest.raises(PlugsockError, match=r"the socket [0-9a-f]{16}\.sock can't be opened"):
        data.listen()

    Path(data.admin.path).rmdir()


@posix
def test_files_that_are_of_no_use_later_have_a_private_directory_until_the_end(path):
    data = DataDirectory(path)
    scratch = data.scratch()
    (scratch / "1.page").write_text("")

    assert mode(scratch) == 0o700
    data.close()
    assert not scratch.exists()


def test_what_a_dead_server_left_there_is_taken_away(data):
    (data.scratch() / "1.page").write_text("")

    assert list(data.scratch().iterdir()) == []


@posix
def test_the_directory_of_such_files_is_made_again_where_it_was_cleaned_away(data, runtime):
    scratch = data.scratch()
    shutil.rmtree(runtime / "plugsock")

    data.restore_scratch()

    assert mode(scratch) == mode(scratch.parent) == 0o700


def test_what_is_in_such_a_directory_stays_when_it_is_not_missing(data):
    (data.scratch() / "1.page").write_text("")

    data.restore_scratch()

    assert [file.name for file in data._scratch.iterdir()] == ["1.page"]


@posix
@pytest.mark.fault("D9")
def test_one_that_others_can_open_is_not_taken_in_its_place(data):
    scratch = data.scratch()
    scratch.rmdir()
    scratch.mkdir()
    scratch.chmod(0o755)

    with pytest.raises(PlugsockError, match="can be opened by others"):
        data.restore_scratch()


@posix
def test_a_place_for_such_files_that_can_not_be_used_is_one_line(data, runtime):
    (runtime / "plugsock").write_text("")

    with pytest.raises(PlugsockError, match="temporary files can't be kept there"):
        data.scratch()


def test_server_json_says_where_the_server_is_while_it_runs(path):
    data = DataDirectory(path)
    data.listen().close()
    data.publish("ws://127.0.0.1:8765", path / "plugs")

    server = read_server(path)
    data.close()

    assert (server.url, server.pid, server.admin) == ("ws://127.0.0.1:8765", os.getpid(), data.admin)
    assert server.plugs == str(path / "plugs")
    assert read_server(path) is None


def test_a_server_json_that_names_no_folder_can_be_read(data):
    (data.path / "server.json").write_bytes(b'{"url":"ws://127.0.0.1:1","pid":1,"admin":{"path":"a.sock"}}')

    assert read_server(data.path).plugs == ""


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"url": 1}', b"\xff"])
def test_a_broken_server_json_is_no_server(data, content):
    (data.path / "server.json").write_bytes(content)

    assert read_server(data.path) is None
