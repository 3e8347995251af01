"""What a plug that is run for a look can't do to whoever looks."""

import os
import sys

import pytest

from plugsock.testing import guard
from plugsock.testing.guard import Stuck, guarded


def test_what_is_printed_is_not_the_programs_output(capsys):
    with guarded(10):
        sys.stdout.write("Hello\n")

    assert capsys.readouterr() == ("", "Hello\n")


def test_an_end_of_the_process_is_an_exception():
    exit = os._exit
    with pytest.raises(SystemExit) as ended, guarded(10):
        os._exit(3)

    assert ended.value.code == 3
    assert os._exit is exit


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_process_that_was_forked_off_ends_as_ever():
    with guarded(10):
        child = os.fork()
        if child == 0:
            os._exit(7)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_what_never_lets_go_is_interrupted_whatever_it_catches(monkeypatch):
    monkeypatch.setattr(guard, "GRACE_S", 0.0)
    with pytest.raises(Stuck), guarded(0.01):
        _never_ends()


def _never_ends():
    count = 0
    while True:
        try:
            count += 1
        except Exception:
            sys.exit("it was caught")
