"""How a worker's process is started: what it finds in its environment, and what is said to a nursery.

    gateway ─▶ Fork
    nursery ─▶ Forked or Failed, one of them for each Fork
    nursery ─▶ Ended, one for each Forked and after it

These are JSON, one object a line, over a socket that nobody but the two has.
"""

from typing import Final, TypeAlias

import msgspec
from msgspec import Struct

KEY: Final = "PLUGSOCK_WORKER_KEY"
"""Variable: the one-time key with which a started worker joins; it is taken out of the environment before plugs load."""

LIFELINE: Final = "PLUGSOCK_LIFELINE"
"""Variable: `stdin` where a worker's stdin is a pipe whose other end the gateway holds for as long as it lives."""

CONTROL: Final = "PLUGSOCK_CONTROL"
"""Variable: the number of the file descriptor over which a nursery is told what to do."""


class Fork(Struct, tag="fork"):
    """Start a worker."""

    token: int
    """Names the request in its answer."""
    address: str
    key: str


class Forked(Struct, tag="forked"):
    """It runs."""

    token: int
    pid: int


class Failed(Struct, tag="failed"):
    """The system has no room for another process."""

    token: int
    message: str


class Ended(Struct, tag="ended"):
    """It runs no more."""

    pid: int
    status: int
    """Its exit status; negative is the signal that ended it."""


Answer: TypeAlias = Forked | Failed | Ended

_requests: Final = msgspec.json.Decoder(Fork)
_answers: Final[msgspec.json.Decoder[Answer]] = msgspec.json.Decoder(Answer)


def encode(message: Fork | Answer) -> bytes:
    """The message as a line."""
    return msgspec.json.encode(message) + b"\n"


def requests(lines: bytes) -> list[Fork]:
    """What whole lines from the gateway say."""
    return _requests.decode_lines(lines)


def answers(lines: bytes) -> list[Answer]:
    """What whole lines from a nursery say."""
    return _answers.decode_lines(lines)
