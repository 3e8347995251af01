import os
import subprocess

import pytest

from plugsock import __version__
from plugsock.cli.main import main
from support import executable

RIGHTS = ("who", "grant", "revoke", "kick")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def failure(capsys, *arguments):
    status = main(arguments)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return status, err.removesuffix("\n")


def test_it_says_its_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"plugsock {__version__}\n"


def test_its_help_shows_examples_as_they_are_and_every_command(capsys):
    assert main(["--help"]) == 0

    help = capsys.readouterr().out
    assert "\n    plugsock add plug greet " in help
    for command in ("serve", "call", "watch", "list", "swap", "check", "schema", "types", "add", "completion", *RIGHTS):
        assert f"\n  {command} " in help


@pytest.mark.parametrize(
    "command",
    ["serve", "call", "watch", "list", "swap", "check", "schema", "types", "add", "completion", "add plug", *RIGHTS],
)
def test_each_command_explains_itself_with_an_example(capsys, command):
    assert main([*command.split(), "-h"]) == 0

    help = capsys.readouterr().out
    assert f"Usage: plugsock {command}" in help
    assert "plugsock" in help.partition("\n")[2] or command == "add"


def test_the_help_of_serve_has_every_setting_in_its_section(capsys):
    main(["serve", "--help"])

    help = capsys.readouterr().out
    assert (
        help.index("Where:") < help.index("--port PORT") < help.index("How it runs:") < help.index("--dev / --no-dev")
    )
    assert "[default: 8765]" in help
    assert "[default: 64KiB]" not in help
    assert "1MiB]" in help


@pytest.mark.fault("D9")
@pytest.mark.parametrize("arguments", [["--port", "x"], ["serve", "--port", "x"]])
def test_options_without_a_command_are_those_of_serve(capsys, arguments):
    assert failure(capsys, *arguments) == (2, "plugsock: --port: expected a whole number from 0 to 65535, not 'x'")


@pytest.mark.fault("D9")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--prot", "1"], ["--prot", "--port"]),
        (["sevre"], ["sevre"]),
        (["call"], ["EVENT"]),
        (["call", "greet", "{'a'"], ["JSON"]),
        (["list", "--format", "xml"], ["xml", "json"]),
        (["completion", "tcsh"], ["tcsh", "bash"]),
        (["add", "plug"], ["NAME"]),
        (["check", "nowhere"], ["nowhere"]),
        (["--plugs", "nowhere"], ["nowhere"]),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(capsys, arguments, words):
    status, line = failure(capsys, *arguments)

    assert status == 2
    assert line.startswith("plugsock: ")
    assert all(word in line for word in words)


def test_a_group_without_its_command_shows_its_help_as_it_is(capsys):
    assert main(["add"]) == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("Usage: plugsock add ")
    assert "\n    plugsock add plug greet\n" in err
    assert "..." not in err.partition("Commands:")[2]


def test_a_missing_choice_is_one_line_without_escapes(capsys):
    _, line = failure(capsys, "completion")

    assert "\\" not in line
    assert "bash, zsh, fish" in line


def test_the_examples_of_completion_stand_on_lines_of_their_own(capsys):
    main(["completion", "--help"])

    lines = capsys.readouterr().out.splitlines()
    assert sum(line.startswith(("    eval ", "    plugsock completion fish >")) for line in lines) == 3


@pytest.mark.fault("D9")
def test_a_wrong_variable_and_a_wrong_file_are_one_line_and_status_2(capsys, home, monkeypatch):
    (home / "plugsock.toml").write_text("\nprot = 1\n")
    assert failure(capsys, "swap") == (2, "plugsock: plugsock.toml:2: there is no setting 'prot'; did you mean port?")

    monkeypatch.setenv("PLUGSOCK_PROT", "1")
    assert failure(capsys)[1].startswith("plugsock: PLUGSOCK_PROT: there is no such setting")


def test_without_a_server_the_commands_that_need_one_say_so(capsys, home):
    status, line = failure(capsys, "swap")

    assert status == 1
    assert f"no server runs with the data directory {home / '.plugsock'}" in line


def test_a_line_of_failure_stays_a_line_whatever_was_typed(capsys):
    status, line = failure(capsys, "evil\n\x1b[2J")

    assert status == 2
    assert line.isprintable()


@pytest.mark.fault("D10")
def test_a_reader_that_has_gone_is_no_traceback():
    reader, writer = os.pipe()
    os.close(reader)

    ended = subprocess.run(
        [*executable.command(), "completion", "zsh"], stdout=writer, stderr=subprocess.PIPE, check=False
    )

    os.close(writer)
    assert (ended.returncode, ended.stderr) == (1, b"")
