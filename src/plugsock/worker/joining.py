"""Connects a worker to its gateway: blocking, since it has nothing else to do yet."""

import os
import re
import socket
from typing import Final

from plugsock.errors import PlugsockError
from plugsock.rpc import join
from plugsock.rpc.batches import HEAD, Violation
from plugsock.rpc.join import Register, Turned, Welcome

ANSWER_S: Final = 10.0
"""A gateway answers at once, unless its machine has much else to do."""

_PORT: Final = re.compile(r"127\.0\.0\.1:(\d{1,5})")


def join_gateway(address: str, key: str, *, version: str) -> tuple[socket.socket, Welcome]:
    """Connect and register.

    Args:
        address: The path of a Unix socket, or `127.0.0.1:PORT`.
        key: What proves that this worker may join; empty where being of the same user does.
        version: Of plugsock.

    Returns:
        The connection, over which batches are spoken from now on, and what the worker is to do.

    Raises:
        PlugsockError: There is no gateway, or it does not want this worker; one sentence.
    """
    try:
        connection = _connected(address)
    except (OSError, OverflowError) as wrong:
        raise PlugsockError(f"no server lets workers in at {address}: {wrong}") from wrong
    try:
        connection.sendall(join.encode(Register(version, join.VERSION, os.getpid(), key)))
        answer = join.decode_welcome(_exactly(connection, join.length(_exactly(connection, HEAD))))
    except (OSError, Violation) as wrong:
        connection.close()
        raise PlugsockError(f"the server at {address} has not let this worker in: {wrong}") from wrong
    if isinstance(answer, Turned):
        connection.close()
        raise PlugsockError(answer.message)
    return connection, answer


def _connected(address: str) -> socket.socket:
    if port := _PORT.fullmatch(address):
        return socket.create_connection(("127.0.0.1", int(port[1])), ANSWER_S)
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(ANSWER_S)
    try:
        connection.connect(address)
    except OSError:
        connection.close()
        raise
    return connection


def _exactly(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        piece = connection.recv(count - len(data))
        if not piece:
            raise ConnectionError("it has hung up; its log says why")
        data += piece
    return data
