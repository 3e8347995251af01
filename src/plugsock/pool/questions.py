"""What plugs ask the gateway for and wait for: from any worker to the gateway, and its answer back.

Workers number their questions each for itself, so they go on under numbers of the pool's own.
"""

from itertools import count

from plugsock.pool.member import Member
from plugsock.rpc.frames import Reply, Request
from plugsock.rpc.link import Sink


class Questions:
    """The questions of all workers that have not been answered.

    Args:
        sink: The gateway, which answers by `told`, perhaps before its `ask` returns.
    """

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._numbers = count(1)
        self._open: dict[int, tuple[Member, int]] = {}

    def ask(self, member: Member, number: int, serial: int, request: Request) -> None:
        """A plug of a worker asks; not in the name of a call that was ended, for which nobody waits any more.

        Args:
            member: The worker.
            number: What the worker knows the question by.
            serial: What it knows the call by; 0 for none.
            request: What is asked for.
        """
        sequence = 0
        if serial:
            running = member.open.get(serial)
            if running is None or running.end_by is not None:
                return
            sequence = running.call.sequence
        ours = next(self._numbers)
        self._open[ours] = member, number
        self._sink.ask(ours, sequence, request)

    def told(self, number: int, reply: Reply) -> None:
        """See `rpc.link.Link`."""
        asked = self._open.pop(number, None)
        if asked is not None:
            member, theirs = asked
            member.link.told(theirs, reply)

    def forget(self, member: Member) -> None:
        """A worker has ended: its questions are answered to nobody."""
        for number in [number for number, (asker, _) in self._open.items() if asker is member]:
            del self._open[number]
