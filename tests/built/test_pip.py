"""`plugsock pip` in the built executable, which has a pip of its own and needs no Python beside it.

What it does anywhere is shown in tests/cli/test_pip.py, and in tests/test_packages.py, against the executable as well.
"""

import importlib.metadata
import json
import socket
import sys
from contextlib import suppress

import pytest

from support import executable
from support.once import connect
from support.server import running
from support.wheels import wheel

pytestmark = pytest.mark.timeout(180)  # pip takes seconds, on a machine that does other things too

COMPILED = """\
# /// script
# dependencies = ["markupsafe"]
# ///
import markupsafe
from markupsafe import _speedups
from plugsock import plug

@plug
async def compiled() -> list[str]:
    return [str(markupsafe.escape("<")), _speedups.__file__]
"""


@pytest.fixture
def plugsock(exe, tmp_path, temporary):
    """Run the executable in an empty environment, in a folder with wheels: its status, stdout and stderr."""
    (tmp_path / "plugs").mkdir()

    def run(*arguments, **environ):
        ended = executable.run(
            exe, *arguments, "--plugs", tmp_path / "plugs", env=environ, cwd=tmp_path, temporary=temporary
        )
        return ended.returncode, ended.stdout, ended.stderr

    return run


BUNDLED = ("msgspec", "websockets", "click", "packaging")
"""Some of what is."""

HERE = ("--no-index", "--find-links", "wheels")


def installed(plugsock):
    return {each["name"]: each["version"] for each in json.loads(plugsock("pip", "list", "--format", "json")[1])}


def is_offline():
    with suppress(OSError), socket.create_connection(("pypi.org", 443), timeout=5):
        return False
    return True


def test_it_brings_its_own_pip_and_needs_nothing_of_the_environment(plugsock, tmp_path):
    wheel(tmp_path / "wheels", "alpha")

    assert plugsock("pip", "install", "alpha", *HERE) == (
        0,
        "pip looks for alpha\ninstalled alpha 1.0\ninto plugs/site-packages\n",
        "",
    )
    assert installed(plugsock) == {"alpha": "1.0"}


def test_what_is_bundled_is_neither_installed_again_nor_replaced(plugsock, tmp_path):
    for name in BUNDLED:
        wheel(tmp_path / "wheels", name, "99.0")
    wheel(tmp_path / "wheels", "alpha", metadata="".join(f"Requires-Dist: {name}\n" for name in BUNDLED))

    assert plugsock("pip", "install", "alpha", *HERE)[0] == 0
    assert installed(plugsock) == {"alpha": "1.0"}
    for name in BUNDLED:
        status, _, err = plugsock("pip", "install", f"{name}==99.0", *HERE)
        said = f"{name} {importlib.metadata.version(name)} comes with plugsock's own Python, and is imported first"
        assert (status, said in err) == (1, True)


def test_an_import_that_fails_is_told_with_the_command_and_the_python_that_a_wheel_must_be_for(plugsock, tmp_path):
    (tmp_path / "plugs" / "a.py").write_text("import yaml\n")

    version = f"{sys.version_info[0]}.{sys.version_info[1]}"  # the executable is built of the Python that tests it
    assert plugsock("check")[1] == (
        "plugs/a.py:1: ModuleNotFoundError: No module named 'yaml': `plugsock pip install PyYAML` puts it into the "
        f"folder's site-packages, if there is a wheel of it for Python {version}\n"
    )


@pytest.mark.skipif(is_offline(), reason="needs a compiled wheel from the package index, which can't be reached")
async def test_a_compiled_package_can_be_installed_and_imported(exe, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    async with running(tmp_path / "plugs", "--workers", "1", "--install", compiled=COMPILED) as server:
        await server.says("swapped.*compiled")
        async with connect(server.url) as client:
            escaped, place = await client.call("compiled")

    assert escaped == "&lt;"
    assert place.startswith(str(tmp_path / "plugs" / "site-packages"))
