"""A process that ends when the other end of its lifeline is closed, whatever it is doing."""

import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager

import pytest

from plugsock.rpc.start import LIFELINE
from plugsock.worker import lifeline

LIMIT_S = 30

HOLD = "from plugsock.worker import lifeline; lifeline.hold({end}); print('held', flush=True); {then}"

DEEDS = {
    "waiting": "import signal; signal.pause()",
    "computing in C": "import collections, itertools; collections.deque(itertools.repeat(0), maxlen=0)",
    "computing in Python": "exec('while True: pass')",
    "blocked in a read": "import os; os.read(os.pipe()[0], 1)",
    "deaf to all signals": "import signal; signal.pthread_sigmask(0, range(1, 65)); signal.pause()",
}


@contextmanager
def running(program, *inherited, **more):
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, pass_fds=inherited, text=True, **more
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def pipe():
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb", 0) as end, os.fdopen(writer, "wb", 0) as gateway:
        yield end.fileno(), gateway


@pytest.mark.fault("K13")
@pytest.mark.parametrize("deed", DEEDS)
def test_it_ends_with_the_gateway_whatever_it_is_doing(pipe, deed):
    end, gateway = pipe
    with running(HOLD.format(end=end, then=DEEDS[deed]), end) as process:
        assert process.stdout.readline() == "held\n"

        gateway.close()

        assert process.wait(2.0) == -signal.SIGKILL


@pytest.mark.fault("K13")
def test_it_ends_even_when_it_is_stopped(pipe):
    end, gateway = pipe
    with running(HOLD.format(end=end, then=DEEDS["waiting"]), end) as process:
        process.stdout.readline()
        process.send_signal(signal.SIGSTOP)

        gateway.close()

        assert process.wait(2.0) == -signal.SIGKILL


@pytest.mark.fault("K13")
def test_it_ends_at_once_when_the_gateway_has_ended_already(pipe):
    end, gateway = pipe
    gateway.close()

    with running(HOLD.format(end=end, then="pass"), end) as process:
        assert process.stdout.readline() == ""
        assert process.wait(LIMIT_S) == -signal.SIGKILL


def test_a_fork_that_holds_it_too_ends_with_the_gateway_and_not_with_its_parent(pipe):
    end, gateway = pipe
    program = (
        "import os, signal; from plugsock.worker import lifeline\n"
        f"lifeline.arm({end})\n"
        "if os.fork() == 0:\n"
        f"    lifeline.hold({end}); print(os.getpid(), flush=True); signal.pause()\n"
        "signal.pause()"
    )
    with running(program, end) as process:
        forked = os.pidfd_open(int(process.stdout.readline()))
        process.kill()
        process.wait()
        signal.pidfd_send_signal(forked, 0)

        gateway.close()

        assert process.stdout.read() == ""  # nobody has its other end any more
        os.close(forked)


@pytest.mark.fault("K13")
def test_a_thread_waits_where_the_kernel_can_not_tell():
    ours, theirs = socket.socketpair()  # no system opens a socket by its name in /proc
    with theirs, running(HOLD.format(end=theirs.fileno(), then=DEEDS["waiting"]), theirs.fileno()) as process:
        assert process.stdout.readline() == "held\n"

        theirs.close()
        ours.close()

        assert process.wait(LIMIT_S) == lifeline.ORPHANED


def test_other_systems_have_the_thread(pipe, monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")

    assert lifeline.arm(pipe[0]) is None


def test_the_lifeline_may_be_stdin_which_is_empty_then():
    program = (
        "import sys; from plugsock.worker import lifeline\n"
        "lifeline.hold_if_given(); print(repr(sys.stdin.read()), flush=True); import signal; signal.pause()"
    )
    with running(program, stdin=subprocess.PIPE, env={**os.environ, LIFELINE: "stdin"}) as process:
        assert process.stdout.readline() == "''\n"

        process.stdin.close()

        assert process.wait(LIMIT_S) == -signal.SIGKILL


def test_a_process_that_was_started_by_hand_has_none():
    program = "from plugsock.worker import lifeline; lifeline.hold_if_given(); print(input())"
    with running(program, stdin=subprocess.PIPE) as process:
        process.stdin.write("hello\n")
        process.stdin.close()

        assert process.stdout.readline() == "hello\n"
        assert process.wait(LIMIT_S) == 0


def test_programs_that_it_starts_know_nothing_of_it(pipe):
    end, _ = pipe
    then = "import os, subprocess; subprocess.run(['ls', '/proc/self/fd'], close_fds=False)"
    with running(HOLD.format(end=end, then=then), end) as process:
        held, *descriptors = process.stdout.read().split()

    assert held == "held"
    assert len(descriptors) == 4  # the usual three, and the folder that it reads
