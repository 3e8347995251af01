"""What the commands about users have in common."""

import shlex
from typing import Final

import click

from plugsock.cli import suggest
from plugsock.model import Reach
from plugsock.ops.output import counted

user: Final = click.argument("user", shell_complete=suggest.users)
permission: Final = click.argument("permission")


def reached(reach: Reach) -> str:
    """What a change has reached, for people."""
    parts = [counted(reach.sockets, "socket"), counted(reach.calls, "call"), counted(reach.streams, "stream")]
    return f"{', '.join(parts[:2])} and {parts[2]}"


def command(*words: str) -> str:
    """A command of plugsock, as one types it."""
    return f"`plugsock {shlex.join(words)}`"
