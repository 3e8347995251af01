import pytest

from plugsock import Error
from plugsock.testing import Sent


async def test_everybody_hears_what_is_said(c):
    said = await c.call("chat.send", {"text": "hi", "name": "Ada"})

    assert (said["name"], said["text"]) == ("Ada", "hi")
    assert c.sent == [Sent("chat.message", said)]


async def test_saying_nothing_is_refused(c):
    with pytest.raises(Error, match="bad_payload"):
        await c.call("chat.send", {"text": ""})
