"""Plugs that kill workers: one that was seen at it again and again is taken out until its file changes."""

from typing import Final, TypeAlias

Plug: TypeAlias = tuple[str, str]
"""An event and its revision."""

MOST: Final = 1000
"""Plugs that are suspected, and events that are held; the oldest are forgotten, should there ever be more."""


class Quarantine:
    """Counts the workers that each plug has killed.

    Args:
        kills: So many in `within_s` seconds take it out: between the 1 in 5 s after which a supervisor of Erlang gives
            up, and the 5 in 10 s of systemd; but it is a plug that goes here, and all others stay.
        within_s: See there.
    """

    def __init__(self, kills: int = 3, within_s: float = 60.0) -> None:
        self._kills = kills
        self._within_s = within_s
        self._times: dict[Plug, tuple[float, ...]] = {}
        """When each has killed, the last to be blamed at the end."""
        self._held: dict[str, frozenset[str]] = {}

    def killed(self, blamed: set[Plug], now: float) -> set[Plug]:
        """A worker has died, and each of these may be why; those that are taken out by that.

        Of several only those count that were blamed most often before, and none if one of them is out already: the
        others may just have been there. So what runs beside a deadly plug now and then does not go with it.
        """
        self._forget(now)
        if any(self.holds(*plug) for plug in blamed):
            return set()
        most = max((self._count(plug) for plug in blamed), default=0)
        accused = {plug for plug in blamed if self._count(plug) == most}
        for plug in accused:
            self._times[plug] = (*self._times.pop(plug, ()), now)
        caught = {plug for plug in accused if self._count(plug) >= self._kills}
        for plug in caught:
            self._hold(plug)
        return caught

    def holds(self, event: str, revision: str) -> bool:
        """Must this revision of an event not be run?"""
        return event in self._held and revision in self._held[event]

    def free(self, event: str) -> None:
        """A commit has changed or removed the event: what it was is forgotten."""
        self._held.pop(event, None)
        for plug in [plug for plug in self._times if plug[0] == event]:
            del self._times[plug]

    def events(self) -> set[str]:
        """Those of which a revision is out."""
        return set(self._held)

    def _count(self, plug: Plug) -> int:
        return len(self._times.get(plug, ()))

    def _hold(self, plug: Plug) -> None:
        event, revision = plug
        del self._times[plug]
        self._held[event] = self._held.pop(event, frozenset()) | {revision}
        if len(self._held) > MOST:
            del self._held[next(iter(self._held))]

    def _forget(self, now: float) -> None:
        """Drop what is too long ago, and what is too much."""
        since = now - self._within_s
        recent = {plug: tuple(time for time in times if time >= since) for plug, times in self._times.items()}
        kept = [(plug, times) for plug, times in recent.items() if times]
        self._times = dict(kept[-MOST:])
