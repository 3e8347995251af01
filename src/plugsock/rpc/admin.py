"""What somebody on the same machine may say to a running server, and what it answers.

One JSON object a line, one answer a request: it can be typed by hand (`socat - UNIX-CONNECT:...`).

    {"do":"list"}   →   {"is":"listing","url":"ws://127.0.0.1:8765","pid":4711,"events":[…],"problems":[…]}
    {"do":"swap"}   →   {"is":"swapped","changed":["chat.send"],"gone":[],"problems":[]}
    {"do":"stop"}   →   {"is":"stopping"}

Where the socket can't be kept to one user by the file system, each request carries `key`.
"""

from typing import Final, TypeVar

import msgspec
from msgspec import Struct

from plugsock.model import Announcement, Problem

T = TypeVar("T")

REQUEST_LIMIT: Final = 4096
"""Bytes of a request's line; none needs a tenth of it."""


class Request(Struct, frozen=True, tag_field="do", kw_only=True, omit_defaults=True):
    """What a command asks for."""

    key: str = ""
    """The one-time key of the data directory, where the way in is a port; empty for a Unix socket."""


class List(Request, frozen=True, tag="list"):
    """What is served, and what is wrong?"""


class Swap(Request, frozen=True, tag="swap"):
    """Look at the plugs folder now, and answer when what was found is served."""


class Stop(Request, frozen=True, tag="stop"):
    """Stop as after SIGTERM: let open calls end first."""


class Reply(Struct, frozen=True, tag_field="is", kw_only=True):
    """What the server answers."""


class Listing(Reply, frozen=True, tag="listing"):
    """The committed events in the order of their names, and the folder's problems."""

    url: str
    pid: int
    events: list[Announcement]
    problems: list[Problem]
    """`Problem.events` names the events that serve an older revision because of it."""


class Swapped(Reply, frozen=True, tag="swapped"):
    """What a look at the folder changed."""

    changed: list[str]
    """Events that are new, or on a new revision."""
    gone: list[str]
    problems: list[Problem]


class Stopping(Reply, frozen=True, tag="stopping"):
    """The server drains and ends."""


class Refused(Reply, frozen=True, tag="refused"):
    """The request was not understood, not allowed, or did not work; one sentence."""

    message: str


_requests: Final[msgspec.json.Decoder[List | Swap | Stop]] = msgspec.json.Decoder(List | Swap | Stop)
_replies: Final[msgspec.json.Decoder[Listing | Swapped | Stopping | Refused]] = msgspec.json.Decoder(
    Listing | Swapped | Stopping | Refused
)


def encode(message: Request | Reply) -> bytes:
    """One line, newline included."""
    return msgspec.json.encode(message) + b"\n"


def decode_request(line: bytes) -> List | Swap | Stop:
    """Read a request's line.

    Raises:
        ValueError: It is none; the text may go into `Refused`.
    """
    return _decode(_requests, line)


def decode_reply(line: bytes) -> Listing | Swapped | Stopping | Refused:
    """Read an answer's line.

    Raises:
        ValueError: It is none.
    """
    return _decode(_replies, line)


def _decode(decoder: msgspec.json.Decoder[T], line: bytes) -> T:
    try:
        return decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as wrong:
        raise ValueError(str(wrong)) from wrong
