import pytest

from plugsock import Error
from plugsock.testing import Sent


async def test_everybody_hears_what_is_said(c):
    said = await c.call("chat.send", {"text": "hi", "name": "Ada"})

    assert (said["name"], said["text"]) == ("Ada", "hi")
    assert c.sent == [Sent("chat.message", said)]


async def test_the_history_has_what_was_said_last_oldest_first(c):
    for number in range(5):
        await c.call("chat.send", {"text": str(number)})

    history = await c.call("chat.history", {"last": 2})

    assert [(message["name"], message["text"]) for message in history] == [("somebody", "3"), ("somebody", "4")]


async def test_saying_nothing_is_refused(c):
    with pytest.raises(Error, match="bad_payload"):
        await c.call("chat.send", {"text": ""})
