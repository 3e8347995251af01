import pytest

from plugsock.client.pushes import Push, Pushes
from plugsock.errors import Disconnected, PlugsockError


def push(number):
    return Push(None, "chat.message", number)


async def test_pushes_are_read_in_order():
    pushes = Pushes(limit=10)
    pushes.put(push(1))
    pushes.put(push(2))

    assert [(await anext(pushes)).data for _ in range(2)] == [1, 2]


async def test_a_reader_that_is_too_slow_reads_what_waited_and_is_told():
    pushes = Pushes(limit=2)
    for number in range(5):
        pushes.put(push(number))

    assert [(await anext(pushes)).data for _ in range(2)] == [0, 1]
    with pytest.raises(PlugsockError, match="More than 2 pushes"):
        await anext(pushes)


async def test_whoever_asks_after_the_end_is_told_again():
    pushes = Pushes(limit=2)
    pushes.lose(4000, "drain")
    pushes.put(push(1))

    for _ in range(2):
        with pytest.raises(Disconnected, match="close code 4000: drain"):
            await anext(pushes)
