"""The standard streams of a worker, whose other ends the gateway holds."""

import contextlib
import io
import os
import sys


def by_lines() -> None:
    """Let what plugs print go out with every line and in one piece.

    Python fills a buffer before it writes to a pipe, or with PYTHONUNBUFFERED writes each argument of `print` alone;
    workers share their pipe, so that their lines would mingle.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(line_buffering=True, write_through=False)


def flush() -> None:
    """Write what is still in buffers; nothing if a plug has closed or replaced the streams."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()


def take_stdin() -> int:
    """Take what stdin is into a file descriptor of its own; whoever reads stdin from now on finds it at its end."""
    taken = os.dup(0)
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, 0)
    os.close(nowhere)
    return taken
