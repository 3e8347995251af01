"""Who is told what went wrong, where there is no terminal, and where there is one that would close at once."""

import asyncio
import os
import pty
import subprocess
import sys

import pytest

from plugsock.cli import double_click

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="each system has its own windows")

FAIL = ["-c", "from plugsock.cli import double_click\ndouble_click.fail('the port is <taken>')"]
NAMES = ("zenity", "kdialog", "xmessage", "notify-send")


def install(folder, name):
    """A program that writes down how it was called."""
    folder.mkdir(exist_ok=True)
    program = folder / name
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$0" "$@" > \'{folder}/shown\'\n')
    program.chmod(0o755)


def fail(folder):
    """Fail where there is no terminal, with the programs of one folder; what was shown, and stderr."""
    ended = subprocess.run(
        [sys.executable, *FAIL],
        env=os.environ | {"PATH": str(folder)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    shown = folder / "shown"
    return shown.read_text().splitlines() if shown.exists() else [], ended.stderr


@pytest.mark.parametrize("name", NAMES)
def test_without_a_terminal_a_window_says_it(tmp_path, name):
    folder = tmp_path / "bin"
    install(folder, name)

    shown, stderr = fail(folder)

    assert shown[0] == str(folder / name)
    assert any(line.endswith("plugsock: the port is <taken>") for line in shown)
    assert stderr == "plugsock: the port is <taken>\n"


def test_the_best_window_that_there_is_says_it(tmp_path):
    for name in NAMES[1:]:
        install(tmp_path / "bin", name)

    assert fail(tmp_path / "bin")[0][0] == str(tmp_path / "bin" / "kdialog")


def test_without_any_window_it_is_said_on_stderr(tmp_path):
    (tmp_path / "bin").mkdir()

    assert fail(tmp_path / "bin") == ([], "plugsock: the port is <taken>\n")


async def test_a_terminal_stays_until_it_was_read():
    keyboard, screen = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        sys.executable, *FAIL, stdin=screen, stdout=screen, stderr=screen, start_new_session=True
    )
    os.close(screen)
    shown = b""
    while b"press Enter to close" not in shown:
        shown += await asyncio.to_thread(os.read, keyboard, 4096)
    assert process.returncode is None
    os.write(keyboard, b"\r")
    assert await asyncio.wait_for(process.wait(), 20) == 0
    process._transport.close()
    os.close(keyboard)
    assert b"plugsock: the port is <taken>" in shown


@pytest.mark.parametrize("argv", [["plugsock"], ["/home/ada/plugsock", "--dev"]])
def test_what_is_no_executable_was_not_double_clicked(argv):
    assert not double_click.was_double_clicked(argv)
