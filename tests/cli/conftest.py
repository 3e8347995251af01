import asyncio
import os
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest

from support import executable

GREET = '''from collections.abc import AsyncIterator

from plugsock import Error, plug


@plug
async def greet(name: str, times: int = 1) -> list[str]:
    """Say hello."""
    if name == "moon":
        raise Error("out_of_stock", "We have no moon left.", data={"sku": "moon"})
    return [f"Hello, {name}!"] * times


@plug
async def count(upto: int = 3) -> AsyncIterator[dict[str, int]]:
    """Count."""
    for number in range(upto):
        yield {"number": number}
'''


AUTH = """from plugsock import Hello, User, authenticate, plug


@authenticate
async def who(hello: Hello) -> User | None:
    return User(hello.token, frozenset({"orders.*"}), 4102444800) if hello.token else None


@plug(requires="orders.read")
async def orders() -> int:
    return 3


@plug(requires="orders.read")
async def feed():
    while True:
        yield 1
"""
"""Whoever shows a token has it as a name, and may do what has to do with orders until 2100."""


INTRODUCTION = 4
"""Lines that a server says when it is ready."""


PROCESSES = {"plugsock", "serve", "server", "guarded"}
"""Fixtures that start plugsock."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    for item in items:
        is_here = item.path.parent == Path(__file__).parent and item.path.name != "test_pip.py"  # built/test_pip.py
        if is_here and not PROCESSES.isdisjoint(item.fixturenames):
            item.add_marker(pytest.mark.end_to_end)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A folder with one plug file, as the working directory, and a runtime directory of its own."""
    (tmp_path / "plugs").mkdir()
    (tmp_path / "plugs" / "greet.py").write_text(GREET)
    monkeypatch.chdir(tmp_path)
    executable.move_to(tmp_path, monkeypatch)
    with tempfile.TemporaryDirectory() as runtime:  # with a short path, unlike pytest's: sockets lie in it
        monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
        yield tmp_path


class Running:
    """A server in a process of its own, ready when this is made."""

    def __init__(self, *arguments):
        command = [*executable.command(), "--port", "0", *arguments]
        self.log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - `stop` closes it
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.introduction = [self.process.stdout.readline() for _ in range(INTRODUCTION)]
        self.url = self.introduction[0].split()[-1]

    def stop(self):
        """End it as Ctrl-C does; its status and what it logged."""
        with self.process, self.log:
            if self.process.poll() is None:
                self.process.send_signal(signal.SIGINT)
            self.process.wait(timeout=20)
            self.log.seek(0)
            return self.process.returncode, self.log.read()


@pytest.fixture
def server(home):
    running = Running()
    yield running
    if not running.log.closed:
        running.stop()


@pytest.fixture
def guarded(home):
    """A server that asks who somebody is."""
    (home / "plugs" / "auth.py").write_text(AUTH)
    running = Running()
    yield running
    if not running.log.closed:
        running.stop()


@pytest.fixture
def serve(home):
    """Start servers that end with the test."""
    started = []

    def start(*arguments):
        started.append(Running(*arguments))
        return started[-1]

    yield start
    for running in started:
        if not running.log.closed:
            running.stop()


@pytest.fixture
def plugsock(home):
    """Run a command to its end, in a process of its own: its status, stdout and stderr."""

    def run(*arguments, input=None, **environ):
        command = [*executable.command(), *arguments]
        ended = subprocess.run(
            command, input=input, capture_output=True, text=True, env=os.environ | environ, check=False, timeout=50
        )
        return ended.returncode, ended.stdout, ended.stderr

    return run


@pytest.fixture
def run_beside(plugsock):
    """Run a command beside the test's own event loop, which answers it."""

    async def run(*arguments, **environ):
        return await asyncio.to_thread(plugsock, *arguments, **environ)

    return run
