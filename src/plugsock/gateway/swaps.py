"""Commits what a worker staged, tells the clients, and retires what was replaced after its last call."""

import asyncio
import math
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from plugsock.gateway.calls import Calls
from plugsock.gateway.exposure import exposing
from plugsock.gateway.open_call import OpenCall
from plugsock.gateway.routes import Change, Routes
from plugsock.model import Problem
from plugsock.ops.log import get_logger
from plugsock.rpc.frames import Group, Staged
from plugsock.rpc.link import Link

log = get_logger()

EVENTS_SHOWN: Final = 10
"""Of one swap in the log; a checkout may change hundreds."""

DELETED_S: Final = 3.0
"""Who says that an open server is meant may have deleted a file just now: workers believe that after a second only."""


class Swaps:
    """The gateway's side of a swap.

    Args:
        routes: The table that it changes.
        calls: Those that are open keep what was replaced.
        tell: Hears what a commit has changed.
        auth: The setting: may a change take away what keeps strangers out?

    Attributes:
        link: The worker that stages.
        count: How many looks at the folder were answered; the first one is the boot.
        closing: The server drains: nothing is put in force any more.
    """

    link: Link

    def __init__(self, routes: Routes, calls: Calls, tell: Callable[[Change], None], auth: str) -> None:
        self.count = 0
        self.closing = False
        self._routes = routes
        self._calls = calls
        self._tell = tell
        self._auth = auth
        self._held: list[Problem] = []
        """What is said of changes that would let everybody in."""
        self._waiting: dict[int, set[int]] = {}
        """For each stage, the open calls that run on what it replaced."""
        self._asked: deque[asyncio.Future[Change]] = deque()
        self._open_until = -math.inf
        """A change may let everybody in until then, on the loop's clock."""

    async def look(self, *, allow_open: bool = False) -> Change:
        """Have the worker look at the folder now, and say what that changed.

        Args:
            allow_open: Put in force what takes away the last that keeps strangers out, too, now and for `DELETED_S`.
        """
        if not allow_open:
            return await self._look()
        self._open_until = math.inf
        try:
            return await self._look()
        finally:
            self._open_until = asyncio.get_running_loop().time() + DELETED_S

    def _look(self) -> asyncio.Future[Change]:
        answer: asyncio.Future[Change] = asyncio.get_running_loop().create_future()
        self._asked.append(answer)
        self.link.look(force=True)
        return answer

    def changed(self, paths: Sequence[str]) -> None:
        """Have the worker look where it says that something may have changed."""
        if not self.closing:
            self.link.look(paths)

    def staged(self, staged: Staged) -> None:
        """Put in force all that could be staged; what could not stays as it was."""
        good = [] if self.closing else [group for group in staged.groups if not group.problems]
        good = self._let_through(good, staged)
        change = self._routes.commit(good)
        self.link.commit(staged.stage, [group.id for group in good])
        problems = sorted({*staged.problems, *self._held})
        if not self.closing:
            self._report(change, staged, problems)
        self._routes.problems = problems
        self._retire_after_last_call(staged.stage, change)
        if change.changed and self.count:
            self._tell(change)
        self.count += 1
        if staged.asked and self._asked:
            answer = self._asked.popleft()
            if not answer.done():
                answer.set_result(change)

    def _let_through(self, good: list[Group], staged: Staged) -> list[Group]:
        """Hold back what would let everybody in, unless that is meant."""
        is_meant = asyncio.get_running_loop().time() < self._open_until
        held = [] if is_meant else exposing(self._routes.by_name, good, self._auth)
        earlier = [] if staged.asked else self._held
        if earlier and not self.closing:
            # A worker does not say that a change was undone which was not put in force; a forced look shows it.
            asyncio.get_running_loop().call_soon(self._look)
        self._held = sorted({*earlier, *(problem for _, problem in held)})
        ids = {group.id for group, _ in held}
        return [group for group in good if group.id not in ids]

    def _report(self, change: Change, staged: Staged, problems: list[Problem]) -> None:
        traces: dict[Problem, str] = {}
        for group in staged.groups:
            traces.update(zip(group.problems, group.traces, strict=False))
        for problem in sorted(set(problems) - set(self._routes.problems)):
            more = {"stale": ", ".join(problem.events), "traceback": traces.get(problem, "")}
            place = f"{problem.file}:{problem.line}"
            log.error(problem.message, place=place, **{name: text for name, text in more.items() if text})
        if self.count:
            self._report_events(change.changed)

    def _report_events(self, events: list[str]) -> None:
        for event in events[:EVENTS_SHOWN]:
            route = self._routes.by_name.get(event.encode())
            if route is not None:
                log.info("swapped", event=event, revision=route.revision)
            else:
                log.info("removed", event=event)
        if len(events) > EVENTS_SHOWN:
            log.info("swapped and removed with them", events=len(events) - EVENTS_SHOWN)

    def _retire_after_last_call(self, stage: int, change: Change) -> None:
        running = {
            sequence
            for sequence, call in (self._calls.by_sequence.items() if change.replaced else ())
            if (call.event, call.revision) in change.replaced
        }
        if running:
            self._waiting[stage] = running
            self._calls.watchers.add(self._ended)
        else:
            self.link.retire(stage)

    def _ended(self, call: OpenCall) -> None:
        for stage, running in list(self._waiting.items()):
            running.discard(call.sequence)
            if not running:
                del self._waiting[stage]
                self.link.retire(stage)
        if not self._waiting:
            self._calls.watchers.discard(self._ended)
