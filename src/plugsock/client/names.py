"""What can be the name of an event or a topic, before anything is sent."""

import re
from typing import Final

from plugsock.errors import Error
from plugsock.model import TOPIC
from plugsock.wire.header import NAME

POSITION: Final = re.compile(r"[A-Za-z0-9]+\.[0-9]+")


def check_name(event: str) -> None:
    """Raise an `Error` for what can't be the name of an event."""
    if not NAME.fullmatch(event.encode()):
        raise Error("bad_frame", f"{event!r} can't be the name of an event")


def check_topic(name: str, at: str | None) -> None:
    """Raise an `Error` for what can't be the name of a topic, or a position in it."""
    if not TOPIC.fullmatch(name):
        raise Error("bad_frame", f"{name!r} can't be the name of a topic")
    if at is not None and not POSITION.fullmatch(at):
        raise Error("bad_frame", f"{at!r} can't be a position in a topic; it is `Topic.position`, as e3.118")
