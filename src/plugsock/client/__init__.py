"""The Python client: calls, streams, views, topics and pushes, over one WebSocket after another.

opening       `connect`: connects, hands out a client, and closes it
client        what one can say: call, stream, view, topic, on, pushes, refresh, ping
blocking      the same words for scripts, each of which waits until it is done
session       what outlives a WebSocket: the requests that have no end yet
request       one of them, and what has to be known to say it again
exchange      who waits for its answers
keeper        opens a connection, reads until it ends, and comes back
backoff       how long it waits before that
greeting      what is said first, and who one is
states        whether there is a connection, and who is told
conversation  one WebSocket: frames out, frames in
names         what can be the name of an event or a topic
views         a live view: its newest value, and how far one can rely on it
merge         JSON Merge Patch, by which a view may change
topics        a topic that one is in: its pushes, its members, and how to come back to it
permissions   what one may do
listeners     who hears what the server says unasked
pushes        that for loops
callbacks     that for plain functions
codec         values to payloads and back
"""

from plugsock.client.backoff import Backoff
from plugsock.client.client import Client
from plugsock.client.opening import connect
from plugsock.client.pushes import Push, Pushes
from plugsock.client.states import State, Why
from plugsock.client.topics import Topic
from plugsock.client.views import Status, View
from plugsock.errors import Disconnected

__all__ = ["Backoff", "Client", "Disconnected", "Push", "Pushes", "State", "Status", "Topic", "View", "Why", "connect"]
