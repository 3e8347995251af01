"""What the operating system says of a process. The one place that knows psutil."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import psutil

T = TypeVar("T")


class Vitals:
    """One process; once it has gone, nothing is known of it.

    Its number may be another's by then, so ask only as long as somebody else does not know that it has ended.

    Args:
        pid: Its number.
    """

    __slots__ = ("_process",)

    def __init__(self, pid: int) -> None:
        try:
            self._process: psutil.Process | None = psutil.Process(pid)
        except psutil.Error:
            self._process = None

    def cpu_s(self) -> float | None:
        """Seconds of CPU that it has used in its life, in all its threads; None if it has gone."""
        times = self._ask(psutil.Process.cpu_times)
        return None if times is None else times.user + times.system

    def memory(self) -> int | None:
        """Bytes that it holds in memory (rss); None if it has gone."""
        memory = self._ask(psutil.Process.memory_info)
        return None if memory is None else memory.rss or None

    def is_stopped(self) -> bool:
        """Has somebody stopped it, so that it can't run? A debugger that holds it has not."""
        return self._ask(psutil.Process.status) == psutil.STATUS_STOPPED

    def is_asleep(self) -> bool:
        """Do all its threads wait for something that is neither the CPU nor a disk? Known on Linux alone."""
        if self._process is None:
            return False
        try:
            threads = list(Path(f"/proc/{self._process.pid}/task").iterdir())
            states = {(thread / "stat").read_text().rpartition(") ")[2][:1] for thread in threads}
        except OSError:  # another system, or a thread that has ended since
            return False
        return states == {"S"}

    def _ask(self, question: Callable[[psutil.Process], T]) -> T | None:
        if self._process is None:
            return None
        try:
            return question(self._process)
        except (psutil.Error, OSError):  # gone, or on some systems a bare error while it goes
            self._process = None
            return None
