"""Finds out who somebody is: runs the function marked `@authenticate`, on a worker like any other plug.

It fails closed: whatever goes wrong, nobody is let in.
"""

from collections.abc import Callable
from typing import Final, TypeAlias

import msgspec
from msgspec import Struct

from plugsock.gateway.calls import Calls
from plugsock.gateway.deputy import Deputy
from plugsock.gateway.routes import Route, Routes
from plugsock.hub.grants import check_user
from plugsock.hub.rights import check_pattern
from plugsock.model import AUTHENTICATE, Fault, Hello, User
from plugsock.ops.log import get_logger
from plugsock.wire.answer import fault
from plugsock.wire.header import NO_OPTIONS, parse_server

log = get_logger()

UNAVAILABLE: Final = fault("overloaded", "The server can't find out who you are now.", after_ms=1000)
"""Said whenever it could not be asked, or failed; its reason is in the log."""

_ITS_OWN_FAILURES: Final = frozenset(
    {
        *("plug_error", "timeout", "worker_lost", "overloaded", "quarantined", "gone", "not_found", "cancelled"),
        *("too_large", "bad_payload", "not_implemented"),
    }
)
"""Answers that say nothing about the one who wants in; any other error is the authenticator's own word."""

Verdict: TypeAlias = User | Fault | None
"""Who it is; None for nobody that is known; a fault if they are refused, `UNAVAILABLE` if nobody can tell."""

_user: Final = msgspec.json.Decoder(User | None)
_fault: Final = msgspec.json.Decoder(Fault)


class _Asked(Struct):
    hello: Hello


class Authenticator:
    """Asks the worker who somebody is."""

    def __init__(self, routes: Routes, calls: Calls) -> None:
        self._routes = routes
        self._calls = calls

    def ask(self, hello: Hello, then: Callable[[Verdict], None]) -> None:
        """Ask who somebody is; `then` hears the verdict, once, perhaps at once."""
        route = self._routes.in_force(AUTHENTICATE)
        if route is None or self._is_stand_in(route):
            then(UNAVAILABLE)
            return
        payload = msgspec.json.encode(_Asked(hello))
        deputy = Deputy(lambda _binary, frame: then(_verdict(frame)))
        self._calls.open_with(deputy, False, b"1", route, payload, NO_OPTIONS)

    def _is_stand_in(self, route: Route) -> bool:
        """Would a default plug answer for the user's own, which can't be loaded?"""
        own = any(AUTHENTICATE in problem.events for problem in self._routes.problems)
        return own and route.announcement.origin == "embedded"


def _verdict(frame: bytes) -> Verdict:
    answer = parse_server(frame)
    try:
        if answer.verb == b"ok":
            return _checked(_user.decode(answer.payload))
        refused: Fault = _fault.decode(answer.payload)
    except ValueError as error:  # msgspec's own are such
        log.error("what @authenticate returned is no User", error=str(error))  # noqa: TRY400 - it says it all
        return UNAVAILABLE
    if refused.code in _ITS_OWN_FAILURES:
        log.error("@authenticate failed, so nobody is let in", code=refused.code, ref=refused.ref or "")
        return UNAVAILABLE
    return refused


def _checked(user: User | None) -> User | None:
    """Make sure that somebody's rights can be told.

    Raises:
        ValueError: The id or a permission can't be one.
    """
    if user is not None:
        check_user(user.id)
        for permission in user.permissions:
            check_pattern(permission)
    return user
