"""What has changed, and who has read it: keys are paths, and a change wakes whoever has read its path or a part of it.

    orders/42 changes ─▶ wakes whoever has read orders/42, orders, orders/*, or orders/42/items

To wake too many costs a run whose value is not sent, since it is the same; to wake too few would leave a screen stale.

What somebody reads is known only when they have done so. So a run takes the number of the latest change with it when it
begins, and when it has ended it is looked up whether what it has read has changed since. Pure.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final, Generic, TypeVar

MOST_KEPT: Final = 10_000
"""Keys that are remembered while anything runs. When there are more, all of them are forgotten, and what runs is taken to
have missed one."""

R = TypeVar("R")


class Changes(Generic[R]):
    """Who has read what, and, while anything runs, what has changed."""

    def __init__(self) -> None:
        self._read: dict[R, frozenset[str]] = {}
        self._at: dict[str, dict[R, None]] = {}
        self._below: dict[str, Counter[R]] = {}
        """By path: who has read how many keys somewhere below it."""
        self._number = 0
        self._running = 0
        self._latest: dict[str, int] = {}
        self._latest_below: dict[str, int] = {}
        """By path: the latest change of it, and of anything below it."""
        self._forgotten = 0
        """Up to this one, changes may have been forgotten."""

    def follow(self, reader: R, keys: Iterable[str]) -> None:
        """This is what somebody has read, instead of what was said before."""
        paths = frozenset(map(_path, keys))
        if paths == self._read.get(reader):
            return
        self.forget(reader)
        if not paths:
            return
        self._read[reader] = paths
        for path in paths:
            self._at.setdefault(path, {})[reader] = None
            for above in _above(path):
                self._below.setdefault(above, Counter())[reader] += 1

    def forget(self, reader: R) -> None:
        """Somebody wants to hear of nothing any more."""
        for path in self._read.pop(reader, ()):
            readers = self._at[path]
            del readers[reader]
            if not readers:
                del self._at[path]
            for above in _above(path):
                self._rise(above, reader)

    def touch(self, keys: Iterable[str]) -> list[R]:
        """These have changed: who has to hear of it, each once."""
        self._number += 1
        paths = dict.fromkeys(map(_path, keys))
        woken: dict[R, None] = {}
        for path in paths:
            if self._running:
                self._note(path)
            woken |= dict.fromkeys(self._below.get(path, ()))
        # Each only once: a thousand keys below one that thousands have read would else be millions of steps.
        for path in dict.fromkeys(chain(paths, *map(_above, paths))):
            woken |= self._at.get(path, {})
        return list(woken)

    def begin(self) -> int:
        """Something that will have read keys begins to run; what it has to `end` with."""
        self._running += 1
        return self._number

    def end(self, begun: int, keys: Iterable[str]) -> bool:
        """A run has ended, and this is what it has read: may any of it have changed since it began?"""
        has_missed = any(self._changed_at(path) > begun for path in map(_path, keys))
        self._running -= 1
        if not self._running:
            self._forget_changes()
        return has_missed

    def _changed_at(self, path: str) -> int:
        """When has a path changed, or anything that it lies in or that lies in it? At the latest then."""
        latest = self._latest
        found = max(self._forgotten, latest.get(path, 0), self._latest_below.get(path, 0))
        return max(found, *(latest.get(above, 0) for above in _above(path)), 0)

    def _note(self, path: str) -> None:
        if len(self._latest) >= MOST_KEPT:
            self._forget_changes()
            self._forgotten = self._number
        self._latest[path] = self._number
        for above in _above(path):
            self._latest_below[above] = self._number

    def _forget_changes(self) -> None:
        self._latest.clear()
        self._latest_below.clear()

    def _rise(self, above: str, reader: R) -> None:
        readers = self._below[above]
        readers[reader] -= 1
        if not readers[reader]:
            del readers[reader]
            if not readers:
                del self._below[above]


def _path(key: str) -> str:
    """All below a path is the path itself: whoever lists `orders` has read each of them, and that there are no more."""
    return key.removesuffix("/*")


def _above(path: str) -> Iterator[str]:
    """What a path lies in: `a`, `a/b` for `a/b/c`."""
    at = path.find("/")
    while at >= 0:
        yield path[:at]
        at = path.find("/", at + 1)
