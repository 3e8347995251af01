import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from plugsock.rpc.start import KEY
from support import executable
from support.executable import server_of

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the server is ended by a signal")

LIMIT_S = 20.0


@pytest.fixture
def worker(home):
    """Start workers by hand; they are ended with the test."""
    started = []

    def start(*arguments):
        command = [*executable.command(), "worker", *arguments]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def pids(plugsock, count):
    """The workers of the server, once so many are ready."""
    by = time.monotonic() + LIMIT_S
    while time.monotonic() < by:
        rows = json.loads(plugsock("ps", "--format", "json")[1])
        ready = [row["pid"] for row in rows if row["state"] == "ready"]
        if len(ready) == count:
            return ready
    raise AssertionError(f"never {count} of {rows}")


def test_it_joins_the_server_that_runs_here_and_ends_with_it(serve, plugsock, worker):
    server = serve("--workers", "1")
    mine = worker()

    both = pids(plugsock, 2)
    assert server_of(mine.pid).pid in both
    server.stop()
    mine.communicate(timeout=LIMIT_S)


def test_it_joins_where_it_is_told_to(serve, plugsock, worker):
    serve("--workers", "1")
    (address,) = Path(os.environ["XDG_RUNTIME_DIR"], "plugsock").glob("*.workers")
    mine = worker("--join", str(address))

    both = pids(plugsock, 2)
    assert server_of(mine.pid).pid in both


def test_without_a_server_it_says_so(plugsock):
    status, out, err = plugsock("worker")

    assert (status, out) == (1, "")
    assert "no server runs with the data directory" in err


def test_a_server_without_workers_takes_none(serve, plugsock):
    serve("--workers", "0")

    status, _, err = plugsock("worker")

    assert status == 1
    assert "--workers 0" in err


def test_where_no_server_listens_it_says_so(plugsock, tmp_path):
    status, out, err = plugsock("worker", "--join", str(tmp_path / "workers"), **{KEY: "key"})

    assert (status, out) == (1, "")
    assert err.startswith("plugsock worker: no server lets workers in at ")


def test_a_nursery_is_no_command_for_people(plugsock):
    status, _, err = plugsock("worker", "--nursery")

    assert status == 1
    assert "only of use to the plugsock that starts it" in err
    assert "--nursery" not in plugsock("worker", "--help")[1]


def test_variables_of_workers_are_no_settings(plugsock):
    assert plugsock("list", **{KEY: "key"})[0] == 0
