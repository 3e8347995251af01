"""May this call be made? Asked here, before a worker sees it, and again whenever its event or its caller has changed."""

from typing import Protocol

from plugsock.gateway.refusal import Refused
from plugsock.gateway.routes import Route
from plugsock.hub.rights import Rights
from plugsock.model import Fault, Requires, User
from plugsock.wire.answer import fault


class Caller(Protocol):
    """Whoever calls, as far as it matters here."""

    user: User | None
    rights: Rights
    bar: Fault | None


def permitted(caller: Caller, route: Route, payload: bytes, format: int) -> Requires:
    """Say what a call needs, if its caller has it.

    Raises:
        Refused: It has not, or what that is can't be read from the payload.
    """
    if caller.bar is not None:
        raise Refused(caller.bar)
    if route.needs is None:
        return ()
    needs = route.needs.of(payload, format)
    if caller.rights.meets(needs):
        return needs
    raise Refused(lacking(caller, route.event, needs))


def lacking(caller: Caller, name: str, needs: Requires) -> Fault:
    """What somebody is told who lacks what an event or a topic needs."""
    if caller.user is None:
        return fault("unauthorized", f"{name} is not for everybody: say who you are, in hello.")
    return fault("forbidden", f"You are not allowed to {in_words(needs)}.")


def no_longer(needs: Requires) -> Fault:
    """What somebody is told who had what a call, a view or a topic needs, and has it no more."""
    return fault("revoked", f"You are no longer allowed to {in_words(needs)}.")


def may_know_of(caller: Caller, requires: Requires) -> bool:
    """May somebody be told that there is an event with these requirements? A field in them can have any value."""
    return not requires or (
        caller.user is not None
        and all(any("{" in each or caller.rights.allows(each) for each in any_of) for any_of in requires)
    )


def in_words(needs: Requires) -> str:
    """What is needed, for people: `orders.read and (a or b)`."""
    parts = [" or ".join(any_of) for any_of in needs]
    return " and ".join(f"({part})" if " or " in part and len(parts) > 1 else part for part in parts)
