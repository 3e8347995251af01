"""What the commands about users have in common."""

import shlex
from typing import Final

import click

from plugsock.cli import suggest
from plugsock.model import Reach

user: Final = click.argument("user", shell_complete=suggest.users)
permission: Final = click.argument("permission")


def counted(number: int, noun: str) -> str:
    """A number of things, for people: `2 sockets`."""
    return f"{number} {noun}{'s' * (number != 1)}"


def reached(reach: Reach) -> str:
    """What a change has reached, for people."""
    parts = [counted(reach.sockets, "socket"), counted(reach.calls, "call"), counted(reach.streams, "stream")]
    return f"{', '.join(parts[:2])} and {parts[2]}"


def command(*words: str) -> str:
    """A command of plugsock, as one types it."""
    return f"`plugsock {shlex.join(words)}`"
