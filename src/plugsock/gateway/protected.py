"""Frames that carry what only somebody with a permission may see, for as long as they have not been handed over."""

from typing import Final, Self

from plugsock.hub.rights import Rights
from plugsock.model import Requires
from plugsock.wire.answer import error_frame, fault, fault_payload
from plugsock.wire.header import parse_server

REVOKED: Final = fault("revoked", "You are no longer allowed to see the answer.")


class Protected(bytes):
    """A frame that knows what it takes to see it: a revoke takes it out of every outbox and out of kept answers.

    Attributes:
        needs: What its receiver must be allowed to.
    """

    needs: Requires

    def __new__(cls, frame: bytes, needs: Requires) -> Self:
        """Say of a frame what it takes to see it."""
        made = super().__new__(cls, frame)
        made.needs = needs
        return made


def guarded(frame: bytes, needs: Requires) -> bytes:
    """A frame that only somebody with these permissions may see; for everybody, if that is nothing."""
    return Protected(frame, needs) if needs else frame


def may_see(rights: Rights, frame: bytes) -> bool:
    """May somebody with these rights see a frame?"""
    return not isinstance(frame, Protected) or rights.meets(frame.needs)


def revoked(binary: bool, frame: bytes) -> bytes | None:  # noqa: FBT001 - as frames are sent
    """What takes the place of a frame that may not be seen any more: the one answer of its call, if that was it."""
    parsed = parse_server(frame)
    if parsed.verb in {b"ok", b"error"}:
        return error_frame(parsed.token, fault_payload(REVOKED, binary=binary))
    return None
