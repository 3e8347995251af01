"""The executable as a Python does what the real one does: the same output, the same end."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from plugsock.frozen import python
from support.pythons import COMMANDS, environment, lay_out, result

OURS = [sys.executable, "-I", str(Path(__file__).parents[1] / "support" / "as_python.py")]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return lay_out(tmp_path_factory.mktemp("python"))


@pytest.mark.parametrize("arguments", COMMANDS.values(), ids=COMMANDS)
def test_it_does_what_python_does(arguments, place):
    assert result([*OURS, *arguments], place) == result([sys.executable, *arguments], place)


def test_warnings_named_by_the_environment_are_errors(place):
    arguments = ["-c", "import warnings; warnings.warn('careful')"]

    ours = result([*OURS, *arguments], place, PYTHONWARNINGS="error")

    assert ours == result([sys.executable, *arguments], place, PYTHONWARNINGS="error")
    assert ours[2] == 1


def test_a_folder_that_is_not_safe_is_left_out_if_the_environment_says_so(place):
    ours = result([*OURS, "deep/er.py"], place, PYTHONSAFEPATH="1")

    assert ours == result([sys.executable, "deep/er.py"], place, PYTHONSAFEPATH="1")
    assert ours[2] == 1


def test_ctrl_c_ends_it_as_it_ends_python(place):
    waiting = subprocess.Popen(
        [*OURS, "-c", "import time; print('here', flush=True); time.sleep(60)"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(place),
    )
    with waiting:
        assert waiting.stdout.readline() == "here\n"
        waiting.send_signal(signal.SIGINT)
        _, error = waiting.communicate(timeout=30)

    assert (waiting.returncode, error.splitlines()[-1]) == (-signal.SIGINT, "KeyboardInterrupt")


@pytest.mark.parametrize("options", [["-i"], ["-ic", "1"], ["-i", "script.py"]], ids=" ".join)
def test_a_prompt_is_refused_and_says_why(options, place):
    ended = subprocess.run([*OURS, *options], cwd=place, capture_output=True, text=True, check=False)

    assert (ended.returncode, ended.stderr.splitlines()[0]) == (
        2,
        "-i: this Python runs programs, and has no prompt",
    )


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo terminals are not there")
def test_a_terminal_for_a_program_is_refused(place):
    ours, theirs = os.openpty()
    try:
        ended = subprocess.run(OURS, stdin=theirs, capture_output=True, text=True, check=False)
    finally:
        os.close(ours)
        os.close(theirs)

    assert (ended.returncode, ended.stderr.splitlines()[0]) == (2, "there is no program: this Python has no prompt")


@pytest.mark.parametrize(
    ("options", "sees"), [([], True), (["-P"], True), (["-E"], False), (["-I"], False), (["-S"], False)], ids=str
)
def test_libraries_of_the_plugs_can_be_imported(options, sees, place, tmp_path):
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "installed.py").write_text("")
    command = [*OURS, *options, "-c", "import importlib.util as u; print(u.find_spec('installed') is not None)"]

    assert result(command, place, PLUGSOCK_LIBRARIES=str(tmp_path / "lib"))[0] == f"{sees}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["-c", "x"],
        ["-cprint(1)\nprint(2)"],
        ["-Ic", "x"],
        ["-m", "json"],
        ["-"],
        *(["-" + letters] for letters in ("I", "E", "s", "S", "B", "u", "O", "OO", "P", "q", "b", "d", "x", "i")),
        ["-Werror", "x.py"],
        ["-W", "error"],
        ["-X", "utf8"],
        [__file__],
    ],
    ids=repr,
)
def test_a_command_line_of_python_is_seen(arguments):
    assert python.asks_for_python(["plugsock", *arguments])


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["serve"],
        ["--port", "1"],
        ["--version"],
        ["-h"],
        ["call", "x.py"],
        ["nowhere.py"],
        ["pip", "install", "x"],
        [str(Path(__file__).parent)],
        ["--multiprocessing-fork", "pipe_handle=3"],
    ],
    ids=repr,
)
def test_a_command_line_of_plugsock_is_seen(arguments):
    assert not python.asks_for_python(["/somewhere/plugsock", *arguments])


@pytest.mark.parametrize("name", ["python", "python3", "/x/y/python3.11", "Python.exe"])
@pytest.mark.parametrize("arguments", [[], ["-V"], ["--version"], ["serve"]], ids=str)
def test_a_program_named_python_is_always_one(name, arguments):
    assert python.asks_for_python([name, *arguments])
