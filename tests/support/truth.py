"""What clients behind a bad network were told, and what must not have happened to them.

A token names one thing that was asked for, for the whole run, however often it is sent again. The plugs write down each
run of it in a file, with the process that it ran in; so it is known in the end what has become of it.
"""

from collections import defaultdict, deque
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

UNBEGUN = ("not_received", "not_started")
"""What is said of a call that has not run at all."""

MOST_TOLD = 300
"""Lines of the story that are shown of a history that went wrong."""


@dataclass(slots=True)
class Fate:
    """What was asked for by one token, and what was said of it; `ok` or a code for each time that it was sent."""

    token: int
    event: str
    is_safe: bool
    outcomes: list[str] = field(default_factory=list)


class Truth:
    """The log of a run.

    Attributes:
        wrong: What no server that keeps its promises would have said, a line each.
        pushes: The token of each push, by topic and epoch, and by offset.
        kills: Workers that were killed.
        told: How often what was said, for those who want to know whether a run was worth it.
        story: What was said and done lately, a line each.
    """

    def __init__(self, runs: Path) -> None:
        self.wrong: list[str] = []
        self.fates: dict[int, Fate] = {}
        self.pushes: dict[tuple[str, str], dict[int, int]] = defaultdict(dict)
        self.kills = 0
        self.told: dict[str, int] = defaultdict(int)
        self.story: deque[str] = deque(maxlen=MOST_TOLD)
        self._tokens = count(1)
        self._runs: dict[int, list[str]] = defaultdict(list)
        self._file = runs.open("rb")
        self._settled: dict[int, Fate] = {}

    def close(self) -> None:
        """Read no more."""
        self._file.close()

    def begin(self, event: str, *, is_safe: bool) -> Fate:
        """Something is about to be asked for."""
        token = next(self._tokens)
        self.fates[token] = fate = Fate(token, event, is_safe)
        return fate

    def count(self, what: str) -> None:
        """It was said once more."""
        self.told[what] += 1

    def tell(self, line: str) -> None:
        """Something was said or done."""
        self.story.append(line)

    def pushed(self, topic: str, epoch: str, offset: int, token: int) -> None:
        """Somebody was pushed something, which is the same for everybody."""
        known = self.pushes[topic, epoch].setdefault(offset, token)
        if known != token:
            self.wrong.append(f"{topic} has {known} and {token} at {epoch}.{offset}")

    def published(self, topic: str) -> list[int]:
        """The tokens of all that was pushed on a topic."""
        return [token for (name, _), pushes in self.pushes.items() if name == topic for token in pushes.values()]

    def look(self) -> list[str]:
        """Read what has run meanwhile; whatever must not have happened, a line each."""
        for line in self._file.read().decode().splitlines():
            token, _, process = line.partition(" ")
            self._runs[int(token)].append(process)
        return [*self.wrong, *(fault for fate in self.fates.values() for fault in self._faults_of(fate))]

    def settle(self) -> None:
        """All that was asked for until now has its outcome; the next looks leave it out, and `last_look` does not."""
        self._settled |= self.fates
        self.fates = {}

    def last_look(self) -> list[str]:
        """The same for everything that ever was: what ran after it was said that it had not, say."""
        self.fates, self._settled = self._settled | self.fates, {}
        return self.look()

    def _faults_of(self, fate: Fate):
        runs = self._runs[fate.token]
        name = f"{fate.event} with token {fate.token}, of which was said {fate.outcomes},"
        last = fate.outcomes[-1] if fate.outcomes else ""
        if fate.is_safe:
            if len(set(runs)) < len(runs) or (len(runs) > 1 and not self.kills):
                yield f"{name} ran in {runs}"
        elif len(runs) > 1:
            yield f"{name} ran {len(runs)} times"
        if last == "ok" and not runs:
            yield f"{name} never ran"
        elif last in UNBEGUN and runs:
            yield f"{name} ran all the same"
