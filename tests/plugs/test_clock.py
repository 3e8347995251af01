from contextlib import aclosing
from datetime import datetime

import pytest

from plugsock import Error


async def test_the_clock_ticks_as_often_as_it_is_asked_to(c):
    ticks = [tick async for tick in c.stream("clock.ticks", {"every": 0.001, "times": 3}, type=datetime)]

    assert len(ticks) == 3
    assert ticks == sorted(ticks)


async def test_the_clock_goes_on_until_nobody_listens(c):
    async with aclosing(c.stream("clock.ticks", {"every": 0.001}, type=datetime)) as ticks:
        first, second = await anext(ticks), await anext(ticks)

    assert first < second


async def test_a_clock_does_not_tick_without_a_pause(c):
    with pytest.raises(Error, match="bad_payload"):
        await anext(c.stream("clock.ticks", {"every": 0}))
