import pytest

from plugsock.client.exchange import Answer, Exchange
from plugsock.errors import Disconnected, Error


async def test_answers_are_taken_in_the_order_in_which_they_came():
    exchange = Exchange("orders.feed")
    exchange.put(Answer(b"item", b"1", binary=False))
    exchange.put(Answer(b"ok", b"", binary=False))

    assert [(await exchange.take()).verb for _ in range(2)] == [b"item", b"ok"]


async def test_an_error_is_raised():
    exchange = Exchange("orders.place")
    exchange.put(Answer(b"error", b'{"code":"gone","message":"It was removed."}', binary=False))

    with pytest.raises(Error, match="gone: It was removed"):
        await exchange.take()


async def test_what_came_before_the_connection_went_is_still_taken():
    exchange = Exchange("orders.feed")
    exchange.put(Answer(b"item", b"1", binary=False))
    exchange.lose(1006, "")

    assert (await exchange.take()).payload == b"1"
    with pytest.raises(Disconnected, match=r"orders\.feed .* may have run"):
        await exchange.take()
