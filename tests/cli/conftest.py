import os
import signal
import subprocess
import sys

import pytest

GREET = '''from plugsock import Error, plug


@plug
async def greet(name: str, times: int = 1) -> list[str]:
    """Say hello."""
    if name == "moon":
        raise Error("out_of_stock", "We have no moon left.", data={"sku": "moon"})
    return [f"Hello, {name}!"] * times


@plug
async def count(upto: int = 3):
    """Count."""
    for number in range(upto):
        yield {"number": number}
'''


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A folder with one plug file, as the working directory, and a runtime directory of its own."""
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    home = tmp_path / "home"
    (home / "plugs").mkdir(parents=True)
    (home / "plugs" / "greet.py").write_text(GREET)
    monkeypatch.chdir(home)
    return home


class Running:
    """A server in a process of its own, ready when this is made."""

    def __init__(self, *arguments):
        command = [sys.executable, "-m", "plugsock", "--port", "0", *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.introduction = self.process.stdout.readline()

    def stop(self):
        """End it as Ctrl-C does; its status and what it said."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        out, err = self.process.communicate(timeout=20)
        return self.process.returncode, self.introduction + out, err


@pytest.fixture
def server(home):
    running = Running()
    yield running
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
        running.stop()


@pytest.fixture
def plugsock(home):
    """Run a command to its end, in a process of its own: its status, stdout and stderr."""

    def run(*arguments, input=None, **environ):
        command = [sys.executable, "-m", "plugsock", *arguments]
        ended = subprocess.run(
            command, input=input, capture_output=True, text=True, env=os.environ | environ, check=False, timeout=50
        )
        return ended.returncode, ended.stdout, ended.stderr

    return run
