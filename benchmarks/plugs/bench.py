"""A typed call as a user would write it: about 100 bytes of JSON in, the same out."""

from msgspec import Struct

from plugsock import plug


class Message(Struct):
    """What comes and goes."""

    client: int
    number: int
    text: str


@plug
async def bench(message: Message) -> Message:
    """Answer what was said."""
    return Message(message.client, message.number, message.text)
