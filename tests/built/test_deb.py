"""The Debian package: made, installed, run as its service would be, removed and purged on this very machine."""

import asyncio
import fcntl
import hashlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from building import deb
from support import executable
from support.once import connect
from support.server import launched

ROOT = Path(__file__).parents[2]
LOCK = Path("/run/plugsock-package.lock")
"""Held by whichever of the test processes has the package installed."""
STATE = Path("/var/lib/plugsock")
RUNTIME = Path("/run/plugsock")
NOBODY = 65_534
"""An unprivileged user who owns nothing, as the one that systemd makes up."""
AS_NOBODY = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]

GREET = '''
import os

from plugsock import plug

@plug
async def greet() -> list[object]:
    """Say who and where."""
    return [os.getuid(), os.getcwd()]
'''

pytestmark = [
    pytest.mark.timeout(240),
    pytest.mark.skipif(sys.platform != "linux", reason="it is for Debian"),
    pytest.mark.skipif(
        not all(map(shutil.which, ("dpkg", *deb.TOOLS))), reason="needs dpkg-dev (apt-get install dpkg-dev)"
    ),
]


@pytest.fixture(scope="module")
def onedir(exe):
    """The unpacked form beside the executable, or the executable itself where it is one."""
    folder = exe.parent if (exe.parent / "_internal").is_dir() else exe.parent / "plugsock-onedir"
    if not folder.is_dir():
        pytest.skip("needs the unpacked form: python3 build.py --onedir")
    return folder


@pytest.fixture(scope="module")
def package(onedir, tmp_path_factory):
    made = tmp_path_factory.mktemp("deb")
    return deb.build(ROOT, onedir, made, made / "work", "none")


@pytest.fixture(scope="module")
def listed(package):
    """The paths of all files in the package."""
    said = run("dpkg-deb", "--contents", package)
    names = (line.split(" -> ")[0].split()[-1] for line in said.splitlines() if not line.startswith("d"))
    return [Path("/", name) for name in names]


@contextmanager
def this_machine_alone():
    """Nobody else who runs these tests installs anything meanwhile; skips where it can't be installed."""
    if os.getuid() != 0:
        pytest.skip("needs root: it installs a package")
    with LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if Path("/usr/lib/plugsock").exists():
            pytest.skip("plugsock is installed on this machine already")
        yield


@pytest.fixture(scope="module")
def installed(package):
    """The package, installed until these tests have ended."""
    with this_machine_alone():
        run("dpkg", "--install", package)
        yield Path("/usr/bin/plugsock")
        run("dpkg", "--purge", "plugsock")
        shutil.rmtree(RUNTIME, ignore_errors=True)


def run(*command, **more):
    ended = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False, **more)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_two_packages_of_the_same_files_are_the_same_bytes(onedir, package, tmp_path):
    again = deb.build(ROOT, onedir, tmp_path, tmp_path / "work", "none")

    assert hashlib.sha256(again.read_bytes()).digest() == hashlib.sha256(package.read_bytes()).digest()


def test_it_needs_little_more_than_the_c_library(package):
    depends = run("dpkg-deb", "--field", package, "Depends")

    assert {word.split()[0] for word in depends.split(",")} <= {"libc6", "libcrypt1", "zlib1g", "libgcc-s1"}
    assert re.search(r"libc6 \(>= [\d.]+\)", depends)


def test_what_it_installs_belongs_to_root_and_nobody_else_can_write_to_it(package):
    for line in run("dpkg-deb", "--contents", package).splitlines():
        mode, owner = line.split()[:2]
        assert owner == "root/root"
        assert mode[5] == mode[8] == "-" or mode.startswith("l"), line


@pytest.mark.skipif(shutil.which("lintian") is None, reason="needs lintian (apt-get install lintian)")
def test_lintian_has_nothing_to_say(package):
    of_tests_alone = "uses-no-compression-for-control-tarball,uses-no-compression-for-data-tarball"
    lintian = ["lintian", "--fail-on", "error,warning", "--suppress-tags", of_tests_alone]

    assert run(*lintian, *(["--allow-root"] if os.getuid() == 0 else []), package) == ""


def test_after_a_purge_nothing_is_left(package, listed):
    conffile = Path("/etc/plugsock/plugsock.toml")
    with this_machine_alone():
        run("dpkg", "--install", package)
        run("dpkg", "--remove", "plugsock")
        assert [path for path in listed if path.exists()] == [conffile]
        STATE.mkdir(exist_ok=True)

        run("dpkg", "--purge", "plugsock")

        left = [*listed, STATE, Path("/etc/plugsock"), Path("/usr/lib/plugsock")]
        assert [path for path in left if os.path.lexists(path)] == []


def test_the_command_is_in_the_path_and_its_files_are_as_they_were_packed(installed):
    assert run("plugsock", "--version", env={"PATH": "/usr/bin:/bin"}).startswith("plugsock ")
    assert run("dpkg", "--verify", "plugsock") == ""


def test_relative_defaults_start_from_the_working_directory(installed, tmp_path):
    (tmp_path / "plugs").mkdir()
    (tmp_path / "plugs" / "greet.py").write_text(GREET, encoding="utf-8")

    assert "greet" in run("plugsock", "list", cwd=tmp_path).split()


@pytest.mark.parametrize("shell", sorted(deb.COMPLETIONS))
def test_completions_are_those_of_the_command(installed, shell):
    assert Path("/", deb.COMPLETIONS[shell]).read_text(encoding="utf-8") == run("plugsock", "completion", shell)


@pytest.mark.skipif(shutil.which("man") is None, reason="needs man (apt-get install man-db)")
def test_the_manual_page_can_be_read(installed):
    page = Path("/usr/share/man/man1/plugsock.1.gz")
    if not page.exists():
        pytest.skip("this machine keeps no manual pages")
    man = ["man", "--warnings", "--encoding=UTF-8", "--local-file", page]
    ended = subprocess.run(man, capture_output=True, text=True, env=os.environ | {"MANPAGER": "cat"}, check=True)

    assert ended.stderr == ""
    assert "plugsock eject" in ended.stdout


async def test_the_service_serves_the_folder_of_root_as_an_unprivileged_user(installed):
    unit = Path("/usr/lib/systemd/system/plugsock.service").read_text(encoding="utf-8")
    start = shlex.split(re.search(r"^ExecStart=(.+)$", unit, re.MULTILINE)[1])
    plug = Path("/etc/plugsock/plugs/greet.py")
    plug.write_text(GREET, encoding="utf-8")
    for folder in (STATE, RUNTIME):  # what systemd makes for StateDirectory= and RuntimeDirectory=
        folder.mkdir(mode=0o700, exist_ok=True)
        os.chown(folder, NOBODY, NOBODY)
    environ = executable.environment() | {"XDG_RUNTIME_DIR": str(RUNTIME)}
    try:
        async with launched([*AS_NOBODY, *start, "--port", "0"], plug.parent, env=environ, cwd=STATE) as server:
            await server.answers()
            await server.says(
                r"\bgreet\b"
            )  # a file of another user is waited for a moment, in case it is being written
            async with connect(server.url) as client:
                assert await client.call("greet") == [NOBODY, str(STATE)]
            listed = await asyncio.to_thread(run, "plugsock", "list", "--plugs", plug.parent)
            assert "greet" in [line.split("\t")[0] for line in listed.splitlines()]
            reload = shlex.split(re.search(r"^ExecReload=(.+)$", unit, re.MULTILINE)[1])
            assert "replaced" in await asyncio.to_thread(run, *reload)
            server.send(signal.SIGTERM)
            assert await server.end() == 0
    finally:
        plug.unlink()
