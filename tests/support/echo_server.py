"""The product's own sockets with a plain echo in place of the protocol, for conformance suites from outside.

    python tests/support/echo_server.py PORT [--max-message BYTES] [--compression]

Everything is as shipped except the limit of a message (and of an answer, which here is as large). Port 0 takes a free
one. One line is printed when it listens.
"""

import argparse
import asyncio
import signal
import sys

from plugsock.gateway.access import Access
from plugsock.gateway.handshake import Handshake
from plugsock.gateway.limits import Limits
from plugsock.gateway.listener import Listener
from plugsock.wire import codes

HOST = "127.0.0.1"


class Echo:
    """Sends back what it receives."""

    __slots__ = ("received",)

    def __init__(self, wire):
        self.received = wire.send

    def opened(self):
        pass

    def cleared(self):
        pass

    def congested(self, *, congested):
        pass

    def closed(self, code):
        pass


async def serve(port, max_message, *, compression):
    limits = Limits(max_message=max_message, max_answer=max(max_message, Limits().max_answer))
    access = Access(HOST, secure=False, allow_host=(), allow_origin=())
    handshake = Handshake(access, ready=lambda: True, compression=compression)
    listener = Listener(handshake, limits, Echo)
    await listener.start(HOST, port)
    sys.stdout.write("listening on ws://{}:{}\n".format(*listener.addresses[0]))
    sys.stdout.flush()
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(ended.set))
    loop = asyncio.get_running_loop()
    await ended.wait()
    await listener.close(codes.GOING_AWAY)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("port", type=int)
    parser.add_argument("--max-message", type=int, default=32 * 1024 * 1024, metavar="BYTES")
    parser.add_argument("--compression", action="store_true")
    arguments = parser.parse_args()
    with asyncio.Runner(loop_factory=new_loop()) as runner:
        runner.run(serve(arguments.port, arguments.max_message, compression=arguments.compression))


def new_loop():
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


if __name__ == "__main__":
    main()
