"""plugsock: a WebSocket server that runs plugs, Python functions dropped into a folder.

Everything that a plug author needs is here; no server code is imported by it.
`connect`, the client, is loaded when it is first asked for.
"""

from typing import TYPE_CHECKING, Any

from plugsock import blocking
from plugsock.errors import CallEnded, Error, PlugsockError
from plugsock.loader.declare import authenticate, on_load, on_unload, plug
from plugsock.loader.requires import any_of
from plugsock.model import Hello, Raw, Reach, Server, Socket, User

if TYPE_CHECKING:
    from plugsock.client import connect

__all__ = [
    "CallEnded",
    "Error",
    "Hello",
    "PlugsockError",
    "Raw",
    "Reach",
    "Server",
    "Socket",
    "User",
    "any_of",
    "authenticate",
    "blocking",
    "connect",
    "on_load",
    "on_unload",
    "plug",
]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name == "connect":
        from plugsock.client import connect  # noqa: PLC0415 - a plug file must not pay for the client

        return connect
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
