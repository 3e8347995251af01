"""One room in which everybody hears everybody: `chat.send` tells all sockets, as the push `chat.message`."""

from collections import deque
from datetime import UTC, datetime
from typing import Annotated

from msgspec import Meta, Struct

from plugsock import Server, plug

Name = Annotated[str, Meta(min_length=1, max_length=40)]
Text = Annotated[str, Meta(min_length=1, max_length=2000)]
Last = Annotated[int, Meta(ge=1, le=100)]


class Message(Struct, frozen=True):
    """Something that was said."""

    name: str
    text: str
    at: datetime


said: deque[Message] = deque(maxlen=100)  # in memory: gone when this file is saved anew or the server stops


@plug
async def send(server: Server, text: Text, name: Name = "somebody") -> Message:
    """Say something to everybody."""
    message = Message(name, text, datetime.now(UTC))
    said.append(message)
    server.broadcast("chat.message", message)
    return message


@plug
async def history(last: Last = 20) -> list[Message]:
    """Read what was said last, oldest first."""
    return list(said)[-last:]
