import asyncio

import pytest

from plugsock.client.exchange import Exchange
from plugsock.client.request import Request


@pytest.mark.parametrize(
    ("options", "timeout_s", "name"),
    [
        (b"", None, b"orders.feed"),
        (b"credit=4", None, b"orders.feed?credit=4"),
        (b"", 2.5, b"orders.feed?timeout=2.500"),
        (b"credit=4", 2.5, b"orders.feed?timeout=2.500&credit=4"),
        (b"", 0.0, b"orders.feed?timeout=0.001"),
    ],
)
async def test_options_stand_behind_the_name(options, timeout_s, name):
    request = Request(b"call", Exchange("orders.feed"), options=options, timeout_s=timeout_s)

    assert request.name() == name


async def test_who_waits_too_long_is_late_and_has_no_time_left():
    late = asyncio.get_running_loop().create_future()
    request = Request(b"call", Exchange("orders.feed"), timeout_s=0.01)
    request.wait(late.set_result)

    assert await late is request
    assert request.name() == b"orders.feed?timeout=0.001"


async def test_whose_server_keeps_the_time_is_not_late():
    late = []
    request = Request(b"call", Exchange("orders.feed"), timeout_s=0.0)
    request.wait(late.append)
    request.rest()
    passed = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(0.0, passed.set_result, None)
    await passed

    assert late == []
