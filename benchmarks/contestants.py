"""The servers that are measured side by side: how each is started, spoken to, accounted for and stopped."""

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Final, NamedTuple

import psutil
from machine import SERVER, BenchmarkError, free_port, pinned

HERE: Final = Path(__file__).parent
LOGS: Final = HERE / ".build"
START_S: Final = 30.0
STOP_S: Final = 15.0


class Contestant(NamedTuple):
    """A server of `servers/` and how the load generator speaks with it."""

    title: str
    file: str
    wire: tuple[str, ...]
    greeting: tuple[str, ...] = ()
    """What its own client would say after the handshake: part of a connection in use, not of opening one."""
    needs: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    health: str = ""
    """The page that says when it is ready, where listening alone does not: plugsock listens before its plugs are loaded."""


PLUGSOCK: Final = ("--wire", "plugsock", "--protocol", "plugsock.v1")
INLINE: Final = ("--workers", "0")
SOCKETIO: Final = ("--wire", "socketio", "--path", "/socket.io/?EIO=4&transport=websocket")

CONTESTANTS: Final[dict[str, Contestant]] = {
    "plugsock": Contestant(
        "typed call through a plug, inline", "plugsock_call.py", PLUGSOCK, ("--hello",), flags=INLINE, health="/healthz"
    ),
    "plugsock-anonymous": Contestant(
        "the same, no session", "plugsock_call.py", PLUGSOCK, flags=INLINE, health="/healthz"
    ),
    "plugsock-workers": Contestant(
        "the same in worker processes", "plugsock_call.py", PLUGSOCK, ("--hello",), health="/healthz"
    ),
    "plugsock-echo": Contestant("raw echo, plugsock's sockets", "plugsock_echo.py", ("--wire", "plain")),
    "websockets": Contestant("raw echo", "websockets_echo.py", ("--wire", "plain")),
    "bare-loop": Contestant("a loop around `transport.write`", "bare_loop.py", ("--wire", "plain")),
    "fastapi": Contestant(
        "typed echo, pydantic", "fastapi_echo.py", ("--wire", "plain"), needs=("fastapi", "uvicorn", "httptools")
    ),
    "socketio": Contestant(
        "event with acknowledgement", "socketio_ack.py", SOCKETIO, needs=("socketio", "uvicorn", "httptools")
    ),
}


class Spent(NamedTuple):
    """Seconds of CPU: of a server's own process, and of its children together."""

    own_s: float
    children_s: float


class Server:
    """A contestant's process while it serves."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self.name = name
        self.port = port
        self._process = process
        self._log = log
        self._account = psutil.Process(process.pid)

    def cpu(self) -> Spent:
        """Return the CPU that it and its children have used, in the kernel's own accounting."""
        own_s, *workers_s = (times.user + times.system for times in map(psutil.Process.cpu_times, self._family()))
        return Spent(own_s, sum(workers_s))

    def pss_kib(self) -> int:
        """Return the memory that it and its children hold: private pages, and their share of shared ones."""
        return sum(_pss_kib(process.pid) for process in self._family())

    def wait_until_it_serves(self) -> None:
        """Return when the port accepts connections and its health page, if it has one, says 200.

        Raises:
            BenchmarkError: It ended, or doesn't serve within 30 s; with the end of its log.
        """
        until = time.monotonic() + START_S
        while self._process.poll() is None and time.monotonic() < until:
            if self._serves():
                return
            time.sleep(0.05)
        raise BenchmarkError(f"{self.name} does not serve; {self._log} ends with:\n{self._log.read_text()[-2000:]}")

    def _serves(self) -> bool:
        health = CONTESTANTS[self.name].health
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=START_S) as probe:
                if not health:
                    return True
                probe.sendall(
                    f"GET {health} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nConnection: close\r\n\r\n".encode()
                )
                return probe.recv(64).startswith(b"HTTP/1.1 200 ")
        except OSError:
            return False

    def stop(self) -> None:
        """End it, politely first."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _family(self) -> list[psutil.Process]:
        return [self._account, *self._account.children(recursive=True)]


def _pss_kib(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    raise BenchmarkError(f"/proc/{pid}/smaps_rollup has no Pss")


@contextmanager
def serving(name: str, *flags: str, side: int | None = SERVER) -> Iterator[Server]:
    """Run a contestant until the block ends, on the core of its side; None gives it all of them.

    Args:
        name: One of `CONTESTANTS`.
        flags: For its command, after its own: those of plugsock.
        side: Of `machine`.
    """
    port = free_port()
    contestant = CONTESTANTS[name]
    LOGS.mkdir(exist_ok=True)
    log = LOGS / f"{name}.log"
    command = [sys.executable, str(HERE / "servers" / contestant.file), str(port), *contestant.flags, *flags]
    with tempfile.TemporaryDirectory(prefix="plugsock-bench-") as data:
        environment = os.environ | {"PLUGSOCK_DATA": data}  # two may run at once: tests do
        with log.open("wb") as output, nullcontext() if side is None else pinned(side):
            process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        server = Server(name, process, port, log)
        try:
            server.wait_until_it_serves()
            yield server
        finally:
            server.stop()


def choose(names: Sequence[str]) -> list[str]:
    """Return the contestants asked for.

    Raises:
        BenchmarkError: One is not known, or what it needs is not installed.
    """
    for name in names:
        if name not in CONTESTANTS:
            raise BenchmarkError(f"`{name}` is none of {', '.join(CONTESTANTS)}")
        missing = [module for module in CONTESTANTS[name].needs if importlib.util.find_spec(module) is None]
        if missing:
            raise BenchmarkError(f"{name} needs {', '.join(missing)}: install the dependency group `bench`")
    return list(names)
