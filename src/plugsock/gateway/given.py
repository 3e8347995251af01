"""What a transport was given and may not have handed to the kernel yet: nobody can take that back."""

import asyncio
from collections.abc import Callable, Iterable

from plugsock.gateway.protected import Protected


class Given:
    """What it takes to see what a transport may still hold.

    It holds nothing whenever it lets its protocol write again, or has taken all of a write.
    """

    __slots__ = ("_frames",)

    def __init__(self) -> None:
        self._frames: list[Protected] = []

    def note(self, transport: asyncio.Transport, payloads: Iterable[bytes]) -> None:
        """The transport was given these."""
        if not transport.get_write_buffer_size():
            self._frames.clear()
            return
        self._frames += (Protected(b"", each.needs) for each in payloads if isinstance(each, Protected))

    def clear(self) -> None:
        """The transport holds nothing."""
        self._frames.clear()

    def may_be_seen(self, transport: asyncio.Transport, may_see: Callable[[bytes], bool]) -> bool:
        """May all that the transport still holds be seen?"""
        return not transport.get_write_buffer_size() or all(map(may_see, self._frames))
