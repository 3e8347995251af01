"""Which revision answers an event: the one table that a swap replaces.

The table is never changed in place. A commit builds the next one and assigns it, so every call sees either the whole
old or the whole new business logic.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from plugsock import digest
from plugsock.gateway.deadlines import Deadlines, Lane
from plugsock.gateway.needs import Needs
from plugsock.gateway.ordering import ReadKey, key_reader
from plugsock.model import Announcement, Kind, Problem, Requires
from plugsock.ops.ledger import Ledger, Row
from plugsock.rpc.frames import Group

MAX_GONE: Final = 10_000
"""Removed events that are remembered as `gone`; older ones become `not_found`."""


class Route(Struct, frozen=True, gc=False):
    """Where the calls of one event go."""

    event: str
    revision: str
    is_plain: bool
    """One result, no key, nothing that it requires and never made up: what else there is takes the longer way."""
    is_call: bool
    """One result, no stream of them."""
    read_key: ReadKey | None
    """Renders what its calls are put in order by; None if they run as they come."""
    needs: Needs | None
    """What its callers must be allowed to; None if that is nothing."""
    lane: Lane  # type: ignore[type-arg]  # of calls, which this file does not know
    row: Row
    """Its counters in the ledger."""
    announcement: Announcement


class Change(Struct, frozen=True):
    """What a commit changed, for those who are told."""

    changed: list[str]
    replaced: frozenset[tuple[str, str]]
    """(event, revision) as they were: the calls that are open on them keep what was replaced alive."""
    breaking: bool
    """Is an event gone, or has its shape changed?"""
    requires: Mapping[str, Requires] = {}
    """What those of them require that do; what is gone did."""


class Routes:
    """The table in force, and what is known of events that are not in it."""

    def __init__(
        self,
        deadlines: Deadlines,  # type: ignore[type-arg]
        ledger: Ledger,
        timeout_s: float,
        is_mocked: Callable[[str], bool],
    ) -> None:
        """Begin with an empty table.

        Args:
            deadlines: Where the time of calls is kept.
            ledger: Where they are counted.
            timeout_s: For events that say nothing else.
            is_mocked: May a call of this event get a made-up answer?
        """
        self._is_mocked = is_mocked
        self._deadlines = deadlines
        self._ledger = ledger
        self._timeout_s = timeout_s
        self._gone: dict[str, None] = {}
        self._in_force: Mapping[bytes, Route] = {}
        self.by_name: Mapping[bytes, Route] = {}
        self.problems: list[Problem] = []
        self.shapes = digest.of_shapes(())

    def announcements(self) -> list[Announcement]:
        """All that is served, by event."""
        return sorted((route.announcement for route in self.by_name.values()), key=lambda a: a.event)

    def in_force(self, event: str) -> Route | None:
        """What runs a call that was accepted before, even if no new ones are routed any more."""
        return self._in_force.get(event.encode())

    def of_kind(self, kind: Kind) -> list[Route]:
        """All of one kind that are in force, even if no new calls are routed any more."""
        return [route for route in self._in_force.values() if route.announcement.kind is kind]

    def is_gone(self, event: str) -> bool:
        """Did a swap remove this event?"""
        return event in self._gone

    def commit(self, groups: Sequence[Group]) -> Change:
        """Put groups in force, all at once."""
        if not groups:
            return Change([], frozenset(), breaking=False)
        table = dict(self.by_name)
        gone = [event for group in groups for event in group.gone]
        arrivals = [announcement for group in groups for announcement in group.events]
        before = {
            event: route.announcement
            for event in (*gone, *(a.event for a in arrivals))
            if (route := table.get(event.encode()))
        }
        for event in gone:
            table.pop(event.encode(), None)
            self._gone[event] = None
        for announcement in arrivals:
            table[announcement.event.encode()] = self._route(announcement)
            self._gone.pop(announcement.event, None)
        while len(self._gone) > MAX_GONE:
            del self._gone[next(iter(self._gone))]
        self.by_name = self._in_force = table  # the commit: from here on every call takes the new revision
        self.shapes = digest.of_shapes((a.event, a.shape) for a in self.announcements() if not a.is_hidden)
        return _change(before, {a.event: a for a in arrivals})

    def close(self) -> None:
        """Route nothing new any more: the server drains."""
        self.by_name = {}

    def _route(self, announcement: Announcement) -> Route:
        is_call = announcement.kind is not Kind.STREAM
        is_special = announcement.order or announcement.requires or announcement.is_hidden
        return Route(
            event=announcement.event,
            revision=announcement.revision,
            is_plain=is_call and not is_special and not self._is_mocked(announcement.event),
            is_call=is_call,
            read_key=key_reader(announcement.order),
            needs=Needs(announcement.requires) if announcement.requires and announcement.topic is None else None,
            lane=self._deadlines.lane(announcement.timeout or self._timeout_s),
            row=self._ledger.row(announcement.event),
            announcement=announcement,
        )


def _change(before: Mapping[str, Announcement], after: Mapping[str, Announcement]) -> Change:
    # What arrives is new code even where its revision stays: a helper that it imports by a computed name has changed.
    shown = {event: a for event, a in {**before, **after}.items() if not a.is_hidden}
    return Change(
        changed=sorted(shown),
        replaced=frozenset((event, old.revision) for event, old in before.items()),
        breaking=any(
            event not in after or after[event].shape != a.shape for event, a in before.items() if event in shown
        ),
        requires={event: a.requires for event, a in shown.items() if a.requires},
    )
