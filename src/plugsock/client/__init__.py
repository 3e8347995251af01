"""The Python client: calls, streams, views, topics and pushes over one WebSocket.

opening       `connect`: opens a WebSocket, says hello and hands out a socket
socket        what one can say on it: call, stream, view, topic, on, pushes, refresh, ping
conversation  frames out and in: ids, and who waits for what is said of them
exchange      one open id: what the server has answered to it, in order
views         a live view: its newest value, and how far one can rely on it
merge         JSON Merge Patch, by which a view may change
topics        a topic that one is in: its pushes, its members, and how to come back to it
listeners     who hears what the server says unasked
pushes        that for loops
callbacks     that for plain functions
codec         values to payloads and back
"""

from plugsock.client.opening import connect
from plugsock.client.pushes import Push, Pushes
from plugsock.client.socket import ClientSocket
from plugsock.client.topics import Topic
from plugsock.client.views import Status, View

__all__ = ["ClientSocket", "Push", "Pushes", "Status", "Topic", "View", "connect"]
