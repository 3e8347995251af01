"""What was replaced is freed, also if somebody was just using it."""

import threading
import weakref

import pytest

from plugsock.loader import reaper
from plugsock.loader.reaper import Reaper

LIMIT_S = 20.0


class Module:
    """Something that only the collector can free."""

    def __init__(self):
        self.me = self


@pytest.fixture
def freed():
    return threading.Event()


def test_it_runs_what_it_is_given_and_frees_what_that_has_left(freed):
    ran, dying = [], Module()
    weakref.finalize(dying, freed.set)
    one = Reaper()
    one.add(lambda: ran.append(1), [dying])
    del dying

    assert one.join(LIMIT_S)
    assert (ran, freed.is_set()) == ([1], True)


def test_what_somebody_was_just_using_is_freed_a_little_later(freed):
    held = [Module()]
    weakref.finalize(held[0], freed.set)
    one = Reaper()
    one.add(lambda: None, held)
    assert not one.join(0.05)
    assert not freed.is_set()

    held.clear()

    assert freed.wait(LIMIT_S)
    assert one.join(LIMIT_S)


def test_it_does_not_wait_for_ever_for_what_somebody_keeps(monkeypatch):
    monkeypatch.setattr(reaper, "AGAIN_S", (0.01, 0.01))
    kept = Module()
    one = Reaper()
    one.add(lambda: None, [kept])

    assert one.join(LIMIT_S)


def test_closing_ends_the_wait():
    kept = Module()
    one = Reaper()
    one.add(lambda: None, [kept])

    assert one.close(LIMIT_S)
