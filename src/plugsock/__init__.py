"""plugsock: a WebSocket server that runs plugs, Python functions dropped into a folder.

Everything that a plug author needs is here; no server code is imported by it.
`connect`, the client, is loaded when it is first asked for.
"""

from typing import TYPE_CHECKING, Any

from plugsock import blocking
from plugsock.errors import CallEnded, Error, PlugsockError
from plugsock.everybody import Server
from plugsock.loader.declare import authenticate, plug, view
from plugsock.loader.moments import on_connect, on_disconnect, on_join, on_leave, on_load, on_unload
from plugsock.loader.requires import any_of
from plugsock.loader.rules import topic
from plugsock.model import Hello, Member, Raw, Reach, Socket, User

if TYPE_CHECKING:
    from plugsock.client import connect

__all__ = [
    "CallEnded",
    "Error",
    "Hello",
    "Member",
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
    "on_connect",
    "on_disconnect",
    "on_join",
    "on_leave",
    "on_load",
    "on_unload",
    "plug",
    "topic",
    "view",
]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name == "connect":
        from plugsock.client import connect  # noqa: PLC0415 - a plug file must not pay for the client

        return connect
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
