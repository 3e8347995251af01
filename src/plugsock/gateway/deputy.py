"""The gateway as a caller: what it wants to know of a plug itself."""

from collections.abc import Callable

from plugsock.gateway.open_call import OpenCall
from plugsock.hub.rights import NOBODY
from plugsock.model import Fault, User
from plugsock.wire.session import Session


class Deputy:
    """A caller without a socket, for one call at a time.

    Args:
        heard: Gets the one answer of each call as a frame, as (binary, frame).
        id: The socket in whose name it calls; empty for none.
    """

    def __init__(self, heard: Callable[[bool, bytes], None], id: str = "") -> None:
        self.id = id
        self.session: Session[OpenCall] = Session()
        self.held = False
        self.introduced = True
        self.user: User | None = None
        self.rights = NOBODY
        self.told = NOBODY.version
        self.bar: Fault | None = None
        self.topics: set[str] = set()
        self.mocked: tuple[str, ...] = ()
        self.send = heard
