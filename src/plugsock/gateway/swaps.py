"""Commits what a worker staged, tells the clients, and retires what was replaced after its last call."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from plugsock.gateway.calls import Calls, OpenCall
from plugsock.gateway.routes import Change, Routes
from plugsock.model import Problem
from plugsock.ops.log import get_logger
from plugsock.rpc.frames import Staged
from plugsock.rpc.link import Link

log = get_logger()

EVENTS_SHOWN: Final = 10
"""Of one swap in the log; a checkout may change hundreds."""


class Swaps:
    """The gateway's side of a swap.

    Attributes:
        link: The worker that stages.
        count: How many looks at the folder were answered; the first one is the boot.
        closing: The server drains: nothing is put in force any more.
    """

    link: Link

    def __init__(self, routes: Routes, calls: Calls, tell: Callable[[Change], None]) -> None:
        self.count = 0
        self.closing = False
        self._routes = routes
        self._calls = calls
        self._tell = tell
        self._waiting: dict[int, set[int]] = {}
        """For each stage, the open calls that run on what it replaced."""
        self._asked: deque[asyncio.Future[Change]] = deque()

    async def look(self) -> Change:
        """Have the worker look at the folder now, and say what that changed."""
        answer: asyncio.Future[Change] = asyncio.get_running_loop().create_future()
        self._asked.append(answer)
        self.link.look(force=True)
        return await answer

    def changed(self, paths: Sequence[str]) -> None:
        """Have the worker look where it says that something may have changed."""
        if not self.closing:
            self.link.look(paths)

    def staged(self, staged: Staged) -> None:
        """Put in force all that could be staged; what could not stays as it was."""
        good = [] if self.closing else [group for group in staged.groups if not group.problems]
        change = self._routes.commit(good)
        self.link.commit(staged.stage, [group.id for group in good])
        if not self.closing:
            self._report(change, staged)
        self._routes.problems = list(staged.problems)
        self._retire_after_last_call(staged.stage, change)
        if change.changed and self.count:
            self._tell(change)
        self.count += 1
        if staged.asked and self._asked:
            answer = self._asked.popleft()
            if not answer.done():
                answer.set_result(change)

    def _report(self, change: Change, staged: Staged) -> None:
        traces: dict[Problem, str] = {}
        for group in staged.groups:
            traces.update(zip(group.problems, group.traces, strict=False))
        for problem in sorted(set(staged.problems) - set(self._routes.problems)):
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
