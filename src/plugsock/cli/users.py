"""What the commands about users have in common."""

import shlex
from typing import Final

import click
from msgspec import structs

from plugsock.cli import suggest
from plugsock.model import Reach
from plugsock.ops.output import counted

user: Final = click.argument("user", shell_complete=suggest.users)
permission: Final = click.argument("permission")


def reached(reach: Reach) -> str:
    """What a change has reached, for people: `2 sockets, 1 view`, and nothing of which there was none."""
    numbers = structs.asdict(reach).items()
    sockets, *others = (
        counted(number, name.removesuffix("s")) for name, number in numbers if number or name == "sockets"
    )
    return ", ".join([sockets, *others])


def command(*words: str) -> str:
    """A command of plugsock, as one types it."""
    return f"`plugsock {shlex.join(words)}`"
