import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from plugsock.ops import log
from plugsock.worker import surroundings

posix = pytest.mark.skipif(sys.platform == "win32", reason="modes and limits are not there")
linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has this")


@pytest.fixture(autouse=True)
def _logged():
    log.configure()


@pytest.fixture
def environ(monkeypatch):
    """The environment, which is as before in the end."""
    before = dict(os.environ)
    yield os.environ
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def path(monkeypatch):
    monkeypatch.setattr(sys, "path", sys.path[:])
    return sys.path


def run(program):
    """What a program prints in a process of its own, and how it ends."""
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=30)


def test_variables_of_the_folder_are_set(tmp_path, environ):
    (tmp_path / ".env").write_text(
        "\ufeff# a comment\nPLAIN=one two\nexport QUOTED='a # b'\nESCAPED=\"line\\nline\"\nEMPTY=\n\nBESIDE=${PLAIN}!\n",
        encoding="utf-8",
    )

    names = surroundings.take_variables(tmp_path, trust=False)

    assert names == ["PLAIN", "QUOTED", "ESCAPED", "EMPTY", "BESIDE"]
    assert [environ[name] for name in names] == ["one two", "a # b", "line\nline", "", "one two!"]


def test_what_the_environment_says_already_stays(tmp_path, environ):
    environ["MINE"] = "before"
    (tmp_path / ".env").write_text("MINE=after\n")

    assert surroundings.take_variables(tmp_path, trust=False) == []
    assert environ["MINE"] == "before"


def test_a_name_without_a_value_and_what_no_variable_can_be_are_left_out(tmp_path, environ):
    (tmp_path / ".env").write_text("JUST_A_NAME\nODD=a\0b\nGOOD=1\n")

    surroundings.take_variables(tmp_path, trust=False)

    assert ("JUST_A_NAME" in environ, "ODD" in environ, environ["GOOD"]) == (False, False, "1")


@pytest.mark.parametrize("folder", [".", "missing", "file"])
def test_a_folder_without_such_a_file_is_fine(tmp_path, folder, capsys):
    (tmp_path / "file").write_text("")

    surroundings.take_variables(tmp_path / folder, trust=False)

    assert capsys.readouterr().err == ""


def test_a_file_that_is_no_text_is_reported(tmp_path, capsys):
    (tmp_path / ".env").write_bytes(b"A=\xff\n")

    surroundings.take_variables(tmp_path, trust=False)

    assert "the environment file is not read" in capsys.readouterr().err


@posix
def test_a_file_that_others_can_write_to_is_read_only_where_that_is_trusted(tmp_path, environ, capsys):
    (tmp_path / ".env").write_text("THEIRS=1\n")
    (tmp_path / ".env").chmod(0o666)

    surroundings.take_variables(tmp_path, trust=False)
    assert "THEIRS" not in environ
    assert "everybody can write to it" in capsys.readouterr().err

    surroundings.take_variables(tmp_path, trust=True)
    assert environ["THEIRS"] == "1"


def test_libraries_of_the_folder_can_be_imported_after_all_others(tmp_path, path):
    (tmp_path / "site-packages").mkdir()

    surroundings.take_libraries(tmp_path, trust=False)
    surroundings.take_libraries(tmp_path, trust=False)

    assert path[-1] == str(tmp_path / "site-packages")
    assert path.count(path[-1]) == 1


def test_what_a_library_says_in_a_pth_file_is_heeded(tmp_path, path):
    (tmp_path / "site-packages" / "win32").mkdir(parents=True)
    (tmp_path / "site-packages" / "pywin32.pth").write_text("win32\n")

    surroundings.take_libraries(tmp_path, trust=False)

    assert path[-2:] == [str(tmp_path / "site-packages"), str(tmp_path / "site-packages" / "win32")]


def test_a_folder_without_libraries_adds_nothing(tmp_path, path):
    before = path[:]

    surroundings.take_libraries(tmp_path, trust=False)

    assert path == before


@posix
def test_libraries_that_others_can_write_to_are_not_used(tmp_path, path, capsys):
    (tmp_path / "site-packages").mkdir()
    (tmp_path / "site-packages").chmod(0o777)

    surroundings.take_libraries(tmp_path, trust=False)

    assert str(tmp_path / "site-packages") not in path
    assert "libraries are not used" in capsys.readouterr().err


SETUP = "from plugsock.worker import surroundings as s\n"


@linux
def test_who_asks_for_more_memory_than_it_may_use_gets_an_error():
    ended = run(SETUP + "s.limit_memory(256 << 20)\ntry: bytearray(512 << 20)\nexcept MemoryError: print('refused')")

    assert ended.stdout == "refused\n", ended.stderr


@posix
def test_a_limit_that_there_is_already_is_not_raised():
    ended = run(
        "import resource\nD = resource.RLIMIT_DATA\nresource.setrlimit(D, (1 << 30, 1 << 30))\n"
        + SETUP
        + "s.limit_memory(1 << 40)\nprint(resource.getrlimit(D) == (1 << 30, 1 << 30))"
    )

    assert ended.stdout == "True\n", ended.stderr


@posix
def test_without_a_limit_none_is_set():
    ended = run(
        "import resource\nbefore = resource.getrlimit(resource.RLIMIT_DATA)\n"
        + SETUP
        + "s.limit_memory(0)\nprint(resource.getrlimit(resource.RLIMIT_DATA) == before)"
    )

    assert ended.stdout == "True\n", ended.stderr


@linux
@pytest.mark.fault("K5")
def test_the_kernel_takes_a_worker_before_what_has_started_it():
    mine = int(Path("/proc/self/oom_score_adj").read_text())
    ended = run(SETUP + "s.be_first_to_go()\nprint(open('/proc/self/oom_score_adj').read())")

    assert int(ended.stdout) == min(1000, mine + surroundings.OUT_OF_MEMORY)


@posix
def test_on_a_signal_the_stacks_of_all_threads_are_written_and_it_goes_on():
    ended = run(
        "import os, signal, sys, threading\n"
        + SETUP
        + "sys.stderr = None\ns.be_observable()\n"
        + "stop = threading.Event()\ndef waits_here(): stop.wait()\n"
        + "thread = threading.Thread(target=waits_here)\nthread.start()\n"
        + "os.kill(os.getpid(), signal.SIGUSR2)\nstop.set()\nthread.join()\nprint('goes on')"
    )

    assert ended.stdout == "goes on\n"
    assert "waits_here" in ended.stderr
    assert "most recent call first" in ended.stderr


@posix
@pytest.mark.fault("P3")
def test_before_it_dies_of_a_fault_it_writes_where_that_was():
    ended = run(SETUP + "s.be_observable()\nimport ctypes\ndef falls_here(): ctypes.string_at(0)\nfalls_here()")

    assert ended.returncode < 0
    assert "falls_here" in ended.stderr


@posix
def test_a_process_without_stderr_can_not_be_looked_into():
    ended = run("import os; os.close(2)\n" + SETUP + "s.be_observable()\nprint('goes on')")

    assert ended.stdout == "goes on\n"


def test_what_is_loaded_is_no_business_of_the_collector_any_more():
    ended = run(SETUP + "import gc, json\ns.keep_what_is_loaded()\nprint(json.dumps([gc.get_freeze_count()]))")

    assert json.loads(ended.stdout)[0] > 1000
