"""The Python client: calls, streams and pushes over one WebSocket.

opening     `connect`: opens a WebSocket, says hello and hands out a socket
socket      what one can say on it: call, stream, on, pushes, refresh, ping
exchange    one open id: what the server has answered to it, in order
pushes      what the server sends unasked, for loops and callbacks
codec       values to payloads and back
"""

from plugsock.client.opening import connect
from plugsock.client.pushes import Push, Pushes
from plugsock.client.socket import ClientSocket

__all__ = ["ClientSocket", "Push", "Pushes", "connect"]
