"""The clock that ends what is due."""

import asyncio

import pytest
from msgspec import Struct

from plugsock.gateway.deadlines import Deadlines
from plugsock.gateway.ticker import Ticker


class Item(Struct, eq=False):
    sequence: int
    started: float = 0.0


def test_it_rests_while_nothing_has_a_deadline():
    ticker = Ticker(Deadlines(), lambda _: None)
    ticker.tick()
    assert not ticker.is_ticking


async def test_one_that_fails_to_end_keeps_no_other_from_its_end():
    deadlines: Deadlines[Item] = Deadlines()
    lane = deadlines.lane(1.0)
    lane.open = {1: Item(1), 2: Item(2)}
    ended = asyncio.Event()

    def end(item: Item) -> None:
        del lane.open[item.sequence]
        if item.sequence == 1:
            raise ValueError
        ended.set()

    ticker = Ticker(deadlines, end)
    with pytest.raises(ValueError):
        ticker.tick()
    assert ticker.is_ticking
    await ended.wait()
    assert not ticker.is_ticking
