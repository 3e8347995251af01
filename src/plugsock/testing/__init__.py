"""Calling plugs without a server: for the tests that authors write for their own plugs.

    async with client("plugs") as c:
        assert await c.call("greet", {"name": "Ada"}) == ["Hello, Ada!"]
        assert c.sent == [Sent("greeted", {"name": "Ada"})]

The plugs are loaded and run by the same code as in a server, in this process and without a network: payloads are
encoded and checked as on the wire, results are checked against their declared types as with `--dev`.
"""

from plugsock.testing.client import Client, client
from plugsock.testing.records import Granted, Joined, Kicked, Published, Revoked, Sent

__all__ = ["Client", "Granted", "Joined", "Kicked", "Published", "Revoked", "Sent", "client"]
