"""One room in which everybody hears everybody: `chat.send` tells all sockets, as the push `chat.message`."""

from datetime import UTC, datetime
from typing import Annotated

from msgspec import Meta, Struct

from plugsock import Server, plug

Name = Annotated[str, Meta(min_length=1, max_length=40)]
Text = Annotated[str, Meta(min_length=1, max_length=2000)]


class Message(Struct, frozen=True):
    """Something that was said."""

    name: str
    text: str
    at: datetime


@plug
async def send(server: Server, text: Text, name: Name = "somebody") -> Message:
    """Say something to everybody."""
    message = Message(name, text, datetime.now(UTC))
    server.broadcast("chat.message", message)  # reaches every socket, whichever worker this runs in
    return message
