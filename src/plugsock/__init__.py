"""plugsock: a WebSocket server that runs plugs, Python functions dropped into a folder.

Everything that a plug author needs is here; no server code is imported by it.
"""

from plugsock.errors import CallEnded, Error, PlugsockError
from plugsock.loader.declare import on_load, on_unload, plug
from plugsock.model import Raw, Server, Socket, User

__all__ = [
    "CallEnded",
    "Error",
    "PlugsockError",
    "Raw",
    "Server",
    "Socket",
    "User",
    "on_load",
    "on_unload",
    "plug",
]

__version__ = "0.1.0"
