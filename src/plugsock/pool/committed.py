"""What is served now: the gateway's side of the plugs folder, from which every new worker is brought up to date.

The files are kept as the bytes that were committed. So a worker that starts while the folder holds something newer,
broken perhaps, serves what all others serve.
"""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from plugsock.model import Announcement, Kind, Requires
from plugsock.pool.sizes import ASYNC_PLACES
from plugsock.rpc import catalogue
from plugsock.rpc.frames import File, Group

ON_LOOP: Final = 0
IN_THREAD: Final = 1
QUICK: Final = 2
"""The kinds of places that a worker has. A call that ends with its first step waits for nothing and holds nothing, so
there is a place for as many of those as a worker does in a moment: with few of them it would have to wait for the
gateway after each handful, and the gateway would write each answer by itself. At 512 calls in flight that doubles what
the gateway takes for one."""

MOMENT_S: Final = 0.005
"""As long as Python lets one thread run before another: so late may a call be, by those before it, without anybody
noticing."""

OVERHEAD_S: Final = 4e-6
"""What a worker takes for a call beside running the plug."""

SLOW_S: Final = 0.1
"""A call that a worker has had for so long was not quick."""

MOST_SLOW: Final = ASYNC_PLACES // 2
"""Other calls of one event that a worker may have on its loop: half of what it has in all, which leaves the rest room."""

MOST_QUICK: Final = 1024
"""Quick calls that a worker may have at once, of all events."""


class Entry(Struct, gc=False):
    """An event of one revision, as far as handing out its calls needs to know."""

    event: str
    revision: str
    crew: str
    """The named set of workers it belongs to; empty for everybody else's."""
    in_thread: bool
    is_stream: bool
    idempotent: bool
    order: str
    """What puts its calls in order, see `Announcement.order`."""
    timeout_s: float
    """How long one of its calls, or one item, may run."""
    place: str
    """`file:line` of its function."""
    requires: Requires = ()
    """What a caller must be allowed to, see `Announcement.requires`."""
    kind: int = ON_LOOP
    """The kind of place that its calls take."""
    window: int = 0
    """If they are quick, how many of them a worker may have."""
    answered: int = 0
    """Since the last look at its pace; and the seconds that those ran."""
    ran_s: float = 0.0
    is_barred: bool = False
    """It is in quarantine: its calls are refused."""

    def slow_down(self) -> None:
        """One of its calls has not ended at once: they take places like others until they are seen to be quick."""
        if self.kind == QUICK:
            self.kind, self.window = ON_LOOP, 0


class Committed:
    """The events in force, and the files that they come from.

    Attributes:
        entries: By event.
        active: Those of which calls have been answered since the last look at their pace.
        version: Grows with each commit: a worker that was brought to it has all of them.
        revision: Names what is in force to people: a short hash over all events and their revisions.
    """

    def __init__(self, timeout_s: float) -> None:
        self.entries: dict[str, Entry] = {}
        self.active: list[Entry] = []
        self.version = 0
        self.revision = catalogue.name(())
        self._files: dict[str, File] = {}
        self._timeout_s = timeout_s

    @property
    def files(self) -> list[File]:
        """All of them, by module."""
        return [self._files[module] for module in sorted(self._files)]

    @property
    def revisions(self) -> dict[str, str]:
        """Event -> revision."""
        return {event: entry.revision for event, entry in self.entries.items()}

    def commit(self, groups: Iterable[Group]) -> list[str]:
        """Put groups in force; the events that are new, on another revision or gone by that."""
        touched: dict[str, None] = {}
        for group in groups:
            self.version += 1
            for module in group.modules:
                self._files.pop(module, None)
            self._files.update({file.module: file for file in group.files})
            for event in group.gone:
                self.entries.pop(event, None)
                touched[event] = None
            for announced in group.events:
                self.entries[announced.event] = self._entry(announced)
                touched[announced.event] = None
        self.revision = catalogue.name(self.revisions.items())
        return list(touched)

    def pace(self) -> None:
        """Find out which events are quick, by how long their latest calls ran."""
        for entry in self.active:
            if not (entry.in_thread or entry.is_stream):
                window = int(MOMENT_S / (entry.ran_s / entry.answered + OVERHEAD_S))
                is_quick = window > MOST_SLOW
                entry.window = min(window, MOST_QUICK // 2) if is_quick else 0
                entry.kind = QUICK if is_quick else ON_LOOP
            entry.answered, entry.ran_s = 0, 0.0
        self.active.clear()

    def _entry(self, announced: Announcement) -> Entry:
        return Entry(
            event=announced.event,
            revision=announced.revision,
            crew=announced.worker,
            in_thread=announced.in_thread,
            is_stream=announced.kind is Kind.STREAM,
            idempotent=announced.idempotent,
            order=announced.order,
            requires=announced.requires,
            timeout_s=announced.timeout or self._timeout_s,
            kind=IN_THREAD if announced.in_thread else ON_LOOP,
            place=announced.place,
        )
