"""Writing for people, whether or not somebody is still reading."""

import contextlib
import os
from typing import TextIO


def write_line(stream: TextIO | None, line: str) -> bool:
    """Write one line at once, and say whether it went out.

    A reader that has gone (`plugsock | head -1`, a log collector that died) must not end a server: the stream then
    leads nowhere for good, which also keeps the interpreter from failing on it when it exits. None is what Python has
    for a stream where a program has no terminal at all.
    """
    if stream is None:
        return False
    try:
        stream.write(line + "\n")
        stream.flush()
    except BrokenPipeError:
        to_nowhere(stream)
        return False
    except (OSError, ValueError):  # a full disk, a file that was closed
        return False
    return True


def to_nowhere(stream: TextIO) -> None:
    """Let everything that is still to be written to a stream vanish."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def printable(text: str) -> str:
    r"""Show as `\n`, `\x1b`, `\u202e` or `\udc80` what would break a line, command a terminal or not print."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def counted(number: int, noun: str) -> str:
    """A number of things, for people: `2 sockets`."""
    return f"{number} {noun}{'s' * (number != 1)}"
