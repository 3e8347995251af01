"""One view with one set of arguments, kept current for all who watch it.

    idle ── woken ──▶ running ── answered ──▶ idle
                       │  ▲
                       └──┘ woken meanwhile: once more, when it has ended

Runs never overlap, so a value is never overtaken by an earlier one. What has been read is known when a run ends: if any
of it has changed since the run began, there is another one.
"""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

import msgspec

from plugsock.gateway.calls import Calls
from plugsock.gateway.deputy import Deputy
from plugsock.gateway.routes import Route
from plugsock.gateway.seen import News, Trouble, Value
from plugsock.hub.changes import Changes
from plugsock.model import FORMATS, MSGPACK, Fault, Requires, Watching
from plugsock.rpc import views
from plugsock.wire.answer import fault
from plugsock.wire.header import parse_server

FIRST_RETRY_S: Final = 1.0
LONGEST_RETRY_S: Final = 30.0
"""A run that failed for a reason that passes is tried again after so long, then twice as long, and so on up to this."""

SWAPPING: Final = frozenset({"gone", "cancelled", "not_found"})
"""What a run ends with that meets a swap: the view is asked for anew by whoever hears of that."""

FINAL: Final = frozenset({"bad_payload", "unauthorized"})
"""What no later run would change."""


class Watcher(Protocol):
    """One who watches."""

    @property
    def socket(self) -> str:
        """The id of its socket."""

    @property
    def is_here(self) -> bool:
        """Has it a socket now?"""

    @property
    def wants_msgpack(self) -> bool:
        """Does it want values as MessagePack?"""

    @property
    def base(self) -> Value | None:
        """The value that it can be told the difference to, if it wants that."""

    def tell(self, news: News) -> None:
        """This is how things are now."""

    def end(self, reason: Fault) -> None:
        """There is nothing to be seen any more, and never will be."""


class Live:
    """What keeps it current.

    Args:
        calls: Run it.
        changes: Say what has changed.
        route: The view.
        arguments: As one of the watchers sent them.
        format: Of the arguments.
        needs: What all who watch it must be allowed to, and so whoever gets what a run sends to its socket.
        is_mocked: Its values are made up, and change by themselves.

    Attributes:
        watchers: All who watch it.
        news: What they are told; None before the first run has ended.
        is_running: There will be others soon.
        over: Hears when nobody watches any more.
    """

    def __init__(
        self,
        calls: Calls,
        changes: "Changes[Live]",
        route: Route,
        arguments: bytes,
        format: int,
        needs: Requires,
        *,
        is_mocked: bool,
    ) -> None:
        self._is_mocked = is_mocked
        self._mocked_changes = 0
        """How often the made-up value has changed."""
        self._again_s = 0.0
        self.watchers: dict[Watcher, None] = {}
        self.news: News | None = None
        self.over: Callable[[], object] = lambda: None
        self._calls = calls
        self._changes = changes
        self._route = route
        self._arguments = arguments
        self._format = format
        self._needs = needs
        self._deputy = Deputy(self._heard)
        rule = route.announcement.view or Watching()
        self._rule = Watching(rule.audience) if is_mocked else rule  # of what is made up nothing else is known
        self.is_running = False
        self._is_asking = False
        """The link is being told of a run; it may answer before it has returned."""
        self._is_dirty = True
        """The news are not those of a run that began after the last time that it was woken."""
        self._has_msgpack = True
        """The latest run was asked for MessagePack, too; before the first one nothing is amiss."""
        self._begun = 0
        self._started_at = 0.0
        self._base: Value | None = None
        self._retry_s = FIRST_RETRY_S
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        changes.follow(self, self._rule.on)

    def enter(self, watcher: Watcher) -> None:
        """Somebody watches: they are told what is known, or what comes of the next run."""
        self.watchers[watcher] = None
        self.refresh(watcher)

    def leave(self, watcher: Watcher) -> None:
        """Somebody watches no more; who is the last ends it."""
        self.watchers.pop(watcher, None)
        if not self.watchers:
            self._stop()
            self.over()

    def refresh(self, watcher: Watcher) -> None:
        """Somebody who watches has a socket again, or room on it."""
        if self._is_dirty or (watcher.wants_msgpack and not self._has_msgpack):
            self.wake()
            if self.is_running:
                return
        if self.news is not None:  # if it may not run yet, what was known before is better than nothing
            watcher.tell(self.news)

    def wake(self) -> None:
        """Something has changed: run again, soon, if anybody is here to see it."""
        self._is_dirty = True
        if self.is_running or not any(watcher.is_here for watcher in self.watchers):
            return
        wait_s = self._started_at + self._rule.throttle_s - self._loop.time() if self._started_at else 0.0
        if wait_s > 0:
            self._wake_in(wait_s)
        else:
            self._run()

    def _run(self) -> None:
        self._cancel_timer()
        self.is_running, self._is_dirty = True, False
        if self._rule.audience != "everybody":  # it runs in somebody's name: whoever was here first may have gone
            self._deputy.id = next(watcher.socket for watcher in self.watchers if watcher.is_here)
        self._started_at = self._loop.time()
        self._begun = self._changes.begin()
        self._base = self._common_base()
        self._has_msgpack = any(watcher.wants_msgpack for watcher in self.watchers)
        asked = views.Asked(
            self._arguments,
            msgpack=self._has_msgpack,
            base=self._base.json if self._base is not None else b"",
            number=self._mocked_changes,
        )
        self._is_asking = True
        payload = views.encode(asked)
        self._calls.run(self._deputy, self._route, payload, self._format, self._needs, is_mocked=self._is_mocked)
        self._is_asking = False

    def _common_base(self) -> Value | None:
        """The value before, if somebody wants to be told the difference to that."""
        value = self.news
        if isinstance(value, Value) and any(watcher.base is value for watcher in self.watchers):
            return value
        return None

    def _heard(self, _binary: bool, frame: bytes) -> None:  # noqa: FBT001 - as `Caller.send`
        """A run has ended."""
        self.is_running = False
        answer = parse_server(frame)
        if answer.verb == b"ok":
            told = views.read_told(answer.payload)
            keys = (*self._rule.on, *told.reads)
            has_missed = self._changes.end(self._begun, keys)
            self._changes.follow(self, keys)
            self._retry_s = FIRST_RETRY_S
            self._again_s = told.again_s
            self._settle(self._news(told), has_missed=has_missed)
            return
        reason = read_fault(answer.payload, self._format)
        has_missed = self._changes.end(self._begun, self._rule.on)
        if reason.code in FINAL and self._is_somebody():
            for watcher in list(self.watchers):
                watcher.end(reason)
        elif reason.code in SWAPPING or not self._is_somebody():
            self._is_dirty = True
            self._wake_in(self._retry_s)  # in case that nobody hears of a swap
        else:
            self._settle(self._trouble(reason), has_missed=has_missed)
            if self.watchers and reason.retry:
                self._is_dirty = True
                self._wake_in((reason.after_ms or 0) / 1000 or self._retry_s)
                self._retry_s = min(2 * self._retry_s, LONGEST_RETRY_S)

    def _is_somebody(self) -> bool:
        """Is the one still here in whose name it has run?"""
        name = self._deputy.id
        return not name or any(watcher.socket == name and watcher.is_here for watcher in self.watchers)

    def _news(self, told: views.Told) -> News:
        if told.fault:
            return self._trouble(msgspec.json.decode(told.fault, type=Fault))
        value = self.news
        if isinstance(value, Value) and value.json == told.json:
            value.msgpack = value.msgpack or told.msgpack
            return value
        if self._base is not None:
            self._base.forget_patches()  # else each would keep all before it
        return Value(told.json, told.msgpack, self._base, told.patch, told.msgpack_patch)

    def _trouble(self, reason: Fault) -> Trouble:
        trouble = Trouble(reason)
        return self.news if isinstance(self.news, Trouble) and self.news.is_same(trouble) else trouble

    def _settle(self, news: News, *, has_missed: bool) -> None:
        """Tell everybody, and go on if there is a reason to."""
        self.news = news
        for watcher in list(self.watchers):
            watcher.tell(news)
        if not self.watchers:
            return
        if has_missed or self._is_dirty:
            self._go_on()
        elif self._is_mocked:
            self._cancel_timer()
            self._timer = self._loop.call_later(self._again_s or FIRST_RETRY_S, self._change)
        elif self._rule.every_s is not None:
            self._wake_in(self._started_at + self._rule.every_s - self._loop.time())

    def _go_on(self) -> None:
        if self._is_asking:  # else a view that wakes itself, and is answered at once, would be a recursion
            self._is_dirty = True
            self._wake_in(0.0)
        else:
            self.wake()

    def _wake_in(self, wait_s: float) -> None:
        self._cancel_timer()
        self._timer = self._loop.call_later(max(0.0, wait_s), self._wake_now)

    def _change(self) -> None:
        """It is time for another made-up value."""
        self._mocked_changes += 1
        self._wake_now()

    def _wake_now(self) -> None:
        self._timer = None
        self.wake()

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _stop(self) -> None:
        self._cancel_timer()
        self._changes.forget(self)
        if self.is_running:
            self.is_running = False
            self._changes.end(self._begun, ())
            for call in list(self._deputy.session.calls.values()):
                self._calls.drop(call)


def read_fault(payload: bytes, format: int) -> Fault:
    """Why a view did not even run."""
    try:
        decode = msgspec.msgpack.decode if format == MSGPACK else msgspec.json.decode
        return decode(payload, type=Fault)
    except ValueError:
        return fault("plug_error", f"The view failed in a way that can't be told as {FORMATS[format]}.")
