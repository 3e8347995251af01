"""How long from starting a server to its first answer: from a clone, as one file, and as a folder?"""

import asyncio
import contextlib
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from caller import calling
from machine import BenchmarkError, free_port
from report import Report, Row, Target
from websockets.exceptions import WebSocketException

ROOT: Final = Path(__file__).parents[1]
EVENT: Final = "echo"
POLL_S: Final = 0.002
PATIENCE_S: Final = 30.0

CLONE: Final = "from a clone"
FORMS: Final = {
    CLONE: (sys.executable, "-m", "plugsock"),
    "one file": (str(ROOT / "dist/plugsock"),),
    "folder": (str(ROOT / "dist/plugsock-onedir/plugsock"),),
}
LIMITS: Final = {"one file": 3.0, "folder": 1.7}
"""How many times as long as from a clone each may take: the one file unpacks 26 MB before Python begins."""


def start(rounds: int) -> Report:
    """Start each form once in each round, and time its first answer."""
    for form, (program, *_) in FORMS.items():
        if not Path(program).is_file():
            raise BenchmarkError(f"{form}: there is no {program}; `python3 build.py --onedir` builds it")
    taken: dict[str, list[float]] = {form: [] for form in FORMS}
    for number in range(rounds + 1):
        for form, command in FORMS.items():
            seconds = _first_answer(command)
            if number:  # the first round only brings the files into memory
                taken[form].append(seconds)
    return judge(taken, rounds)


def judge(taken: dict[str, list[float]], rounds: int) -> Report:
    """Return what these seconds of each form mean."""
    report = Report(f"From the start of a server to its first answer, medians of {rounds} interleaved rounds")
    clone = statistics.median(taken[CLONE])
    for form, seconds in taken.items():
        report.rows.append(_row(form, seconds, clone))
        if form in LIMITS:
            times = statistics.median(seconds) / clone
            report.targets.append(Target(f"{form}, times {CLONE}", times, LIMITS[form]))
    return report


def _row(form: str, seconds: Sequence[float], clone: float) -> Row:
    median = statistics.median(seconds)
    return {
        "form": form,
        "median ms": round(median * 1e3, 1),
        "min ms": round(min(seconds) * 1e3, 1),
        "max ms": round(max(seconds) * 1e3, 1),
        "times": round(median / clone, 2),
    }


def _first_answer(command: Sequence[str]) -> float:
    with tempfile.TemporaryDirectory(prefix="plugsock-start-") as directory:
        folder = Path(directory, "plugs")
        folder.mkdir(mode=0o755)
        shutil.copy(ROOT / "plugs" / f"{EVENT}.py", folder)
        port = free_port()
        flags = ("--plugs", str(folder), "--data", str(Path(directory, "data")), "--port", str(port))
        began = time.perf_counter()
        with _started([*command, *flags], Path(directory)) as process:
            return asyncio.run(_answer(port, process)) - began


@contextmanager
def _started(command: Sequence[str], directory: Path) -> Iterator[subprocess.Popen[bytes]]:
    log = directory / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=directory, env=_surroundings(directory), stdout=output, stderr=output)
        try:
            yield process
        except BenchmarkError as error:
            raise BenchmarkError(f"{error}; its log ends with:\n{log.read_text()[-2000:]}") from None
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE_S)


def _surroundings(temporary: Path) -> dict[str, str]:
    """Ours, without what would keep the clone from compiling its modules once and for all in the first round."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return ours | {"TMPDIR": str(temporary)}


async def _answer(port: int, process: subprocess.Popen[bytes]) -> float:
    """Return when the first good answer came; before its plugs are loaded a server listens, and says there are none."""
    until = time.perf_counter() + PATIENCE_S
    while process.poll() is None and time.perf_counter() < until:
        with contextlib.suppress(OSError, WebSocketException):
            async with calling(port) as caller:
                good, _ = await caller.call(EVENT)
                if good:
                    return time.perf_counter()
        await asyncio.sleep(POLL_S)
    raise BenchmarkError(f"{process.args} does not answer")
