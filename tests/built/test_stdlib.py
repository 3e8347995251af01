"""Plugs can import all of Python's standard library, whether plugsock does or not."""

import json
import platform
import subprocess
import sys

import pytest

from building import stdlib
from support import executable
from support.once import connect
from support.server import running

IMPORTS = """
import contextlib, importlib, io, warnings
from plugsock import plug

def attempt(names):
    warnings.simplefilter("ignore")
    failed = {}
    for name in names:
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                importlib.import_module(name)
        except BaseException as wrong:
            failed[name] = repr(wrong)
    return failed

@plug(timeout=100)
def imports(names: list[str]) -> dict[str, str]:
    return attempt(names)
"""

LOCALLY = """
import json, sys
exec(sys.argv[1].replace("from plugsock import plug", "plug = lambda **_: lambda function: function"))
names = sys.stdin.read().split()
failed = attempt(names)
print(json.dumps([name for name in names if name not in failed]))
"""


def importable():
    """Every module of this Python that it can import itself, but for what is left out, and programs, which would run."""
    names = [name for name in stdlib.modules() if not name.endswith("__main__")]
    command = [sys.executable, "-I", "-S", "-c", LOCALLY, IMPORTS]  # packages that replace a part of it are none of it
    said = subprocess.run(command, input="\n".join(names), capture_output=True, text=True, check=True, timeout=100)
    return json.loads(said.stdout.splitlines()[-1])


def built_from(exe):
    """The version of Python that it was built with, and the modules that this Python had."""
    asked = (
        "import json, platform; from plugsock.frozen.libraries import BUNDLED;"
        "print(json.dumps([platform.python_version(), (BUNDLED / 'modules.txt').read_text().split()]))"
    )
    return json.loads(executable.run(exe, "-c", asked).stdout)


@pytest.mark.fault("F2")
@pytest.mark.timeout(200)
async def test_a_plug_imports_every_module_that_this_python_has(exe, tmp_path):
    version, had = built_from(exe)
    if version.rpartition(".")[0] != platform.python_version().rpartition(".")[0]:
        pytest.skip(f"it was built with Python {version}, whose library is another one")
    names = importable()
    if version != platform.python_version():  # another Python's makers may have left something out, as Debian does
        names = [name for name in names if name in had]
    assert len(names) > 500

    async with running(tmp_path / "plugs", "--workers", "1", imports=IMPORTS) as server, connect(server.url) as client:
        failed = await client.call("imports", {"names": names})

    assert {name: why for name, why in failed.items() if name not in stdlib.MAY_BE_MISSING} == {}


@pytest.mark.fault("F2")
async def test_what_is_left_out_is_not_there(tmp_path):
    """Whoever adds it may take it off the list, and nobody wonders why it is half there."""
    names = sorted(stdlib.LEFT_OUT)
    async with running(tmp_path / "plugs", "--workers", "1", imports=IMPORTS) as server, connect(server.url) as client:
        failed = await client.call("imports", {"names": names})

    assert sorted(failed) == names
    assert all(why.startswith("ModuleNotFoundError(") for why in failed.values())


@pytest.mark.fault("F2")
def test_all_that_is_left_out_is_left_out_for_a_reason():
    assert all(
        len(why.split()) > 3 for why in {**stdlib.LEFT_OUT, **stdlib.MAY_BE_MISSING}.values() if why != "as `_crypt`"
    )
