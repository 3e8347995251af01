"""The process that forks workers, driven as the gateway drives it."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from plugsock.errors import PlugsockError
from plugsock.rpc import start
from plugsock.rpc.start import CONTROL, Ended, Fork, Forked
from plugsock.worker import nursery
from support.yard import children

LIMIT_S = 30.0


class Driven:
    """A nursery's process and the socket to it."""

    def __init__(self, body, **variables):
        self.control, theirs = socket.socketpair()
        self.control.settimeout(LIMIT_S)
        self.lines = self.control.makefile("rb")
        end, self.lifeline = os.pipe()
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM.format(body=textwrap.indent(body, "    "))],
                stdin=end,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=[theirs.fileno()],
                env={**os.environ, CONTROL: str(theirs.fileno()), **variables},
                text=True,
            )
        os.close(end)

    def fork(self, address="", key="", token=1):
        self.control.sendall(start.encode(Fork(token, address, key)))

    def says(self):
        return start.answers(self.lines.readline())[0]

    def ends_with(self):
        """How a worker ends."""
        self.fork()
        assert isinstance(self.says(), Forked)
        return self.says().status

    def close(self):
        self.lines.close()
        self.control.close()
        os.close(self.lifeline)
        self.process.communicate()


PROGRAM = """
import os, sys, signal, threading
from plugsock.worker import nursery
def main(address, key):
{body}
sys.exit(nursery.serve(main))
"""


@pytest.fixture
def driven():
    made = []

    def make(body="return 0", **variables):
        made.append(Driven(body, **variables))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_it_forks_and_tells_how_that_ended(driven):
    one = driven("return 7")

    one.fork(token=5)

    forked = one.says()
    assert forked == Forked(5, forked.pid)
    assert one.says() == Ended(forked.pid, 7)


def test_a_worker_is_given_what_was_asked_for(driven):
    one = driven("print(address, key)")

    one.fork("/an/address", "a key")

    assert one.process.stdout.readline() == "/an/address a key\n"


def test_requests_may_come_in_any_pieces(driven):
    one = driven("signal.pause()")
    requests = b"".join(start.encode(Fork(token, "", "")) for token in (1, 2, 3))

    one.control.sendall(requests[:10])
    one.control.sendall(requests[10:60])
    one.control.sendall(requests[60:])

    assert [one.says().token for _ in range(3)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("return 300", 300 & 0xFF),
        ("return None", 1),
        ("raise RuntimeError", 1),
        ("sys.exit(0)", 1),
        ("raise KeyboardInterrupt", 1),
        ("sys.stdout = sys.stderr = None\nraise RuntimeError", 1),
        ("os.close(1)\nos.close(2)\nraise RuntimeError", 1),
        ("os._exit(9)", 9),
        ("os.kill(os.getpid(), signal.SIGKILL)", -9),
    ],
)
def test_however_a_worker_ends_it_is_not_a_second_nursery(driven, body, status):
    one = driven(body)

    assert [one.ends_with(), one.ends_with()] == [status, status]
    assert children(one.process.pid) == set()


def test_what_is_still_in_buffers_is_printed(driven):
    one = driven("sys.stdout.write('no end')\nreturn 0")
    one.ends_with()

    one.control.shutdown(socket.SHUT_RDWR)

    assert one.process.communicate()[0] == "no end"


def test_a_line_is_written_in_one_piece_also_without_a_buffer(driven):
    one = driven("for _ in range(200): print('a', 'b', 'c')", PYTHONUNBUFFERED="1")
    for token in range(4):
        one.fork(token=token)

    lines = [one.process.stdout.readline() for _ in range(800)]

    assert set(lines) == {"a b c\n"}


@pytest.mark.fault("K14")
def test_it_has_one_thread_with_everything_imported(driven):
    one = driven("print(sorted({'uvloop', 'watchfiles', 'msgspec'} & set(sys.modules)))")
    one.fork()

    assert one.process.stdout.readline() == "['msgspec', 'uvloop', 'watchfiles']\n"
    assert "Threads:\t1\n" in Path(f"/proc/{one.process.pid}/status").read_text()


@pytest.mark.fault("D6")
def test_it_leaves_ctrl_c_and_sigterm_to_the_gateway_and_so_do_its_workers(driven):
    one = driven("while True: signal.pause()")
    one.fork()
    worker = one.says().pid

    for pid in (one.process.pid, worker):
        os.kill(pid, signal.SIGINT)
        os.kill(pid, signal.SIGTERM)
    one.fork()
    other = one.says().pid
    os.kill(other, signal.SIGKILL)

    assert one.says() == Ended(other, -signal.SIGKILL)
    assert children(one.process.pid) == {worker}


def test_programs_that_workers_start_do_not_ignore_them(driven):
    one = driven("os.execvp('grep', ['grep', 'SigIgn', '/proc/self/status'])")
    one.fork()

    ignored = int(one.process.stdout.readline().split()[1], 16)

    assert not ignored & (1 << signal.SIGINT - 1 | 1 << signal.SIGTERM - 1 | 1 << signal.SIGCHLD - 1)


def test_it_ends_when_the_gateway_closes_the_socket_and_its_workers_do_not(driven):
    one = driven("signal.pause()")
    one.fork()
    worker = one.says().pid

    one.control.shutdown(socket.SHUT_RDWR)

    assert one.process.wait(LIMIT_S) == 0
    os.kill(worker, signal.SIGKILL)


@pytest.mark.fault("K13")
def test_it_ends_with_the_gateway_even_when_it_is_stopped(driven):
    one = driven()
    one.ends_with()
    one.process.send_signal(signal.SIGSTOP)

    os.close(one.lifeline)

    assert one.process.wait(2.0) == -signal.SIGKILL
    one.lifeline = os.dup(1)


def test_it_is_started_by_a_gateway_only(monkeypatch):
    monkeypatch.delenv(CONTROL, raising=False)

    with pytest.raises(PlugsockError, match="only of use to the plugsock that starts it"):
        nursery.serve(lambda address, key: 0)
