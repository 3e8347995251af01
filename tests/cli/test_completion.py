import os
import shutil
import subprocess

import pytest

from plugsock.cli.main import main
from support import executable


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_printed(capsys, shell):
    if shell == "bash" and not shutil.which("bash"):
        pytest.skip("click asks bash for its version")

    assert main(["completion", shell]) == 0
    assert "_PLUGSOCK_COMPLETE" in capsys.readouterr().out


def complete(cwd, *words):
    environ = {"_PLUGSOCK_COMPLETE": "bash_complete", "COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1)}
    ended = subprocess.run(
        executable.command(),
        env=os.environ | environ,
        cwd=cwd,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stderr == ""
    return [line.partition(",")[2] for line in ended.stdout.splitlines() if line]


def test_commands_and_options_are_completed(tmp_path):
    assert complete(tmp_path, "plugsock", "c") == ["call", "check", "completion"]
    assert complete(tmp_path, "plugsock", "serve", "--max-c") == ["--max-calls", "--max-connections"]
    assert complete(tmp_path, "plugsock", "--max-c") == ["--max-calls", "--max-connections"]


def test_values_of_options_are_completed_with_and_without_a_command(tmp_path):
    assert complete(tmp_path, "plugsock", "serve", "--log-format", "") == ["text", "json"]
    assert complete(tmp_path, "plugsock", "--log-format", "") == ["text", "json"]
    assert complete(tmp_path, "plugsock", "--log-format", "j") == ["json"]


def test_without_a_server_there_are_no_events_to_suggest(tmp_path):
    assert complete(tmp_path, "plugsock", "call", "ch") == []


def test_a_broken_setting_is_no_noise_in_the_shell(tmp_path):
    (tmp_path / "plugsock.toml").write_text("nonsense")

    assert complete(tmp_path, "plugsock", "call", "ch") == []
