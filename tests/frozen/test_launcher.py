"""The end of a launcher, shown with real processes: one starts another one, and is killed."""

import signal
import subprocess
import sys

import pytest

from plugsock.frozen import launcher

CHILD = """
import os, sys, time
from pathlib import Path
from plugsock.frozen import launcher, unpacked

sys._MEIPASS = sys.argv[1] + f"/_MEI{LAUNCHER:08x}abcdef"
unpacked.IS_FROZEN = True
Path(sys._MEIPASS).mkdir()
FIRST
launcher.watch(by_launcher=False)
THEN
print("ready", flush=True)
time.sleep(60.0)
"""

LAUNCHER = "import subprocess, sys; subprocess.run([sys.executable, '-c', *sys.argv[1:]])"

LIMIT_S = 30.0


def child(pid, first="", then=""):
    return CHILD.replace("LAUNCHER", pid).replace("FIRST", first).replace("THEN", then)


pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="how it is on POSIX")


@pytest.fixture
def one_file(monkeypatch):
    """As if this process had a launcher."""
    monkeypatch.setattr(launcher, "_pid", 1)


@pytest.fixture
def launched(tmp_path):
    """Starts a launcher and its child; what the child says before its launcher is killed, and after it."""

    def run(then="", *, first=""):
        code = child("os.getppid()", first, then)
        started = subprocess.Popen(
            [sys.executable, "-c", LAUNCHER, code, str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        before = started.stdout.readline()
        started.kill()
        after, _ = started.communicate(timeout=LIMIT_S)  # until the child has ended as well
        assert started.returncode == -signal.SIGKILL
        return before + after

    return run


@pytest.mark.fault("F3")
def test_a_process_ends_with_its_launcher_and_takes_the_folder_away(launched, tmp_path):
    assert launched() == b"ready\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.fault("F3")
def test_where_the_system_can_t_tell_it_is_noticed_all_the_same(launched, tmp_path):
    fails = "def fails(_): raise PermissionError"

    assert launched(first=f"{fails}\nlauncher._wait_on_linux = launcher._wait_on_macos = fails") == b"ready\n"
    assert list(tmp_path.iterdir()) == []


def test_who_has_something_to_do_first_has_the_time_for_it(launched, tmp_path):
    more = "launcher.when_gone(lambda: (print('told', launcher.is_gone(), flush=True), os.close(1)))"

    assert launched(more) == b"ready\ntold True\n"
    assert list(tmp_path.iterdir()) == []


def test_whatever_goes_wrong_there_it_ends(launched, tmp_path):
    assert launched("launcher.when_gone(lambda: 1 / 0)") == b"ready\n"
    assert list(tmp_path.iterdir()) == []


def test_it_ends_even_if_its_main_thread_does_not_listen(launched, tmp_path):
    more = "import threading; threading.Timer(0.0, print, ['ready'], dict(flush=True)).start()\nwhile True: pass"

    assert launched(more) == b"ready\n"
    assert list(tmp_path.iterdir()) == []


def test_one_whose_launcher_has_died_before_it_could_look_ends_at_once(tmp_path, dead):
    code = child(str(dead), "launcher.watch(by_launcher=True)")
    ended = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, check=False)

    assert ended.returncode == launcher.KILLED
    assert list(tmp_path.iterdir()) == []


def test_what_another_process_of_ours_has_started_is_not_the_launcher_s_concern(tmp_path, dead):
    code = child(str(dead), then="print(launcher.is_gone(), flush=True); sys.exit()")
    said = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)

    assert said.stdout == "False\n"
    assert len(list(tmp_path.iterdir())) == 1


def test_without_a_launcher_nothing_is_watched_removed_or_taken_for_an_echo():
    launcher.watch(by_launcher=True)
    launcher.leave()

    assert not launcher.is_gone()
    echoes = launcher.Echoes()
    assert not echoes.has(signal.SIGINT, 1.0)
    assert not echoes.has(signal.SIGINT, 1.0)


def test_what_a_launcher_forwards_is_the_signal_that_has_come_already(one_file):
    echoes = launcher.Echoes()

    assert not echoes.has(signal.SIGINT, 10.0)
    assert echoes.has(signal.SIGINT, 10.0001)


def test_what_comes_later_was_meant(one_file):
    echoes = launcher.Echoes()
    echoes.has(signal.SIGINT, 10.0)
    echoes.has(signal.SIGINT, 10.3)

    assert not echoes.has(signal.SIGINT, 10.0 + launcher.ECHO_S)


def test_another_signal_is_no_echo(one_file):
    echoes = launcher.Echoes()
    echoes.has(signal.SIGINT, 10.0)

    assert not echoes.has(signal.SIGTERM, 10.1)
