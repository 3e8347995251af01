import os
import signal
import subprocess
import sys

import psutil
import pytest

from plugsock.pool.vitals import Vitals

BUSY = "print(flush=True)\nwhile True: pass"
WAITS = "input()"


@pytest.fixture
def process():
    """Start a process that runs a program until the test ends."""
    started = []

    def start(program):
        process = subprocess.Popen(
            [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_a_process_that_computes_uses_cpu(process):
    busy = process(BUSY)
    vitals = Vitals(busy.pid)
    busy.stdout.readline()
    before = vitals.cpu_s()

    while vitals.cpu_s() < before + 0.05:
        pass

    assert not vitals.is_stopped()


def test_its_memory_is_what_it_holds_in_bytes(process):
    large = process(f"data = b'x' * 50_000_000\nprint(flush=True)\n{WAITS}")
    large.stdout.readline()

    assert 50_000_000 < Vitals(large.pid).memory() < 200_000_000


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGSTOP")
def test_a_process_that_was_stopped_is_stopped_until_it_may_go_on(process):
    waits = process(WAITS)
    vitals = Vitals(waits.pid)
    assert not vitals.is_stopped()

    waits.send_signal(signal.SIGSTOP)
    os.waitpid(waits.pid, os.WUNTRACED)
    assert vitals.is_stopped()

    waits.send_signal(signal.SIGCONT)
    os.waitpid(waits.pid, os.WCONTINUED)
    assert not vitals.is_stopped()


def test_of_a_process_that_has_gone_nothing_is_known(process):
    waits = process(WAITS)
    vitals = Vitals(waits.pid)
    assert vitals.memory()

    waits.kill()
    waits.wait()

    assert (vitals.cpu_s(), vitals.memory(), vitals.is_stopped()) == (None, None, False)


@pytest.mark.skipif(not hasattr(os, "waitid"), reason="nobody can be told of an end without waiting for it")
def test_one_that_nobody_has_waited_for_yet_holds_no_memory(process):
    ends = process("")
    vitals = Vitals(ends.pid)
    os.waitid(os.P_PID, ends.pid, os.WEXITED | os.WNOWAIT)

    assert (vitals.memory(), vitals.is_stopped()) == (None, False)


def test_of_a_process_that_never_was_nothing_is_known_either():
    vitals = Vitals(max(psutil.pids()) + 10_000_000)

    assert (vitals.cpu_s(), vitals.memory(), vitals.is_stopped()) == (None, None, False)
