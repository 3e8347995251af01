"""Is there a connection? What a client knows of it, and whom it tells."""

from collections.abc import Callable
from typing import Literal, TypeAlias

from msgspec import Struct

from plugsock.client.callbacks import Callbacks

State: TypeAlias = Literal["connecting", "open", "waiting", "closed"]
"""Where a client is.

    connecting  a connection is being opened, and has not been welcomed
    open        whatever is said goes out
    waiting     the connection went, or could not be made; the client comes back by itself
    closed      for good: by the program, or because the server says to stay away
"""


class Why(Struct, frozen=True):
    """Why there is no connection."""

    code: int | None
    """The WebSocket's close code; None if it could not be opened."""
    reason: str
    retry_s: float | None = None
    """Seconds until the next try; None if there will be none."""


class States:
    """The state, and who is told when it changes."""

    def __init__(self) -> None:
        self.now: State = "connecting"
        self._callbacks = Callbacks()

    def subscribe(self, callback: Callable[[State, Why | None], object]) -> Callable[[], None]:
        """Tell a function of every change; what is returned ends it."""
        return self._callbacks.add(callback)

    def become(self, state: State, why: Why | None = None) -> None:
        """Be in another state."""
        if state != self.now:
            self.now = state
            self._callbacks.tell(state, why)
