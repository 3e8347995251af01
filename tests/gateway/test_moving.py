"""After a swap, views are attached anew a few at a time."""

import asyncio

import pytest

from plugsock.gateway.moving import AT_ONCE, Moving


class Run:
    """What a watch may be attached to."""

    is_running = True


class Watch:
    """A view that is watched."""

    is_open = True
    live = None

    def __init__(self, asked):
        self.asked = asked


class Attached:
    """What was attached, each to a run of its own, or to the same."""

    def __init__(self, shared=None):
        self.watches = []
        self.news = asyncio.Event()
        self._shared = shared

    def __call__(self, watch, asked):
        assert asked == watch.asked
        watch.live = self._shared or Run()
        self.watches.append(watch)
        self.news.set()

    async def until(self, count):
        async with asyncio.timeout(10):
            while len(self.watches) < count:
                self.news.clear()
                await self.news.wait()


def watches(count):
    return [Watch(number) for number in range(count)]


@pytest.fixture
def patience(monkeypatch):
    def be(seconds):
        monkeypatch.setattr("plugsock.gateway.moving.PATIENCE_S", seconds)

    be(60.0)
    return be


@pytest.mark.usefixtures("patience")
async def test_no_more_runs_are_under_way_than_a_few():
    attached, all_of_them = Attached(), watches(3 * AT_ONCE)
    Moving(attached).add(all_of_them)
    assert attached.watches == all_of_them[:AT_ONCE]

    for one in all_of_them[:3]:
        one.live.is_running = False
    await attached.until(AT_ONCE + 3)

    assert attached.watches == all_of_them[: AT_ONCE + 3]


@pytest.mark.usefixtures("patience")
async def test_those_who_share_a_run_do_not_wait_for_each_other():
    attached, all_of_them = Attached(Run()), watches(20 * AT_ONCE)
    Moving(attached).add(all_of_them)
    await attached.until(len(all_of_them))
    assert attached.watches == all_of_them


@pytest.mark.usefixtures("patience")
async def test_who_has_ended_holds_up_nobody():
    attached, all_of_them = Attached(), watches(2 * AT_ONCE)
    for one in all_of_them:
        one.is_open = False
    Moving(attached).add(all_of_them)
    await attached.until(len(all_of_them))


async def test_what_takes_long_does_not_hold_up_the_others(patience):
    patience(0.01)
    attached, all_of_them = Attached(), watches(3 * AT_ONCE)
    Moving(attached).add(all_of_them)
    await attached.until(len(all_of_them))
    assert all(one.live.is_running for one in all_of_them)


@pytest.mark.usefixtures("patience")
async def test_what_is_added_later_comes_later():
    attached, first, second = Attached(), watches(AT_ONCE + 1), watches(2)
    moving = Moving(attached)
    moving.add(first)
    moving.add(second)
    for one in attached.watches:
        one.live.is_running = False
    await attached.until(AT_ONCE + 3)
    assert attached.watches == first + second
