"""A whole server as a process: how it begins, and above all how it ends."""

import asyncio
import os
import random
import signal
import socket
import stat
import sys
import time

import pytest

from plugsock import Error
from plugsock.errors import Disconnected
from plugsock.frozen import launcher
from support import executable
from support.once import connect
from support.server import LIMIT_S, environment, running, starting

GREET = '''
from plugsock import plug

@plug
async def greet(name: str, times: int = 1) -> list[str]:
    """Say hello."""
    return [f"Hello, {name}!"] * times
'''

SLOW = """
import asyncio
from plugsock import Socket, plug

@plug
async def slow(socket: Socket, seconds: float) -> str:
    socket.send("slow.started")
    await asyncio.sleep(seconds)
    return "done"
"""

pytestmark = [pytest.mark.end_to_end, pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX'")]


async def test_a_server_says_where_it_listens_what_it_watches_and_what_answers(tmp_path):
    async with running(tmp_path / "plugs", greet=GREET) as server:
        assert f"watching {tmp_path / 'plugs'}" in server.out
        assert any("greet" in line for line in server.out)
        async with connect(server.url) as client:
            assert await client.call("greet", {"name": "Ada", "times": 2}) == ["Hello, Ada!"] * 2


async def test_a_plug_that_is_saved_answers_on_a_connection_that_is_open(tmp_path):
    async with running(tmp_path / "plugs") as server, connect(server.url) as client:
        with pytest.raises(Error, match="not_found"):
            await client.call("greet", {"name": "Ada"})
        server.save("greet.py", GREET)
        await server.says("swapped.*greet")
        assert await client.call("greet", {"name": "Ada"}) == ["Hello, Ada!"]


@pytest.mark.fault("D1")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_an_idle_server_at_once_and_cleanly(tmp_path, number):
    async with running(tmp_path / "plugs") as server:
        async with connect(server.url) as client:
            assert await client.call("math.add", {"a": 1, "b": 2}) == 3
            begun = time.monotonic()
            server.send(number)
            assert await server.end() == 0
            assert time.monotonic() - begun < 5.0
        assert not any("Traceback" in line for line in server.err)


@pytest.mark.fault("D1")
async def test_a_thousand_sockets_are_closed_with_a_code_that_says_come_back(tmp_path):
    request = (
        b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    async with running(tmp_path / "plugs") as server:
        opened = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(1000)]
        for _, writer in opened:
            writer.write(request)
        for reader, _ in opened:
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
        server.send(signal.SIGTERM)
        for reader, writer in opened:
            rest = await asyncio.wait_for(reader.readexactly(2), LIMIT_S)
            notice = await reader.readexactly(rest[1])
            assert notice.startswith(b"notice goodbye ")
            close = await reader.readexactly(4)
            assert close[0] == 0x88
            assert int.from_bytes(close[2:4], "big") == 4000
            writer.write(b"\x88\x82\0\0\0\0\x0f\xa0")
        assert await server.end() == 0
        for _, writer in opened:
            writer.close()


@pytest.mark.fault("D2")
async def test_an_accepted_call_is_answered_before_the_server_ends(tmp_path):
    async with running(tmp_path / "plugs", slow=SLOW) as server, connect(server.url) as client:
        async with asyncio.TaskGroup() as group:
            call = group.create_task(client.call("slow", {"seconds": 0.5}))
            await anext(aiter(client.pushes()))
            server.send(signal.SIGTERM)
        assert call.result() == "done"
        assert await server.end() == 0


@pytest.mark.fault("D3")
async def test_a_call_longer_than_the_drain_is_told_and_the_server_ends(tmp_path):
    async with running(tmp_path / "plugs", "--drain", "0.3", slow=SLOW) as server, connect(server.url) as client:
        call = asyncio.get_running_loop().create_task(client.call("slow", {"seconds": 20.0}))
        await anext(aiter(client.pushes()))
        server.send(signal.SIGTERM)
        with pytest.raises(Error, match="cancelled"):
            await call
        assert await server.end() == 0


@pytest.mark.fault("D4")
async def test_a_second_signal_hurries(tmp_path):
    async with running(tmp_path / "plugs", slow=SLOW) as server, connect(server.url) as client:
        call = asyncio.get_running_loop().create_task(client.call("slow", {"seconds": 25.0}))
        await anext(aiter(client.pushes()))
        server.send(signal.SIGINT)
        await server.says("draining")
        if executable.EXE is not None:
            await asyncio.sleep(launcher.ECHO_S)  # what one file gets sooner, its launcher has forwarded
        server.send(signal.SIGINT)
        with pytest.raises((Error, Disconnected)):
            await call
        assert await server.end() == 0


@pytest.mark.fault("D5")
async def test_a_signal_during_the_boot_ends_it_cleanly(tmp_path, temporary, monkeypatch):
    # What is left by an executable that is ended while it unpacks itself is taken away by the next one there.
    for name, value in executable.unpacking_into(temporary).items():
        monkeypatch.setenv(name, value)
    moments = random.Random(5)
    for number in range(6):
        folder = tmp_path / str(number) / "plugs"
        async with starting(folder, greet=GREET, hangs="import time\ntime.sleep(30)\n") as server:
            # A moment of the boot is what is tested: nothing tells when it is there, and any will do.
            await asyncio.sleep(moments.uniform(0.15, 0.8))
            server.send(signal.SIGTERM)
            status = await server.end()
            assert status in (0, -signal.SIGTERM)
            assert not any("Traceback" in line for line in server.err), server.err


@pytest.mark.fault("D5")
async def test_a_signal_during_a_swap_ends_it_cleanly(tmp_path):
    async with running(tmp_path / "plugs") as server:
        server.save("late.py", 'import sys, time\nprint("importing", file=sys.stderr, flush=True)\ntime.sleep(30)\n')
        await server.says("importing")
        server.send(signal.SIGTERM)
        assert await server.end() == 0
        assert not any("Traceback" in line for line in server.err), server.err


@pytest.mark.fault("D9")
async def test_a_port_that_is_taken_is_one_clear_line(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with starting(tmp_path / "plugs", "--port", str(port)) as server:
            assert await server.end() == 1
            assert server.out == []
            [line] = server.err
            assert f"127.0.0.1:{port}" in line


@pytest.mark.fault("D9")
@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--port", "http"), "--port"),
        (("--prot", "80"), "--prot"),
        (("--plugs", "missing"), "missing"),
        (("--tls-cert", "missing.pem", "--tls-key", "missing.pem"), "missing.pem"),
    ],
)
async def test_a_wrong_setting_is_one_clear_line(tmp_path, flags, said):
    async with starting(tmp_path / "plugs", *flags) as server:
        assert await server.end() in (1, 2)
        assert any(said in line for line in server.err)
        assert not any("Traceback" in line for line in server.err)


@pytest.mark.fault("D9")
async def test_a_data_directory_in_use_names_who_uses_it(tmp_path):
    async with running(tmp_path / "plugs") as first, starting(tmp_path / "plugs") as second:
        assert await second.end() == 1
        assert str(first.pid) in second.err[0]


@pytest.mark.fault("D10")
@pytest.mark.parametrize("stream", ["stdout", "stderr"])
async def test_a_broken_pipe_does_not_end_the_server(tmp_path, stream):
    folder = tmp_path / "plugs"
    folder.mkdir()
    (folder / "greet.py").write_text(GREET)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    read, write = os.pipe()
    os.close(read)
    ends = {"stdout": asyncio.subprocess.DEVNULL, "stderr": asyncio.subprocess.DEVNULL, stream: write}
    process = await asyncio.create_subprocess_exec(
        *executable.command(), "--plugs", str(folder), "--port", str(port), "--dev",
        env=environment(), cwd=tmp_path, **ends,
    )  # fmt: skip
    os.close(write)
    try:
        await _until_it_answers(port)
        (folder / "greet.py").write_text(GREET.replace("Hello", "Welcome"))
        async with connect(f"ws://127.0.0.1:{port}") as client:
            while "Welcome, Ada!" not in await client.call("greet", {"name": "Ada"}):
                pass
        process.terminate()
        assert await asyncio.wait_for(process.wait(), LIMIT_S) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        process._transport.close()


async def _until_it_answers(port: int) -> None:
    """Its own words go nowhere, so the port is asked until the plugs are loaded."""
    async with asyncio.timeout(LIMIT_S):
        while not await _is_healthy(port):  # noqa: ASYNC110 - another process, which nobody can hear
            await asyncio.sleep(0.05)


async def _is_healthy(port: int) -> bool:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError:
        return False
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    status = (await reader.read()).split(b" ")[1]
    writer.close()
    return status == b"200"


async def test_the_data_directory_is_private_and_left_tidy(tmp_path):
    async with running(tmp_path / "plugs") as server:
        data = tmp_path / ".plugsock"
        assert stat.S_IMODE(data.stat().st_mode) == 0o700
        assert (data / "server.json").exists()
        server.send(signal.SIGTERM)
        assert await server.end() == 0
        assert not (data / "server.json").exists()


@pytest.mark.fault("S16")
async def test_a_folder_that_others_can_write_to_is_served_once_it_is_mended(tmp_path):
    folder = tmp_path / "plugs"
    folder.mkdir()
    folder.chmod(0o777)
    async with running(folder, "--auth", "none", greet=GREET) as server, connect(server.url) as client:
        await server.says(f"everybody can write to it.*chmod -R go-w {folder}")
        with pytest.raises(Error, match="not_found"):
            await client.call("greet", {"name": "Ada"})
        folder.chmod(0o755)
        await server.says("swapped.*greet")
        assert await client.call("greet", {"name": "Ada"}) == ["Hello, Ada!"]


@pytest.mark.fault("S16")
async def test_a_folder_that_others_can_write_to_is_served_if_it_is_trusted(tmp_path):
    folder = tmp_path / "plugs"
    folder.mkdir()
    folder.chmod(0o777)
    async with running(folder, "--trust", greet=GREET) as server, connect(server.url) as client:
        assert await client.call("greet", {"name": "Ada"}) == ["Hello, Ada!"]
