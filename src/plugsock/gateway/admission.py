"""What a call has to have before it may begin: its caller's permission, and a place in its order."""

from typing import Final

from plugsock.gateway.open_call import Caller, OpenCall
from plugsock.gateway.ordering import Ordering
from plugsock.gateway.permission import permitted
from plugsock.gateway.refusal import Refused
from plugsock.gateway.routes import Route
from plugsock.model import Requires
from plugsock.wire.answer import fault

AGAIN_MS: Final = 1000
"""When to try again a call for whose key too many wait."""


def admit(
    ordering: Ordering[OpenCall], caller: Caller, route: Route, payload: bytes, format: int
) -> tuple[Requires, str]:
    """What a call must be allowed to, and what puts it in order, which is empty if nothing does.

    Raises:
        Refused: It is not allowed to that, or can't be put in order.
    """
    needs = permitted(caller, route, payload, format)
    if route.read_key is None:
        return needs, ""
    key = route.read_key(caller, payload, format)
    if ordering.is_full(route.event, key):
        full = f"Too many calls of {route.event} wait for this key."
        raise Refused(fault("overloaded", full, after_ms=AGAIN_MS))
    return needs, key
