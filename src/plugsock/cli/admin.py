"""Asking a server that runs on this machine, through its admin socket."""

import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click
from msgspec import structs

from plugsock.errors import PlugsockError, SettingsError
from plugsock.ops.datadir import Address, ServerFile, read_server
from plugsock.rpc import admin
from plugsock.settings import Settings

CONNECT_S: Final = 2.0
ANSWER_S: Final = 10.0
SWAP_S: Final = 15.0
"""Longer than the 10 s that a plug's import may take, which a `swap` waits for."""
RELOAD_S: Final = 75.0
"""Longer than the minute that the replacement of all workers may take: each of them lets its calls end."""

ANSWER_LIMIT: Final = 64 * 1024 * 1024
"""Bytes of an answer; ten thousand events are some five million."""


class NoServer(PlugsockError):
    """No server runs with this data directory."""


def find(settings: Settings, flags: Mapping[str, Any]) -> ServerFile:
    """Find the server of a folder.

    Folders side by side share a data directory. Whoever named another data directory, but no folder, has named the
    server.

    Raises:
        NoServer: None runs there.
        PlugsockError: It serves another folder.
        SettingsError: There is no such folder.
    """
    data, plugs, is_named = settings.data, settings.plugs, flags.get("plugs") is not None
    if is_named and not plugs.is_dir():
        raise SettingsError(f"{plugs}: there is no such folder of plugs")
    server = read_server(data)
    if server is None:
        raise NoServer(f"no server runs with the data directory {data}; start one with `plugsock`, or name its --data")
    is_meant = is_named or data == plugs.parent / ".plugsock"
    if is_meant and server.plugs and not is_same(plugs, Path(server.plugs)):
        raise PlugsockError(
            f"the server that runs here serves {server.plugs}, not {plugs}; name its --plugs, or start another one"
            " with a --data of its own"
        )
    return server


def is_same(one: Path, other: Path) -> bool:
    """Do two paths lead to the same folder?"""
    try:
        return one == other or one.samefile(other)
    except OSError:
        return False


def ask(server: ServerFile, request: admin.Asked, *, answer_s: float = ANSWER_S) -> admin.Reply:
    """Send one request to a server and wait for its answer.

    Raises:
        UsageError: It is nothing that can be sent.
        NoServer: It runs no more.
        PlugsockError: It refused, or gave no answer in time.
    """
    asked = _encoded(structs.replace(request, key=server.admin.key))
    try:
        with _connected(server.admin) as connection:
            connection.settimeout(answer_s)
            connection.sendall(asked)
            with connection.makefile("rb") as lines:
                line = lines.readline(ANSWER_LIMIT)
    except TimeoutError as wrong:
        raise PlugsockError(
            f"the server (process {server.pid}) has not answered within {answer_s:g} s: does a plug block it?"
        ) from wrong
    except OSError as wrong:
        raise PlugsockError(f"the connection to the server (process {server.pid}) broke: {wrong.strerror}") from wrong
    return _understood(line, server.pid)


def _connected(address: Address) -> socket.socket:
    try:
        if not address.path:
            return socket.create_connection(("127.0.0.1", address.port), CONNECT_S)
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(CONNECT_S)
        connection.connect(address.path)
    except (ConnectionRefusedError, FileNotFoundError) as wrong:
        raise NoServer("no server runs any more: the one that left its address here has died") from wrong
    return connection


def _encoded(request: admin.Asked) -> bytes:
    try:
        line = admin.encode(request)
    except UnicodeEncodeError:
        raise click.UsageError("an argument is no proper text") from None
    if len(line) > admin.REQUEST_LIMIT:
        raise click.UsageError(f"the arguments are too long: a request has at most {admin.REQUEST_LIMIT} bytes")
    return line


def _understood(line: bytes, pid: int) -> admin.Reply:
    if not line.endswith(b"\n"):
        raise PlugsockError(f"the server (process {pid}) ended before it had answered")
    try:
        reply = admin.decode_reply(line)
    except ValueError as wrong:
        raise PlugsockError(f"the server (process {pid}) speaks another version: {wrong}") from wrong
    if isinstance(reply, admin.Refused):
        raise PlugsockError(f"the server refused: {reply.message}")
    return reply
