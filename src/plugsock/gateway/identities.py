"""Who the peers are, and what they may do right now: given, refreshed, changed at run time, and taken away.

stranger ── hello, the verdict is a user ──▶ known ── its token expires ──▶ expired ── not refreshed in time ──▶ closed
   └─ no hello in time ──▶ closed               └◀──────────── token ────────────┘
"""

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal, Protocol, TypeAlias

from plugsock.gateway.calls import Calls
from plugsock.gateway.clocks import GRACE_S, Clocks
from plugsock.gateway.exposure import protects
from plugsock.gateway.fence import fence
from plugsock.gateway.peer import Peer
from plugsock.gateway.routes import Routes
from plugsock.hub.grants import Grants
from plugsock.hub.rights import NOBODY, Rights
from plugsock.model import Reach, User
from plugsock.ops.log import get_logger
from plugsock.wire import codes
from plugsock.wire.answer import fault, notice_frame

log = get_logger()

Mode: TypeAlias = Literal["required", "optional", "none"]


class Holding(Protocol):
    """What peers have open beside calls: views, or topics."""

    def enforce(self, peer: Peer) -> int:
        """The rights of a peer have changed: end what it may not have any more; how many those were."""


STRANGER: Final = fault("unauthorized", "Say who you are first: hello.")
EXPIRED: Final = fault("token_expired", "Your token has expired: send a new one with `token`.")


class Identities:
    """The peers' users and rights.

    Args:
        auth: What the setting says.
        routes: Say whether there is anything to protect.
        calls: Those that a change of rights ends.
        kept: The file with what was granted and denied at run time.
        nobody: What those may do of whom nobody knows who they are.
        wall: See `Clocks`.
        now: See `Clocks`.

    Attributes:
        mode: Who has to say who they are.
        grants: What was granted and denied at run time.
        clocks: What time does to those who are here.
        views: The views that are watched.
        topics: Who is in which.
        on_admitted: Hears of somebody who had to say who they are, and has not to any more.
    """

    views: Holding
    topics: Holding

    def __init__(
        self,
        auth: str,
        routes: Routes,
        calls: Calls,
        kept: Path,
        *,
        nobody: Rights = NOBODY,
        wall: Callable[[], float] = time.time,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Read what was kept.

        Raises:
            PlugsockError: It can't be read.
        """
        self._auth = auth
        self._routes = routes
        self._calls = calls
        self._nobody = nobody
        self.grants: Grants[Reach] = Grants(kept, self._change)
        self.on_admitted: Callable[[Peer], None] = lambda _: None
        self.clocks: Clocks[Peer] = Clocks(_close_silent, _expire, _close_expired, wall=wall, now=now)
        self._unknown: set[str] | None = None
        """Files that could not be loaded at the start, and still can't: each might have something to protect."""
        self._users: dict[str, set[Peer]] = {}
        self._version = 0
        self.mode: Mode = "required" if auth in {"auto", "required"} else auth  # type: ignore[assignment]

    # What the server serves.

    def settle(self) -> bool:
        """Find out anew whether people have to say who they are; True if they have to from now on and had not before."""
        is_boot = self._unknown is None
        problems = {problem.file for problem in self._routes.problems}
        self._unknown = problems if self._unknown is None else self._unknown & problems
        before, self.mode = self.mode, self._mode()
        if is_boot and self._unknown and self.mode == "required":
            files = ", ".join(sorted(self._unknown))
            log.warning("whoever connects has to say who they are until these are mended (see auth)", files=files)
        if self.mode != "required":
            for stranger in self.clocks.silent():
                self.clocks.said_hello(stranger)
                _admit(stranger)
                self.on_admitted(stranger)
        return self.mode == "required" != before

    def _mode(self) -> Mode:
        if self._auth != "auto":
            return self._auth  # type: ignore[return-value]  # the setting's own words
        has_locks = any(protects(route.announcement) for route in self._routes.by_name.values())
        return "required" if has_locks or self._unknown else "none"

    def asks(self) -> bool:
        """Is anybody asked who they are?"""
        return self.mode != "none"

    # Who comes and goes.

    def arrived(self, peer: Peer) -> None:
        """A socket has opened; nobody knows yet whose it is."""
        peer.rights = self._nobody
        if self.mode == "required":
            self.bar(peer)
            self.clocks.await_hello(peer)

    def bar(self, peer: Peer) -> None:
        """Let somebody neither say nor hear anything before it is known who they are."""
        peer.bar = STRANGER
        peer.is_admitted = False

    def said_hello(self, peer: Peer) -> None:
        """Somebody has said who they are in time; whether that is true may take longer to find out."""
        self.clocks.said_hello(peer)

    def is_over(self, user: User) -> bool:
        """Is it an identity that has ended already?"""
        return user.expires is not None and self.clocks.has_ended(user.expires)

    def know(self, peer: Peer, user: User | None) -> None:
        """It was found out who somebody is, None is nobody that is known; `enforce` has to follow."""
        self.forget(peer)
        _admit(peer)
        peer.user = user
        if user is not None:
            self._users.setdefault(user.id, set()).add(peer)
            if user.expires is not None:
                self.clocks.await_end(peer, user.expires)
        self._weigh(peer)

    def forget(self, peer: Peer) -> None:
        """It is nobody's any more: its socket has gone for good, or it is found out anew whose it is."""
        self.clocks.forget(peer)
        if peer.user is not None and (peers := self._users.get(peer.user.id)) is not None:
            peers.discard(peer)
            if not peers:
                del self._users[peer.user.id]

    # What changes at run time.

    async def grant(self, user: str, permission: str) -> Reach:
        """Let a user have a permission from now on; it outlives the server and its tokens.

        Raises:
            PlugsockError: That is no permission, or it could not be kept.
        """
        return await self.grants.grant(user, permission)

    async def revoke(self, user: str, permission: str, fence_s: float | None = None) -> Reach:
        """Deny a user a permission from now on. When this returns, nothing that needs it is handed over any more.

        Args:
            user: By id.
            permission: It, or a wildcard for several.
            fence_s: Wait so long until each socket of the user has read all that was handed over before, and cut off
                those that have not.

        Raises:
            PlugsockError: That is no permission, or it could not be kept.
        """
        reach = await self.grants.revoke(user, permission)
        if fence_s is not None:
            await fence([peer.wire for peer in self._users.get(user, ()) if peer.wire is not None], fence_s)
        return reach

    def kick(self, user: str, code: int, reason: str) -> int:
        """Close all sockets of a user; how many those were."""
        peers = [peer for peer in self._users.get(user, ()) if peer.request is not None]
        for peer in peers:
            peer.kick(code, reason)
        return len(peers)

    def who(self) -> dict[str, list[Peer]]:
        """Who is here, by user."""
        return {user: sorted(peers, key=lambda peer: peer.id) for user, peers in sorted(self._users.items())}

    def _change(self, user: str) -> Reach:
        """The grants of a user have changed: so have the rights of each of their sockets, in this very step."""
        before = {peer: peer.rights.listing() for peer in self._users.get(user, ())}
        for peer in before:  # all of them first, whatever goes wrong with the rest
            self._weigh(peer)
        ended = Counter(sockets=sum(peer.wire is not None for peer in before))
        for peer, listing in before.items():
            ended += self.enforce(peer)
            if peer.rights.listing() != listing:
                peer.send(False, permissions_notice(peer))
        return Reach(**ended)

    def _weigh(self, peer: Peer) -> None:
        """Say anew what somebody may do."""
        self._version += 1
        user = peer.user
        peer.rights = self._nobody if user is None else self.grants.rights(user.id, user.permissions, self._version)

    def enforce(self, peer: Peer) -> Counter[str]:
        """End what somebody may not do any more, and take back what they may not see; how many of what those were."""
        ended = self._calls.revoke(peer)
        calls = sum(call.route.is_call for call in ended)
        topics = self.topics.enforce(peer)
        if peer.introduced and peer.rights.version != peer.told:
            self._calls.introduce(peer)
        views = self.views.enforce(peer)  # those that go on run again for who has other rights now
        peer.withhold()
        return Counter(calls=calls, streams=len(ended) - calls, views=views, topics=topics)


def permissions_notice(peer: Peer) -> bytes:
    """What is left to somebody, so that their menus can follow."""
    user = None if peer.user is None else peer.user.id
    return notice_frame(b"permissions", {"user": user, "permissions": peer.rights.listing()})


def _admit(peer: Peer) -> None:
    peer.bar = None
    peer.is_admitted = True


def _close_silent(peer: Peer) -> None:
    peer.kick(codes.NO_HELLO, codes.MEANINGS[codes.NO_HELLO])


def _expire(peer: Peer) -> None:
    """Nothing can be called any more; what is open goes on for as long as the grace lasts."""
    peer.bar = EXPIRED
    peer.send(False, notice_frame(b"token", {"expired": True, "grace_ms": round(GRACE_S * 1000)}))


def _close_expired(peer: Peer) -> None:
    peer.kick(codes.UNAUTHORIZED, EXPIRED.message)
