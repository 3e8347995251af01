"""What the folders hold, as far as it is complete: writes are waited for, deletions are given time to be something else.

Many editors save by moving the old file away before the new one is there, and some empty it first.
"""

import math
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

from msgspec import Struct, field

from plugsock.loader.scan import Scan, Scanner
from plugsock.loader.settle import QUIET_S, SET_LEASE
from plugsock.loader.source import Folder, Origin, Source
from plugsock.model import Problem

DELETED_S: Final = 1.0
"""A file that is missing or has become empty for so long has been deleted."""
BURST_S: Final = 0.25 if SET_LEASE is not None else 0.5
"""Complete files wait so long for others of the same save, as when a branch is checked out."""
UNREAD_S: Final = 1.0
"""What could not be read is tried again after so long."""
HELD_S: Final = 2.0
"""A file that is held open for writing for so long gets a problem that says so."""
SHORTEST_WAIT_S: Final = 0.001


class Contents(Struct):
    """What the folders hold."""

    sources: dict[str, Source] = field(default_factory=dict)
    unsettled: set[str] = field(default_factory=set)
    """Modules whose file is being written; `sources` has their last complete content, if any."""
    problems: list[Problem] = field(default_factory=list)
    again_in_s: float = math.inf
    """Something is under way that must be looked at again by then."""


class Disk:
    """Looks at the folders and remembers what they held when they were last complete."""

    def __init__(
        self,
        folders: Sequence[Folder],
        events: Callable[[Source], Collection[str]],
        wall_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._folders = tuple(folders)
        self._scanners = [Scanner(folder, wall_ns) for folder in folders]
        self._events = events
        self._held: list[dict[str, Source]] = [{} for _ in folders]
        self._missing_since: dict[str, float] = {}
        self._unsettled_since: dict[str, float] = {}

    def contents(self, now: float, suspects: Collection[str] = ()) -> Contents:
        """Look at everything. Blocks for up to `BURST_S` while files are being written, and usually for `QUIET_S`.

        Args:
            now: Seconds of a steady clock.
            suspects: Base names of files to read whatever their stat says.
        """
        began = time.monotonic()
        while True:
            scans = [scanner.scan(now + time.monotonic() - began, suspects) for scanner in self._scanners]
            waits = [wait_s for scan in scans for wait_s in scan.waits.values()]
            if not waits or time.monotonic() - began >= BURST_S:
                break
            time.sleep(max(SHORTEST_WAIT_S, min(QUIET_S, max(waits))))
        return self._accept(scans, now + time.monotonic() - began)

    def hold(self, sources: Sequence[Source]) -> Contents:
        """Take these for what the folders held when they were last complete, without looking."""
        self._held = [{s.module: s for s in sources if _is_in(folder, s)} for folder in self._folders]
        for scanner, held in zip(self._scanners, self._held, strict=True):
            scanner.hold(held.values())
        self._missing_since.clear()
        self._unsettled_since.clear()
        return Contents(sources={name: source for held in self._held for name, source in held.items()})

    def _accept(self, scans: list[Scan], now: float) -> Contents:
        contents = Contents()
        claimed = self._newly_claimed(scans)
        for n, scan in enumerate(scans):
            self._held[n] = self._folder(self._held[n], scan, claimed, contents, now)
            contents.sources |= self._held[n]
            contents.problems += scan.problems
            if scan.has_unread:
                contents.again_in_s = min(contents.again_in_s, UNREAD_S)
        self._missing_since = {name: s for name, s in self._missing_since.items() if name in contents.sources}
        self._note_unsettled(contents, now)
        return contents

    def _newly_claimed(self, scans: list[Scan]) -> set[tuple[Origin, str]]:
        """Events that changed files say they define."""
        return {
            (source.origin, event)
            for held, scan in zip(self._held, scans, strict=True)
            for name, source in scan.sources.items()
            if source is not held.get(name)
            for event in source.facts.claims
        }

    def _folder(
        self,
        held: Mapping[str, Source],
        scan: Scan,
        claimed: set[tuple[Origin, str]],
        contents: Contents,
        now: float,
    ) -> dict[str, Source]:
        if scan.is_gone:
            return dict(held)
        contents.unsettled |= scan.waits.keys()
        sources = dict(scan.sources)
        for name, source in held.items():
            if name in scan.waits or (name not in sources and _is_kept(name, scan.kept)):
                sources[name] = source
                self._missing_since.pop(name, None)
            elif not _has_vanished(source, sources):
                self._missing_since.pop(name, None)
            else:
                left_s = self._left_s(source, sources, claimed, now)
                if left_s > 0:
                    sources[name] = source
                    contents.again_in_s = min(contents.again_in_s, left_s)
        return sources

    def _left_s(
        self, source: Source, sources: Mapping[str, Source], claimed: set[tuple[Origin, str]], now: float
    ) -> float:
        """Seconds that a vanished file is given; none if something else has taken its place or its events."""
        events = {(source.origin, event) for event in self._events(source)}
        if (events and claimed.issuperset(events)) or _is_displaced(source, sources):
            return 0
        return self._missing_since.setdefault(source.module, now) + DELETED_S - now

    def _note_unsettled(self, contents: Contents, now: float) -> None:
        self._unsettled_since = {name: self._unsettled_since.get(name, now) for name in contents.unsettled}
        if contents.unsettled:
            contents.again_in_s = min(contents.again_in_s, QUIET_S)
        for name, since in self._unsettled_since.items():
            if now - since >= HELD_S:
                file = contents.sources[name].file if name in contents.sources else name
                message = "it is being written all the time, or held open for writing: it is loaded once that ends"
                contents.problems.append(Problem(file=file, line=0, message=message))


def _is_in(folder: Folder, source: Source) -> bool:
    return source.module == folder.package or source.module.startswith(f"{folder.package}.")


def _is_kept(module: str, kept: Collection[str]) -> bool:
    while module:
        if module in kept:
            return True
        module = module.rpartition(".")[0]
    return False


def _has_vanished(source: Source, sources: Mapping[str, Source]) -> bool:
    """It is missing, or empty where it was not; an empty `__init__.py` is a usual thing."""
    now = sources.get(source.module)
    return now is None or (not now.data and bool(source.data) and not now.is_package)


def _is_displaced(source: Source, sources: Mapping[str, Source]) -> bool:
    """A folder stands where this file was, or a file where its folder was."""
    name = source.module
    if not source.is_package and any(other.startswith(f"{name}.") for other in sources):
        return True
    parent = name.rpartition(".")[0]
    while parent:
        if parent in sources and not sources[parent].is_package:
            return True
        parent = parent.rpartition(".")[0]
    return False
