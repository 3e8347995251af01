"""The client without coming back: for tests of a server, which must not lose a connection unless the test says so."""

from functools import partial

from plugsock.client import connect as connect_and_come_back

connect = partial(connect_and_come_back, reconnect=False)
