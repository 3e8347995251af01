"""How processes for workers are started, and how it is learnt that they have ended."""

import os
import sys
from collections.abc import Sequence
from typing import Protocol

from plugsock.pool.nursery import Nursery
from plugsock.pool.output import Output
from plugsock.pool.program import KILL, Ended
from plugsock.pool.spawn import Spawner


class Starter(Protocol):
    """Starts worker processes; `Nursery` by forking, `Spawner` from nothing.

    Every process ends with this one, whatever ends it. Each that `start` has returned is told of once when it has
    ended, through what was given as `ended`: its pid, and its exit status. The status is negative for a signal, and
    None if whoever could have told has died.
    """

    async def open(self) -> None:
        """Prepare, so that the first `start` is fast.

        Raises:
            OSError: No process could be started.
        """

    async def start(self, address: str, key: str) -> int:
        """Start a process that joins as a worker; its pid.

        If this is cancelled, the process is killed. After an error there may be one whose pid is not known: it must
        not get in with its key.

        Args:
            address: Where it is to connect.
            key: With what right.

        Raises:
            OSError: No process could be started.
        """

    def kill(self, pid: int, number: int = KILL) -> None:
        """Send a signal to a process that was started here; nothing happens if it has ended."""

    async def close(self) -> None:
        """Kill what still runs, and wait for the end of all."""


def starter(ended: Ended, output: Output, command: Sequence[str] | None = None) -> Starter:
    """What starts workers on this system.

    Apple's frameworks start threads of their own and abort in a process that is forked after that; for the same reason
    `multiprocessing` has not forked there since Python 3.8.

    Args:
        ended: Called once for each process, after `start` has returned its pid.
        output: Where what they print goes.
        command: What starts plugsock; by default what has started this process.
    """
    is_safe = hasattr(os, "fork") and sys.platform != "darwin"
    return (Nursery if is_safe else Spawner)(ended, output, command)
