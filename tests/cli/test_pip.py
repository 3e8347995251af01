"""`plugsock pip`, with a pip of its own process and packages that lie in a folder: nothing is downloaded."""

import json
import signal
import socket
import subprocess
import sys

import pytest

from support import executable
from support.wheels import source, wheel

pytestmark = pytest.mark.timeout(180)  # pip takes seconds, on a machine that does other things too

NEEDY = """\
# /// script
# dependencies = ["alpha>=1", "click"]
# ///
import alpha
from plugsock import plug

@plug
async def needy() -> str:
    return alpha.VERSION
"""


@pytest.fixture(autouse=True)
def wheels(home, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(home / "wheels"))
    wheel(home / "wheels", "alpha", "1.0")
    return home / "wheels"


@pytest.fixture
def libraries(home):
    return home / "plugs" / "site-packages"


def installed(plugsock):
    status, out, _ = plugsock("pip", "list")
    assert status == 0
    return dict(line.split("\t") for line in out.splitlines())


def state(folder):
    """Every file below a folder, and what is in it."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"}


def test_a_package_is_installed_with_what_it_needs(plugsock, wheels, libraries):
    wheel(wheels, "beta", metadata="Requires-Dist: alpha")

    status, out, err = plugsock("pip", "install", "beta")

    assert (status, err) == (0, "")
    assert out.splitlines() == [
        "pip looks for beta",
        "installed alpha 1.0",
        "installed beta 1.0",
        "into plugs/site-packages",
    ]
    assert installed(plugsock) == {"alpha": "1.0", "beta": "1.0"}
    assert sorted(path.name for path in libraries.parent.iterdir()) == ["greet.py", "site-packages"]


def test_what_is_there_is_left_alone(plugsock, wheels):
    plugsock("pip", "install", "alpha")
    wheel(wheels, "alpha", "2.0")

    assert plugsock("pip", "install", "alpha") == (0, "pip looks for alpha\nall of it is there already\n", "")


@pytest.mark.parametrize("said", [["alpha>=2"], ["--upgrade", "alpha"]])
def test_another_version_takes_its_place_without_a_trace_and_the_rest_stays(plugsock, wheels, libraries, said):
    wheel(wheels, "beta")
    plugsock("pip", "install", "alpha", "beta")
    wheel(wheels, "alpha", "2.0", {"alpha/__init__.py": ""})

    assert plugsock("pip", "install", *said)[0] == 0
    assert installed(plugsock) == {"alpha": "2.0", "beta": "1.0"}
    assert sorted(path.name for path in libraries.glob("alpha*")) == ["alpha", "alpha-2.0.dist-info"]


def test_commands_of_packages_are_left_out(plugsock, wheels, libraries):
    files = {
        "tool.py": "def main(): ...\n",
        "tool-1.0.dist-info/entry_points.txt": "[console_scripts]\ntool = tool:main\n",
    }
    wheel(wheels, "tool", files=files)

    assert plugsock("pip", "install", "tool")[0] == 0
    assert not (libraries / "bin").exists()


def test_a_package_without_a_wheel_gets_a_sentence_and_its_code_is_not_run(plugsock, wheels, libraries):
    source(wheels, "gamma")

    status, _, err = plugsock("pip", "install", "gamma")

    assert status == 1
    assert err.startswith("plugsock: there is no wheel of gamma for Python 3.")
    assert err.endswith(", only its source, which plugsock does not build; nothing has changed\n")
    assert not libraries.exists()


def test_a_version_without_a_wheel_is_told_apart_from_one_that_is_not_there(plugsock, wheels):
    source(wheels, "alpha", "2.0")

    assert "only its source" in plugsock("pip", "install", "alpha>=2")[2]
    assert "is the name right?" in plugsock("pip", "install", "alpha>=3")[2]


def test_a_name_that_is_not_there_gets_a_sentence(plugsock):
    status, _, err = plugsock("pip", "install", "no-such-name")

    assert status == 1
    assert err.startswith("plugsock: pip finds no wheel of no-such-name for Python 3.")
    assert err.endswith("; is the name right? Nothing has changed\n")


def test_what_fails_changes_nothing(plugsock, wheels, libraries):
    plugsock("pip", "install", "alpha")
    wheel(wheels, "alpha", "2.0")
    wheel(wheels, "beta", metadata="Requires-Dist: alpha<2")
    before = state(libraries)

    status, _, err = plugsock("pip", "install", "alpha>=2", "beta")

    assert status == 1
    assert "conflict" in err
    assert err.endswith("plugsock: pip could not install alpha>=2, beta; nothing has changed\n")
    assert state(libraries) == before
    assert sorted(path.name for path in libraries.parent.iterdir()) == ["greet.py", "site-packages"]


def test_a_wheel_that_is_broken_changes_nothing(plugsock, wheels, libraries):
    plugsock("pip", "install", "alpha")
    (wheels / "broken-1.0-py3-none-any.whl").write_bytes(b"no archive")
    before = state(libraries)

    assert plugsock("pip", "install", "broken")[0] == 1
    assert state(libraries) == before


def test_what_plugsock_brings_along_is_neither_installed_again_nor_replaced(plugsock, wheels):
    wheel(wheels, "click", "5.0")
    wheel(wheels, "beta", metadata="Requires-Dist: click")

    assert plugsock("pip", "install", "beta")[0] == 0
    assert installed(plugsock) == {"beta": "1.0"}
    status, _, err = plugsock("pip", "install", "click==5.0")
    assert status == 1
    assert err.endswith("comes with plugsock's own Python, and is imported first\n")


def test_a_wheel_can_be_named(plugsock, wheels):
    status, _, err = plugsock("pip", "install", str(wheels / "alpha-1.0-py3-none-any.whl"))

    assert (status, err) == (0, "")
    assert installed(plugsock) == {"alpha": "1.0"}


def test_where_packages_come_from_can_be_said(plugsock, home):
    wheel(home / "elsewhere", "delta")

    assert plugsock("pip", "install", "delta", "--no-index", "--find-links", "elsewhere", PIP_NO_INDEX="")[0] == 0


def test_pip_is_told_where_to_install_by_nobody_else(plugsock, home):
    assert plugsock("pip", "install", "alpha", PIP_TARGET=str(home / "x"), PIP_REQUIRE_VIRTUALENV="1")[0] == 0
    assert installed(plugsock) == {"alpha": "1.0"}


def test_sync_installs_what_plugs_say_they_need(plugsock, home):
    (home / "plugs" / "needy.py").write_text(NEEDY)
    assert plugsock("check") == (
        1,
        "plugs/needy.py:2: it needs alpha>=1, which is not installed: run `plugsock pip sync`\n",
        "",
    )

    status, out, err = plugsock("pip", "sync")

    assert (status, err) == (0, "")
    assert out.splitlines() == [
        "plugs/needy.py:2: alpha>=1, which is not installed",
        "plugs/needy.py:2: click is there",
        "pip looks for alpha>=1, click",
        "installed alpha 1.0",
        "into plugs/site-packages",
    ]
    assert plugsock("check") == (0, "no problems, 3 events\n", "")
    assert "needy" in plugsock("list", "plugs")[1]
    assert plugsock("pip", "sync") == (
        0,
        "plugs/needy.py:2: alpha>=1 is there\nplugs/needy.py:2: click is there\n",
        "",
    )


def test_sync_has_nothing_to_do_where_no_plug_says_anything(plugsock):
    assert plugsock("pip", "sync") == (0, "no plug in plugs says what it needs\n", "")


def test_what_one_plug_needs_in_vain_does_not_stand_in_the_way_of_others(plugsock, home):
    (home / "plugs" / "needy.py").write_text(NEEDY)
    (home / "plugs" / "vain.py").write_text(NEEDY.replace("alpha>=1", "no-such-name"))

    status, _, err = plugsock("pip", "sync")

    assert status == 1
    assert "plugsock: plugs/vain.py: pip finds no wheel of no-such-name" in err
    assert err.endswith("plugsock: still missing: no-such-name\n")
    assert installed(plugsock) == {"alpha": "1.0"}


def test_what_one_plug_needs_is_not_taken_away_by_another(plugsock, home, wheels):
    wheel(wheels, "alpha", "2.0")
    (home / "plugs" / "one.py").write_text(NEEDY.replace("alpha>=1", "alpha<2"))
    assert plugsock("pip", "sync")[0] == 0
    (home / "plugs" / "two.py").write_text(NEEDY.replace("alpha>=1", "alpha>=2"))

    assert plugsock("pip", "sync")[0] == 1
    assert installed(plugsock) == {"alpha": "1.0"}


def test_metadata_that_can_not_be_read_are_reported_and_the_rest_is_done(plugsock, home):
    (home / "plugs" / "needy.py").write_text(NEEDY)
    (home / "plugs" / "broken.py").write_text("# /// script\n# dependencies = nonsense\n# ///\n")

    status, _, err = plugsock("pip", "sync")

    assert (status, err) == (1, "plugs/broken.py:2: what it needs is not TOML: Invalid value\n")
    assert installed(plugsock) == {"alpha": "1.0"}


def test_the_list_can_be_had_as_json(plugsock):
    plugsock("pip", "install", "alpha")

    assert json.loads(plugsock("pip", "list", "--format", "json")[1]) == [{"name": "alpha", "version": "1.0"}]


def test_a_folder_that_is_not_there_is_named(plugsock):
    status, _, err = plugsock("pip", "install", "alpha", "--plugs", "missing")

    assert status == 2
    assert err.endswith("missing: there is no such folder of plugs\n")


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX'")
@pytest.mark.parametrize("name", [".", "site-packages"])
def test_where_others_can_write_nothing_is_installed_unless_it_is_trusted(plugsock, libraries, name):
    libraries.mkdir()
    (libraries.parent / name).chmod(0o777)

    status, _, err = plugsock("pip", "install", "alpha")

    assert status == 1
    assert "nothing is installed there: everybody can write to it" in err
    assert plugsock("pip", "install", "alpha", "--trust")[0] == 0


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX'")
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_it_leaves_everything_as_it_was(plugsock, home, libraries, number, status, monkeypatch):
    plugsock("pip", "install", "alpha")
    before = state(libraries)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # an index that takes connections and says nothing
        silent.settimeout(executable.LIMIT_S)
        monkeypatch.setenv("PIP_NO_INDEX", "")
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/simple"
        command = [*executable.command(), "pip", "install", "beta", "--index-url", url]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            try:
                connection, _ = silent.accept()
                with connection:
                    process.send_signal(number)
                    assert process.wait(executable.LIMIT_S) == status
            finally:
                process.kill()

    assert state(libraries) == before
    assert sorted(path.name for path in libraries.parent.iterdir()) == ["greet.py", "site-packages"]
