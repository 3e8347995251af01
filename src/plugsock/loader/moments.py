"""The marks for what happens: to a socket, or to a plug file itself.

What such a function returns is ignored. Any number of files may have one, and one function may follow several moments
of sockets.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from plugsock.loader.declare import Options, marking

F = TypeVar("F", bound=Callable[..., Any])


def on_connect(function: F, /) -> F:
    """Run a function when somebody has come.

    Args:
        function: It may take a `Socket`, a `Server` and a `User | None`; with `User` it is run for those alone who
            have said who they are.
    """
    return _marked("on_connect", function)


def on_disconnect(function: F, /) -> F:
    """Run a function when somebody has gone.

    Args:
        function: As in `on_connect`.
    """
    return _marked("on_disconnect", function)


def on_join(function: F, /) -> F:
    """Run a function when a socket has come into a topic.

    Args:
        function: As in `on_connect`, and it may take `topic: str`, too.
    """
    return _marked("on_join", function)


def on_leave(function: F, /) -> F:
    """Run a function when a socket has left a topic, or has gone.

    Args:
        function: As in `on_join`.
    """
    return _marked("on_leave", function)


def on_load(function: F, /) -> F:
    """Run a function without parameters each time its file has been loaded; raising keeps the old revision."""
    return _marked("on_load", function)


def on_unload(function: F, /) -> F:
    """Run a function without parameters after the last call of a revision that was replaced."""
    return _marked("on_unload", function)


def _marked(name: str, function: F) -> F:
    marked: F = marking(Options(marks=(name,)), function)
    return marked
