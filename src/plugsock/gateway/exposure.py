"""Would a change take away what keeps strangers out? It is held back until somebody says that it is meant.

A file that is deleted by mistake must not open a server. Where the setting says that everybody has to say who they are,
nobody is let in without an authenticator, and where it says that nobody has to, there is nothing to lose.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from plugsock.gateway.routes import Route
from plugsock.model import AUTHENTICATE, Announcement, Problem
from plugsock.rpc.frames import Group

COMMAND: Final = "if that is meant, say `plugsock swap --allow-open`"
NO_AUTHENTICATOR: Final = f"this takes the last @authenticate away, and is not done: {COMMAND}"
NO_REQUIREMENT: Final = (
    f"this takes away the last that requires something, so everybody could call everything, and is not done: {COMMAND}"
)


def exposing(routes: Mapping[bytes, Route], groups: Sequence[Group], auth: str) -> list[tuple[Group, Problem]]:
    """Which groups must not come into force by themselves, and what to say of each.

    Args:
        routes: What is in force.
        groups: What would be.
        auth: The setting.
    """
    if auth not in {"auto", "optional"}:
        return []
    before = _protecting(route.announcement for route in routes.values())
    touched = {event for group in groups for event in _events(group)}
    after = before.keys() - touched | _protecting(each for group in groups for each in group.events).keys()
    if AUTHENTICATE in before and AUTHENTICATE not in after:
        return _held(routes, groups, {AUTHENTICATE: before[AUTHENTICATE]}, NO_AUTHENTICATOR)
    if auth == "auto" and before and not after:
        return _held(routes, groups, before, NO_REQUIREMENT)
    return []


def protects(announced: Announcement) -> bool:
    """Does this keep anybody out?"""
    return announced.event == AUTHENTICATE or bool(announced.requires)


def _protecting(announcements: Iterable[Announcement]) -> dict[str, Announcement]:
    return {each.event: each for each in announcements if protects(each)}


def _events(group: Group) -> list[str]:
    return sorted({*group.gone, *(each.event for each in group.events)})


def _held(
    routes: Mapping[bytes, Route], groups: Sequence[Group], lost: Mapping[str, Announcement], message: str
) -> list[tuple[Group, Problem]]:
    held = []
    for group in groups:
        events = _events(group)
        first = next((lost[event] for event in events if event in lost), None)
        if first is not None:
            file, _, line = first.place.rpartition(":")
            # A default plug that goes on is no stale one: it does not stand in for one of the user's own.
            stale = [each for each in events if not _is_embedded(routes.get(each.encode()))]
            held.append((group, Problem(file, int(line), message, tuple(stale))))
    return held


def _is_embedded(route: Route | None) -> bool:
    return route is not None and route.announcement.origin == "embedded"
