"""Is every call answered once and right while the plugs are swapped all the time?

A writer saves a file every 20 ms, one in ten of them broken, helpers among them; one plug is deleted and comes back.
Meanwhile the load generator calls the plugs as fast as they answer and checks every answer.
"""

import asyncio
import random
import tempfile
import threading
import time
from pathlib import Path
from typing import Final

import generator
from caller import calling
from contestants import Server, serving
from generator import Result
from plugfiles import HELPER, broken_source, helper_source, overwrite, plug_source, replace
from report import Report, Target, faults_of

SAVE_EVERY_S: Final = 0.02
LASTING: Final = ("alpha", "beta", "gamma", "delta")
"""Plugs that always exist: no error is ever right for them."""
WITH_HELPER: Final = ("alpha", "beta")
FLEETING: Final = "fleeting"
"""The plug that is deleted and comes back: within `BACK_S` of that it must answer again."""
CYCLE: Final = 200
DELETED_AT: Final = 60
BACK_AT: Final = 180
"""In saves: of every 4 s it is deleted for 2.4 s. A missing file counts as deleted after 1 s."""
BACK_S: Final = 1.0
PAUSE_S: Final = 0.005
SETTLED_S: Final = 5.0
CALLS_A_SECOND: Final = 500_000 / 60
VERSIONS_A_SECOND: Final = 2
"""Far below the 50 saves a second, but enough to know that swaps took place all the time."""


class Writer(threading.Thread):
    """Saves plug files until it is stopped; the same saves in every run."""

    def __init__(self, folder: Path) -> None:
        super().__init__(name="writer")
        self.saves = self.broken = self.helper_edits = self.version = 0
        self.served: dict[str, int] = {}
        """The version of each event's file once everything has settled."""
        self.helper = 0
        self.began_ns = 0
        self.gone_ns: list[list[int]] = []
        """When the fleeting plug was deleted and when it was back, on the monotonic clock."""
        self._folder = folder
        self._random = random.Random(7)
        self._ended = threading.Event()
        self._save_helper()
        for event in (*LASTING, FLEETING):
            self._save(event)

    def run(self) -> None:
        """Save a file every 20 ms."""
        due = time.monotonic()
        self.began_ns = time.monotonic_ns()
        while not self._ended.is_set():
            self._save_something()
            due += SAVE_EVERY_S
            self._ended.wait(max(0.0, due - time.monotonic()))

    def stop(self) -> None:
        """End the thread, and leave every file whole."""
        self._ended.set()
        self.join()
        self.stop_saving()

    def stop_saving(self) -> None:
        """Save every file a last time, whole."""
        for event in (*LASTING, FLEETING):
            self._save(event)
        if self.gone_ns and len(self.gone_ns[-1]) == 1:
            self._note_back()

    def _save_something(self) -> None:
        self.saves += 1
        event = self._random.choice(LASTING)
        if self.saves % CYCLE == DELETED_AT:
            self.gone_ns.append([time.monotonic_ns()])
            self._path(FLEETING).unlink()
        elif self.saves % CYCLE == BACK_AT:
            self._save(FLEETING)
            self._note_back()
        elif self.saves % 10 == 9:
            self._break(event)
        elif self.saves % 10 == 4:
            self._save_helper()
        else:
            self._save(event, in_place=self.saves % 10 == 2)

    def _save(self, event: str, *, in_place: bool = False) -> None:
        self.version += 1
        source = plug_source(event, self.version, uses_helper=event in WITH_HELPER)
        if in_place:
            overwrite(self._path(event), source, PAUSE_S)
        else:
            replace(self._path(event), source)
        self.served[event] = self.version

    def _save_helper(self) -> None:
        self.version += 1
        self.helper_edits += 1
        self.helper = self.version
        replace(self._folder / HELPER, helper_source(self.version))

    def _break(self, event: str) -> None:
        self.version += 1
        self.broken += 1
        replace(self._path(event), broken_source(event, self.version))

    def _note_back(self) -> None:
        self.gone_ns[-1].append(time.monotonic_ns())

    def _path(self, event: str) -> Path:
        return self._folder / f"{event}.py"


def swap(seconds: float, name: str) -> Report:
    """Call plugs while they are swapped, and report every broken promise."""
    with tempfile.TemporaryDirectory(prefix="plugsock-swap-") as directory:
        folder = Path(directory, "plugs")
        folder.mkdir()
        writer = Writer(folder)
        with serving(name, "--plugs", str(folder)) as server:
            before = server.pss_kib()
            writer.start()
            try:
                result = generator.run("swap", server, *_options(seconds), greet=False)
            finally:
                writer.stop()
            grown = server.pss_kib() - before
            stale = asyncio.run(_stale(server, writer))
    report = Report(f"{seconds:g} s of calls while a plug file is saved every {SAVE_EVERY_S * 1e3:g} ms")
    report.rows.append(_row(writer, result, grown))
    report.faults += faults_of("plugsock", [result]) + _misplaced(writer, result) + stale
    report.targets += _targets(result, seconds)
    return report


def _options(seconds: float) -> list[str]:
    events = [word for event in LASTING for word in ("--event", event)]
    load = ["--connections", "32", "--depth", "4", "--warmup", "1", "--seconds", str(seconds)]
    return [*load, *events, "--fleeting", FLEETING]


def _row(writer: Writer, result: Result, grown_kib: int) -> dict[str, str | int | float]:
    return {
        "calls answered": result["answered"],
        "saves": writer.saves,
        "broken": writer.broken,
        "helper edits": writer.helper_edits,
        "deletions": len(writer.gone_ns),
        "versions seen": result["versions"],
        "gone": result["gone"],
        "CPU us": round(result["cpu_us"], 2),
        "p50 us": result["p50_us"],
        "p99 us": result["p99_us"],
        "max us": result["max_us"],
        "grown KiB": grown_kib,
    }


def _targets(result: Result, seconds: float) -> list[Target]:
    return [
        Target("calls answered, each exactly once", result["answered"], seconds * CALLS_A_SECOND, at_least=True),
        Target("versions that answered", result["versions"], seconds * VERSIONS_A_SECOND, at_least=True),
    ]


def _misplaced(writer: Writer, result: Result) -> list[str]:
    """Return a fault for each spell of `gone` while the plug's file was there, and one if it never was gone."""
    spells = [(since, back + int(BACK_S * 1e9)) for since, back in writer.gone_ns]
    faults = [
        f"plugsock: {count} calls of {FLEETING} said that it is gone while its file was there"
        f" ({(first - writer.began_ns) / 1e9:.3f} s to {(last - writer.began_ns) / 1e9:.3f} s; {_nearest(spells, first)})"
        for first, last, count in result["absences"]
        if not any(since <= first and last <= back for since, back in spells)
    ]
    if spells and not result["gone"]:
        faults.append(f"plugsock: {FLEETING} was deleted {len(spells)} times and never gone")
    return faults


def _nearest(spells: list[tuple[int, int]], moment: int) -> str:
    since, back = min(spells, key=lambda spell: min(abs(spell[0] - moment), abs(spell[1] - moment)), default=(0, 0))
    return f"{(moment - since) / 1e9:.3f} s after a deletion, {(moment - back) / 1e9:.3f} s after it had to be back"


async def _stale(server: Server, writer: Writer) -> list[str]:
    """Return a fault for each plug that does not come to serve what was saved last."""
    wanted = {
        event: (version, writer.helper if event in WITH_HELPER else 0) for event, version in writer.served.items()
    }
    until = time.monotonic() + SETTLED_S
    async with calling(server.port) as caller:
        while True:
            answers = {event: (await caller.call(event))[1] for event in wanted}
            late = {event for event, answer in answers.items() if (answer.get("v"), answer.get("h")) != wanted[event]}
            if not late or time.monotonic() > until:
                return [
                    f"plugsock: {event} still answers {answers[event]}, not {wanted[event]}" for event in sorted(late)
                ]
            await asyncio.sleep(0.05)
