"""From wherever and however the executable is started, it finds what belongs to it and serves."""

import json
import os
import sys
import tempfile
from pathlib import Path

import pytest

import plugsock
from support import executable
from support.executable import environment, run, running, unpacking_into
from support.once import connect
from support.server import launched

PLUG = """
from pathlib import Path
from plugsock import plug

@plug
async def where() -> str:
    return str(Path(__file__).parent)
"""

NOBODY = 65_534

on_posix = pytest.mark.skipif(sys.platform == "win32", reason="there are no such links and rights on Windows")
as_nobody = pytest.mark.skipif(
    sys.platform != "linux" or os.getuid() != 0, reason="only root can start something as somebody else"
)


def make_plugs(folder):
    """A folder of plugs with one that says where it lies."""
    folder.mkdir(parents=True)
    (folder / "where.py").write_text(PLUG)
    return folder


@pytest.fixture
def installed(form, tmp_path):
    """The executable in a folder of its own, with plugs beside it."""
    home = tmp_path / "installed"
    make_plugs(home / "plugs")
    return executable.put(home, form)


@pytest.fixture
def elsewhere(tmp_path):
    """A working directory that has plugs too, which nobody has asked for."""
    make_plugs(tmp_path / "elsewhere" / "plugs").joinpath("wrong.py").write_text(PLUG.replace("where", "wrong"))
    return tmp_path / "elsewhere"


async def where(server):
    async with connect(server.url) as client:
        return Path(await client.call("where"))


def listed(*command, options=(), **how):
    """The plugs of the folder that would be served."""
    ended = run(*command, "list", "--format", "json", *options, **how)
    assert (ended.returncode, ended.stderr) == (0, "")
    return {event["event"] for event in json.loads(ended.stdout)["events"] if event["origin"] == "folder"}


def test_it_says_its_version(form):
    assert run(form, "--version").stdout == f"plugsock {plugsock.__version__}\n"


@pytest.mark.fault("F4")
async def test_without_any_variable_it_serves_and_unpacks_into_the_systems_folder_and_leaves_nothing(installed):
    async with running(installed, None, env={}) as server:
        launcher = server.process.pid
        assert await where(server) == installed.parent / "plugs"
        server.process.terminate()
        assert await server.end() == 0
    assert not list(Path("/tmp").glob(f"_MEI{launcher:08x}*"))  # where it goes when nothing is said


@pytest.mark.fault("F4")
async def test_what_lies_beside_it_is_its_own_wherever_it_is_started(installed, elsewhere):
    (installed.parent / "plugsock.toml").write_text("max_open = 7\n")
    (elsewhere / "plugsock.toml").write_text("nonsense = 1\n")

    async with running(installed, None, cwd=elsewhere) as server, connect(server.url) as client:
        assert await client.call("where") == str(installed.parent / "plugs")
        assert client.welcome["limits"]["calls"] == 7
    assert {path.name for path in elsewhere.iterdir()} == {"plugs", "plugsock.toml"}


@pytest.mark.fault("F4")
def test_the_root_is_a_working_directory_as_any_other(installed):
    assert listed(installed, cwd="/") == {"where"}


@pytest.mark.fault("F4")
def test_a_folder_that_is_named_is_looked_for_where_it_is_started(installed, elsewhere):
    assert listed(installed, options=["--plugs", "plugs"], cwd=elsewhere) == {"where", "wrong"}
    assert listed(installed, options=["--plugs", "./plugs"], cwd=elsewhere) == {"where", "wrong"}


def linked(installed, elsewhere):
    (elsewhere / "link").symlink_to(installed)
    return [elsewhere / "link"], {}


def linked_by_a_relative_path(installed, elsewhere):
    (elsewhere / "link").symlink_to(os.path.relpath(installed, elsewhere))
    return ["./link"], {}


def found_in_path(installed, elsewhere):
    (elsewhere / "bin").mkdir()
    (elsewhere / "bin" / "plugsock").symlink_to(installed)
    return ["plugsock"], {"PATH": f"{elsewhere / 'bin'}:{os.environ['PATH']}"}


def in_a_linked_folder(installed, elsewhere):
    (elsewhere / "linked").symlink_to(installed.parent)
    return [elsewhere / "linked" / installed.name], {}


def under_another_name(installed, elsewhere):
    return ["bash", "-c", 'exec -a other "$0" "$@"', installed], {}


@on_posix
@pytest.mark.fault("F4")
@pytest.mark.parametrize(
    "way",
    [linked, linked_by_a_relative_path, found_in_path, in_a_linked_folder, under_another_name],
    ids=lambda way: way.__name__,
)
def test_through_whatever_name_it_is_started_it_is_at_home_where_the_file_lies(installed, elsewhere, way):
    command, variables = way(installed, elsewhere)

    assert listed(*command, cwd=elsewhere, env=environment() | variables) == {"where"}


@pytest.mark.fault("F4")
@pytest.mark.parametrize("variables", [{}, {"LC_ALL": "C", "LANG": "C"}], ids=["as it is", "LC_ALL=C"])
async def test_a_path_may_have_spaces_and_umlauts(form, tmp_path, variables):
    home = tmp_path / "Größe und Maß 好"
    make_plugs(home / "plugs")
    installed = executable.put(home, form)

    async with running(installed, None, "--workers", "1", env=environment() | variables, cwd=home) as server:
        assert await where(server) == home / "plugs"
        assert f"watching {home / 'plugs'}" in server.out


@pytest.fixture
def of_nobody(form):
    """The executable and plugs in a folder that everybody can reach, all of it root's."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        home.chmod(0o755)
        make_plugs(home / "plugs")
        (home / "tmp").mkdir()
        (home / "data").mkdir()
        for folder in ("tmp", "data"):
            os.chown(home / folder, NOBODY, NOBODY)
            (home / folder).chmod(0o700)
        yield executable.put(home, form)


@as_nobody
@pytest.mark.fault("F4")
async def test_where_it_may_write_nothing_it_serves_if_its_data_are_elsewhere(of_nobody):
    home = of_nobody.parent
    drop = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    command = [*drop, str(of_nobody), "--data", str(home / "data"), "--port", "0"]
    async with launched(command, home / "plugs", env=environment() | unpacking_into(home / "tmp"), cwd=home) as server:
        await server.answers()
        await server.says(r"events: .*\bwhere\b|event=where\b")  # of others' new files it waits if they still grow
        assert await where(server) == home / "plugs"
        server.process.terminate()
        assert await server.end() == 0
    assert executable.unpacked(home / "tmp") == []


@as_nobody
@pytest.mark.fault("F4")
def test_where_it_may_write_nothing_it_says_so_in_a_line(of_nobody):
    home = of_nobody.parent

    ended = run(of_nobody, "--port", "0", cwd=home, temporary=home / "tmp", user=NOBODY, group=NOBODY, extra_groups=[])

    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (1, "", 1)
    assert str(home / ".plugsock") in ended.stderr


@pytest.mark.fault("D9")
@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["--port", "http"], 2, "--port"),
        (["--prot", "80"], 2, "--prot"),
        (["nonsense"], 2, "nonsense"),
        (["--plugs", "missing"], 2, "missing: this folder of plugs can't be read"),
        (["swap"], 1, "no server runs"),
    ],
    ids=lambda value: "_".join(value) if isinstance(value, list) else None,
)
def test_what_is_wrong_is_one_line_and_the_status_says_whose_fault_it_is(installed, arguments, status, said):
    ended = run(installed, *arguments)

    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (status, "", 1)
    assert said in ended.stderr


def test_variables_and_modules_of_a_python_are_none_of_its_business(installed, elsewhere):
    for name in ("json.py", "sitecustomize.py", "asyncio.py", "plugsock.py"):
        (elsewhere / name).write_text(f'raise SystemExit("{name} of somebody else")')
    theirs = dict.fromkeys(("PYTHONPATH", "PYTHONHOME"), str(elsewhere)) | {
        "PYTHONSTARTUP": str(elsewhere / "json.py"),
        "PYTHONOPTIMIZE": "2",
        "PYTHONWARNINGS": "error",
    }

    assert listed(installed, cwd=elsewhere, env=environment() | theirs) == {"where"}


@on_posix
def test_a_folder_for_temporary_files_that_is_not_there_is_not_missed(installed, tmp_path):
    assert listed(installed, temporary=tmp_path / "missing") == {"where"}
    assert not (tmp_path / "missing").exists()
