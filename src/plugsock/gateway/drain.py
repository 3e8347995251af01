"""The graceful end: no new calls, the open ones answered, every client told when to come back."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from plugsock.gateway.gateway import Gateway
from plugsock.gateway.open_call import OpenCall
from plugsock.gateway.peer import Peer
from plugsock.ops.log import get_logger
from plugsock.wire import codes
from plugsock.wire.answer import fault, notice_frame

log = get_logger()

CLOSING: Final = "The server is shutting down."

COME_BACK_MS: Final = 250
"""The first slot: what a restart takes at least."""

SLOT_MS: Final = 0.5
"""Between two clients' slots: 2,000 handshakes a second, half of what one core can do."""


class Drain:
    """Brings a gateway to its end, once the listener takes no more connections."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._over = asyncio.Event()

    async def run(self, limit_s: float) -> None:
        """Answer what is open, but within a limit; then close every socket.

        Streams may have no end, and views have none, so these are not waited for: they end now, and the client opens them
        anew. Hooks are waited for within the same limit: those that run, and those that are to hear that a socket goes.
        """
        gateway = self._gateway
        gateway.verbs.closing = True
        gateway.swaps.closing = True
        gateway.routes.close()
        gateway.calls.watchers.add(self._ended)
        gateway.on_left = gateway.moments.on_idle = self._look
        for slot, peer in enumerate(gateway.peers):
            peer.send(False, notice_frame(b"goodbye", {"retry_ms": round(COME_BACK_MS + slot * SLOT_MS)}))
        self._end(call for call in self._open() if not call.route.is_call)
        gateway.views.close(fault("cancelled", CLOSING))
        for peer in gateway.peers:
            _close_if_idle(peer)
        if not self._is_done():
            log.info("draining, a second signal ends it at once", calls=len(self._open()), limit_s=limit_s)
            with suppress(TimeoutError):
                async with asyncio.timeout(limit_s):
                    await self._over.wait()
        self._end(self._open())

    def hurry(self) -> None:
        """Wait no longer."""
        self._over.set()

    def _open(self) -> list[OpenCall]:
        """The calls whose caller is still here to hear the answer."""
        return [call for call in self._gateway.calls.by_sequence.values() if self._is_awaited(call)]

    def _is_awaited(self, call: OpenCall) -> bool:
        return self._gateway.peers.get(call.caller.id) is not None

    def _end(self, calls: Iterable[OpenCall]) -> None:
        for call in list(calls):
            self._gateway.calls.end(call, fault("cancelled", CLOSING))

    def _ended(self, call: OpenCall) -> None:
        # The answer is sent after this; closing comes behind it.
        peer = self._gateway.peers.get(call.caller.id)
        if peer is not None:
            asyncio.get_running_loop().call_soon(_close_if_idle, peer)
        self._look()

    def _look(self) -> None:
        if self._is_done():
            self._over.set()

    def _is_done(self) -> bool:
        """Is there nobody any more who waits for an answer, and no hook that is to hear of something?"""
        gateway = self._gateway
        if gateway.moments or (gateway.peers and gateway.moments.has_hooks("on_disconnect")):
            return False
        return not any(self._is_awaited(call) for call in gateway.calls.by_sequence.values())


def _close_if_idle(peer: Peer) -> None:
    if not peer.session.calls:
        peer.kick(codes.DRAIN, CLOSING)
