"""Who is waited for, with clocks that the test sets."""

import pytest

from plugsock.gateway.clocks import GRACE_S, HELLO_S, Clocks

HOUR_S = 3600.0


class Times:
    """A wall clock, one that nobody sets, and what was heard."""

    def __init__(self):
        self.wall = 1_000_000.0
        self.now = 50.0
        self.heard = []
        self.clocks = Clocks(
            lambda who: self.heard.append(("silent", who)),
            lambda who: self.heard.append(("end", who)),
            lambda who: self.heard.append(("over", who)),
            wall=lambda: self.wall,
            now=lambda: self.now,
        )

    def after(self, seconds, *, jump=0.0):
        """What is heard some time later, while somebody has set the wall clock, too."""
        self.now += seconds
        self.wall += seconds + jump
        self.clocks.look()
        heard, self.heard = self.heard, []
        return heard


@pytest.mark.fault("A1")
async def test_who_does_not_say_hello_in_time_is_named_once():
    times = Times()
    times.clocks.await_hello("a")
    assert times.after(HELLO_S - 1) == []
    times.clocks.await_hello("b")
    assert times.after(1) == [("silent", "a")]
    times.clocks.said_hello("b")
    assert times.after(HELLO_S) == []
    assert not times.clocks


@pytest.mark.fault("A5")
async def test_a_token_ends_and_then_its_grace():
    times = Times()
    times.clocks.await_end("a", times.wall + 10)
    assert times.after(9) == []
    assert times.after(1) == [("end", "a")]
    assert times.after(GRACE_S - 1) == []
    assert times.after(1) == [("over", "a")]
    assert not times.clocks


async def test_who_is_forgotten_is_not_named():
    times = Times()
    for somebody in "ab":
        times.clocks.await_end(somebody, times.wall + 5)
    times.clocks.forget("a")
    assert times.after(5) == [("end", "b")]
    times.clocks.forget("b")
    times.clocks.await_hello("c")
    times.clocks.forget("c")
    assert times.after(100) == []
    assert not times.clocks


async def test_nothing_is_kept_of_anybody_who_came_and_went():
    times = Times()
    for number in range(100):
        times.clocks.await_hello(number)
        times.clocks.await_end(number, times.wall + number / 3)
        times.clocks.forget(number)
    assert not any(vars(times.clocks)[name] for name in ("_silent", "_ends", "_end_of", "_grace"))


@pytest.mark.fault("A19")
@pytest.mark.parametrize("jump", [HOUR_S, -HOUR_S])
async def test_a_wall_clock_that_jumps_moves_the_end_of_a_token_and_nothing_else(jump):
    times = Times()
    times.clocks.await_hello("hello")
    times.clocks.await_end("ending", times.wall + HOUR_S / 2)
    assert times.after(1, jump=jump) == ([("end", "ending")] if jump > 0 else [])
    assert times.after(HELLO_S) == [("silent", "hello")]


@pytest.mark.fault("A19")
@pytest.mark.parametrize("jump", [HOUR_S, -HOUR_S])
async def test_a_grace_is_as_long_however_the_wall_clock_jumps(jump):
    times = Times()
    times.clocks.await_end("a", times.wall)
    assert times.after(0) == [("end", "a")]
    assert times.after(GRACE_S - 1, jump=jump) == []
    assert times.after(1) == [("over", "a")]


def test_a_time_that_has_been_is_told_by_the_wall_clock():
    times = Times()
    assert times.clocks.has_ended(times.wall)
    assert not times.clocks.has_ended(times.wall + 1)


async def test_the_clocks_go_on_after_somebody_failed():
    times = Times()
    failed = []

    def fail(who):
        failed.append(who)
        raise RuntimeError(who)

    times.clocks._on_end = fail
    times.clocks.await_end("a", times.wall - 2)
    times.clocks.await_end("b", times.wall - 1)
    with pytest.raises(RuntimeError):
        times.clocks.look()
    times.clocks._on_end = failed.append
    times.clocks.look()
    assert failed == ["a", "b"]
