"""The executable is a Python for what plugs start with `sys.executable`, and for whoever is shown a link to it."""

import sys

import pytest

from support import executable
from support.once import connect
from support.pythons import COMMANDS, lay_out, result
from support.server import running

RUNS = """
import subprocess, sys
from plugsock import plug

@plug(timeout=50)
def run(arguments: list[str], input: str = "") -> tuple[int, str, str]:
    ended = subprocess.run([sys.executable, *arguments], input=input, capture_output=True, text=True)
    return ended.returncode, ended.stdout, ended.stderr
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return lay_out(tmp_path_factory.mktemp("python"))


@pytest.fixture(scope="module")
def python3(exe, tmp_path_factory):
    """A link to the executable that goes by the name of a Python."""
    link = tmp_path_factory.mktemp("bin") / "python3"
    link.symlink_to(exe)
    return link


@pytest.mark.parametrize("arguments", COMMANDS.values(), ids=COMMANDS)
def test_a_link_to_it_does_what_python_does(arguments, place, python3):
    assert result([str(python3), *arguments], place) == result([sys.executable, *arguments], place)


async def test_a_plug_finds_a_python_in_sys_executable(tmp_path, exe):
    (tmp_path / "script.py").write_text("import sys; print(__name__, sys.argv[1:])")
    async with running(tmp_path / "plugs", run=RUNS) as server, connect(server.url) as client:

        async def run(*arguments, input=""):
            return await client.call("run", {"arguments": arguments, "input": input})

        assert await run("-c", "import sys; print(sys.executable)") == [0, f"{exe}\n", ""]
        assert await run(str(tmp_path / "script.py"), "a") == [0, "__main__ ['a']\n", ""]
        assert await run("-", input="print(6 * 7)") == [0, "42\n", ""]
        assert (await run("-m", "json.tool", "--compact", input='{"a": [1, 2]}'))[:2] == [0, '{"a":[1,2]}\n']
        assert (await run("-c", "import sys; sys.exit(3)"))[0] == 3


async def test_what_it_starts_can_import_the_libraries_of_the_plugs(tmp_path):
    libraries = tmp_path / "plugs" / "site-packages"
    libraries.mkdir(parents=True)
    (libraries / "installed.py").write_text("HERE = 'here'")
    async with running(tmp_path / "plugs", run=RUNS) as server, connect(server.url) as client:
        command = "import installed; print(installed.HERE)"

        assert await client.call("run", {"arguments": ["-c", command]}) == [0, "here\n", ""]
        assert (await client.call("run", {"arguments": ["-I", "-c", command]}))[0] == 1


def test_what_it_says_of_itself_is_true(exe, python3, tmp_path):
    """What installers ask a Python: they take it for one that they can install for."""
    asked = "import sys, sysconfig, platform; print(sys.version_info[:2], sys.implementation.name, sysconfig.get_platform())"
    said = executable.run(python3, "-I", "-B", "-c", asked)

    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout.startswith("(3, ")
