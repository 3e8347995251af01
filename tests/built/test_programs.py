"""What programs that plugs start get to see, and how many processes there are."""

import sys

import pytest

from support import executable
from support.executable import running
from support.launched import Family
from support.once import connect

PLUG = """
import subprocess
import sys
from plugsock import plug

@plug(timeout=30.0)
def runs(command: list[str]) -> str:
    ended = subprocess.run(command, capture_output=True, text=True)
    return ended.stdout + ended.stderr

@plug(timeout=30.0)
def ourselves(arguments: list[str]) -> str:
    return runs([sys.executable, *arguments])
"""

MAPS = """
import ssl, sqlite3, sys
print(sorted({line.split()[-1] for line in open("/proc/self/maps") if ".so" in line}))
"""

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="Linux' search for libraries")


@pytest.fixture
def plugs(tmp_path):
    folder = tmp_path / "plugs"
    folder.mkdir()
    (folder / "programs.py").write_text(PLUG)
    return folder


@LINUX
@pytest.mark.fault("F6")
@pytest.mark.parametrize("theirs", ["", "/opt/theirs/lib"])
async def test_a_program_sees_the_library_path_of_the_user_and_nothing_of_ours(exe, plugs, temporary, theirs):
    env = executable.environment(temporary) | ({"LD_LIBRARY_PATH": theirs} if theirs else {})
    async with running(exe, plugs, env=env) as server, connect(server.url) as client:
        said = (await client.call("programs.runs", {"command": ["/usr/bin/env"]})).splitlines()

    assert [line for line in said if line.startswith("LD_")] == ([f"LD_LIBRARY_PATH={theirs}"] if theirs else [])
    assert not any("PLUGSOCK" in line for line in said)


@LINUX
@pytest.mark.fault("F6")
async def test_a_program_uses_the_system_s_libraries(exe, plugs, temporary):
    maps = ["/usr/bin/python3", "-c", MAPS]
    async with running(exe, plugs, temporary=temporary) as server, connect(server.url) as client:
        said = await client.call("programs.runs", {"command": maps})

    assert "libssl" in said
    assert "_MEI" not in said
    assert "_internal" not in said


@LINUX
@pytest.mark.fault("F6")
async def test_plugsock_itself_uses_its_own_wherever_a_plug_starts_it(exe, plugs, temporary):
    async with running(exe, plugs, temporary=temporary) as server, connect(server.url) as client:
        said = await client.call("programs.ourselves", {"arguments": ["-c", MAPS]})

    libraries = [path for path in eval(said) if any(name in path for name in ("ssl", "crypto", "sqlite", "libz"))]
    assert len(libraries) > 4
    assert all("_MEI" in path or "_internal" in path for path in libraries), libraries


async def test_a_plug_can_start_plugsock_as_a_program(exe, plugs, temporary):
    async with running(exe, plugs, temporary=temporary) as server, connect(server.url) as client:
        unpacked = executable.unpacked(temporary)
        arguments = ["call", "echo", '"hello"', "--url", server.url]

        assert await client.call("programs.ourselves", {"arguments": arguments}) == '"hello"\n'
        assert executable.unpacked(temporary) == unpacked


@pytest.mark.fault("F1")
@pytest.mark.skipif(sys.platform in {"win32", "darwin"}, reason="there is no nursery there")
async def test_there_are_as_many_processes_as_there_should_be(exe, plugs, temporary):
    async with running(exe, plugs, "--workers", "3", temporary=temporary) as server:
        family = Family(server)

        assert len(family.workers) == 3
        below = set(executable.processes(server.process.pid)) | {family.launcher}
        assert below == set(family.all())
