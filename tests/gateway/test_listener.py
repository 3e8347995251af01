"""Accepting, deadlines and the end of a listener, with real TCP and TLS on both event loops."""

import asyncio
import contextlib
import os
import signal
import socket
import ssl
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from plugsock.gateway.access import Access
from plugsock.gateway.limits import Limits
from plugsock.gateway.listener import tls_context
from plugsock.settings import Settings
from support.client_frames import PING, client_frame, close, text
from support.wires import HOST, Client, ask, connected, serving, upgrade

ECHO_SERVER = Path(__file__).parents[1] / "support" / "echo_server.py"


async def hung_up(client):
    """Wait until the server hangs up or resets; return what it said."""
    async with asyncio.timeout(10):
        try:
            return await client.reader.read()
        except ConnectionResetError:
            return b""


# Pages.


async def test_pages_are_served_and_end_the_connection():
    async with serving() as server:
        request = upgrade(server.port, target="/healthz", without=("upgrade", "connection"))
        answer = await ask(server, request + request)
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert answer.endswith(b"\r\n\r\nok\n")
        assert answer.count(b"HTTP/1.1") == 1


async def test_healthz_waits_for_the_server_to_be_ready():
    async with serving(ready=lambda: False) as server:
        request = upgrade(server.port, target="/healthz", without=("upgrade", "connection"))
        assert (await ask(server, request)).startswith(b"HTTP/1.1 503 ")


@pytest.mark.fault("H6")
async def test_what_follows_a_refused_request_is_never_parsed_as_frames():
    async with serving() as server:
        answer = await ask(server, upgrade(server.port, version="HTTP/1.0") + text("smuggled"))
        assert answer.startswith(b"HTTP/1.1 505 ")
        assert server.conversations == []


@pytest.mark.fault("H6")
async def test_a_body_is_never_read_as_frames():
    async with serving() as server:
        frames = text("smuggled")
        answer = await ask(server, upgrade(server.port, content_length=str(len(frames))) + frames)
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert server.conversations == []


@pytest.mark.fault("H3")
@pytest.mark.parametrize(
    ("begun", "status"), [(b"GET /" + b"x" * 65_536, 414), (b"GET / HTTP/1.1\r\nX: " + b"x" * 65_536, 431)]
)
async def test_a_head_too_large_is_refused_before_its_end(begun, status):
    async with serving() as server:
        assert (await ask(server, begun)).startswith(b"HTTP/1.1 %d " % status)


@pytest.mark.fault("H12")
async def test_a_refusal_is_one_line_in_the_log(capsys):
    async with serving() as server:
        for junk in ("\r", "\n", "\0", "\x1b[31m"):
            await ask(server, upgrade(server.port, target=f"/{junk}x", x_value=f"a{junk}level=error b"))
        await ask(server, upgrade(server.port, sec_websocket_key="\x85\u00a0nothing\tgood"))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 5
    assert all("request refused" in line and "\x1b" not in line for line in lines)


@pytest.mark.parametrize("junk", [b"\x16\x03\x01\0\xa5", b"GET / HTTP/1.1\n\n"], ids=["TLS", "line feeds"])
async def test_what_can_not_become_a_request_is_refused_at_once(junk):
    async with serving(handshake_s=60) as server:
        assert (await ask(server, junk)).startswith(b"HTTP/1.1 400 ")


# Deadlines.


@pytest.mark.fault("H1")
async def test_a_head_that_drips_is_dropped_by_one_total_deadline():
    async with serving(handshake_s=0.3) as server, connected(server, b"GET / HTTP/1.1\r\n") as client:
        ended = asyncio.get_running_loop().create_task(hung_up(client))
        for number in range(1_000):
            client.send(b"X-%d: x\r\n" % number)
            if (await asyncio.wait({ended}, timeout=0.02))[0]:
                break
        assert (await ended).startswith(b"HTTP/1.1 408 ")


@pytest.mark.fault("H1")
async def test_50_partial_handshakes_are_all_dropped_while_others_are_served():
    async with serving(handshake_s=0.3) as server, connected(server) as other, asyncio.timeout(10):
        pairs = [await asyncio.open_connection(HOST, server.port) for _ in range(50)]
        for _, writer in pairs:
            writer.write(b"GET / HTTP/1.1\r\nHost: x")
        answers = await asyncio.gather(*(reader.read() for reader, _ in pairs))
        assert all(answer.startswith(b"HTTP/1.1 408 ") for answer in answers)
        assert await other.echoes()
        for _, writer in pairs:
            writer.close()
            await writer.wait_closed()


@pytest.mark.fault("H2")
async def test_a_connection_that_says_nothing_is_dropped():
    async with serving(handshake_s=0.1) as server, connected(server, b"") as client:
        with_nothing = b""
        with contextlib.suppress(ConnectionResetError):
            assert await hung_up(client) == with_nothing


@pytest.mark.fault("H2")
@pytest.mark.parametrize("begun", [b"", b"\x16\x03\x01"])
async def test_a_tls_handshake_that_stalls_is_dropped(certificate, begun):
    async with serving(tls=certificate.server, handshake_s=0.2) as server, connected(server, begun) as client:
        with contextlib.suppress(ConnectionResetError):
            assert await hung_up(client) == b""
        assert server.conversations == []


@pytest.mark.fault("H2")
async def test_a_request_that_stalls_after_tls_is_dropped(certificate):
    async with (
        serving(tls=certificate.server, handshake_s=0.3) as server,
        connected(server, b"GET", tls=certificate.client) as client,
    ):
        assert (await hung_up(client)).startswith(b"HTTP/1.1 408 ")


async def test_a_client_that_leaves_during_its_handshake_is_forgotten():
    async with serving() as server:
        async with connected(server, b"GET / HT"):
            pass
        async with connected(server) as client:
            assert await client.echoes()


@pytest.mark.fault("W20")
async def test_clients_that_vanish_at_any_moment_of_the_handshake_leave_nothing_behind():
    complaints = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context))
    async with serving() as server:
        requests = [upgrade(server.port), upgrade(server.port) + text("x") * 500, upgrade(server.port, method="POST")]
        for number in range(150):
            request = requests[number % 3]
            with socket.create_connection((HOST, server.port)) as vanishing:
                vanishing.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                vanishing.sendall(request[: len(request) * number // 150])
                await asyncio.sleep(0)
        async with connected(server) as client:
            assert await client.echoes()
    assert complaints == []


# TLS.


class Certificate:
    """A self-signed certificate for localhost, and contexts that serve it and trust it."""

    def __init__(self, folder):
        self.cert, self.key = folder / "cert.pem", folder / "key.pem"
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
                *("-keyout", self.key, "-out", self.cert, "-days", "2", "-subj", "/CN=localhost"),
                *("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
            ],
            check=True,
            capture_output=True,
        )
        self.server = tls_context(self.cert, self.key)
        self.client = ssl.create_default_context(cafile=self.cert)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return Certificate(tmp_path_factory.mktemp("certificate"))


async def test_wss_works_from_handshake_to_close(certificate):
    async with serving(tls=certificate.server) as server, connected(server, tls=certificate.client) as client:
        big = "x" * 300_000
        client.send(text("hello") + text(big) + close(1000))
        assert await client.rest() == [(0x81, b"hello"), (0x81, big.encode()), (0x88, b"\x03\xe8")]


async def test_a_violation_over_tls_is_closed_with_its_code(certificate):
    async with serving(tls=certificate.server) as server, connected(server, tls=certificate.client) as client:
        client.send(text("x", masked=False))
        assert await client.close_code() == 1002


async def test_a_client_that_stops_reading_over_tls_stops_being_read(certificate):
    async with serving(tls=certificate.server) as server, connected(server, tls=certificate.client) as client:
        client.writer.transport.pause_reading()
        conversation = await server.conversation()
        for _ in range(200):
            client.send(text("x" * 100_000))
        async with asyncio.timeout(10):
            await conversation.is_congested.wait()
        assert len(conversation.messages) < 200
        client.writer.transport.resume_reading()
        assert len(await client.frames(200)) == 200


async def test_a_plain_request_on_a_tls_port_is_dropped(certificate):
    async with serving(tls=certificate.server) as server:
        assert b"HTTP/1.1 101" not in await ask(server, upgrade(server.port))
        async with connected(server, tls=certificate.client) as client:
            assert await client.echoes()


def test_a_wrong_certificate_is_an_oserror(tmp_path, certificate):
    with pytest.raises(OSError):
        tls_context(tmp_path / "missing.pem", None)
    (tmp_path / "wrong.pem").write_text("no certificate")
    with pytest.raises(OSError):
        tls_context(tmp_path / "wrong.pem", certificate.key)


# Starting and ending.


async def test_localhost_is_every_address_of_it_on_one_port():
    access = Access("localhost", secure=False, allow_host=(), allow_origin=())
    async with serving(host="localhost", access=access) as server:
        addresses = server.listener.addresses
        found = await asyncio.get_running_loop().getaddrinfo("localhost", 0, type=socket.SOCK_STREAM)
        assert {host for host, _ in addresses} == {address[0] for *_, address in found}
        assert len({port for _, port in addresses}) == 1


async def test_an_address_in_use_is_an_error_and_leaves_nothing_open():
    async with serving() as server:
        with pytest.raises(OSError):
            async with serving() as other:
                await other.listener.start(HOST, server.port)


async def test_a_port_can_be_taken_again_at_once():
    async with serving() as server, connected(server) as client:
        port = server.port
        client.send(close(1000))
        await client.rest()
    async with serving() as again:
        await again.listener.start(HOST, port)
        assert (HOST, port) in again.listener.addresses


async def test_after_stop_nothing_is_accepted_and_open_sockets_go_on():
    async with serving() as server, connected(server) as client:
        port = server.port
        server.listener.stop()
        with pytest.raises(OSError):
            await asyncio.open_connection(HOST, port)
        assert await client.echoes()
        assert len(server.listener.wires) == 1


async def test_close_ends_every_connection_in_whatever_phase():
    async with serving(close_s=0.2) as server, connected(server) as client, connected(server, b"GET /") as opening:
        await server.conversation()
        ended = asyncio.get_running_loop().create_task(hung_up(opening))
        await asyncio.gather(server.listener.close(4000, "drain"), client.rest())
        assert (await server.conversation()).closes == [4000]
        assert (await ended).startswith(b"HTTP/1.1 408 ") or await ended == b""
        assert len(server.listener.wires) == 0


async def test_a_stalled_tls_handshake_does_not_hold_up_close(certificate):
    async with serving(tls=certificate.server, handshake_s=60) as server, connected(server, b"\x16"):
        await asyncio.sleep(0.05)
        async with asyncio.timeout(5):
            await server.listener.close(1001)


async def test_more_connections_than_allowed_are_closed_4504():
    async with serving(max_connections=1) as server:
        async with connected(server) as first:
            async with connected(server) as second:
                assert await second.close_code() == 4504
            assert await first.echoes()
            first.send(close(1000))
            await first.rest()
        async with connected(server) as third:
            assert await third.echoes()


async def test_hundreds_of_connections_at_once_are_all_opened():
    async with serving() as server:

        async def once():
            async with connected(server) as client:
                return await client.echoes()

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(once()) for _ in range(200)]
        assert all(task.result() for task in tasks)


def test_limits_are_those_of_the_settings(tmp_path):
    limits = Limits.of(Settings(plugs=tmp_path, data=tmp_path, ping_s=7, max_message=5))
    assert (limits.ping_s, limits.max_message, limits.close_s) == (7, 5, Limits().close_s)
    assert Limits.of(Settings(plugs=tmp_path, data=tmp_path)) == Limits()


# The echo server of the conformance suites, as a process of its own.


async def start_echo_server(*flags, descriptors=None):
    command = [sys.executable, str(ECHO_SERVER), "0", *flags]
    if descriptors:
        command = ["sh", "-c", f'ulimit -n {descriptors}; exec "$@"', "sh", *command]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    line = (await process.stdout.readline()).decode()
    assert line.startswith("listening on ws://127.0.0.1:"), line
    return process, int(line.rpartition(":")[2])


async def open_client(port):
    client = Client(*await asyncio.open_connection(HOST, port))
    client.send(upgrade(port))
    return client


async def test_the_echo_server_echoes_what_fits_and_ends_on_sigterm():
    process, port = await start_echo_server("--max-message", "1000", "--compression")
    client = await open_client(port)
    assert b" 101 " in await client.response()
    client.send(text("x" * 1_000) + text("x" * 1_001))
    assert (await client.frames(1))[0][1] == b"x" * 1_000
    assert await client.close_code() == 1009
    await client.hang_up()
    process.send_signal(signal.SIGTERM)
    _, errors = await process.communicate()
    assert (process.returncode, errors) == (0, b"")


@pytest.mark.fault("H17")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs ulimit")
async def test_at_the_limit_of_descriptors_accepting_pauses_and_recovers():
    process, port = await start_echo_server(descriptors=64)
    clients = [await open_client(port) for _ in range(100)]
    first = clients[0]
    assert b" 101 " in await first.response()
    line = (await process.stderr.readline()).decode()
    assert "no more connections can be accepted for now" in line

    before = cpu_s(process.pid)
    start = asyncio.get_running_loop().time()
    await asyncio.sleep(1)
    assert await first.echoes(), "those that are open are served"
    assert (cpu_s(process.pid) - before) / (asyncio.get_running_loop().time() - start) < 0.2

    for client in clients[:60]:
        await client.hang_up()
    last = clients[-1]
    assert b" 101 " in await last.response()
    last.send(client_frame(PING))
    assert await last.frames(1) == [(0x8A, b"")]
    for client in clients[60:]:
        await client.hang_up()
    process.send_signal(signal.SIGTERM)
    _, errors = await process.communicate()
    assert errors == b"", "one line is enough"


def cpu_s(pid):
    import psutil

    times = psutil.Process(pid).cpu_times()
    return times.user + times.system
