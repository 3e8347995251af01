"""How many cores there are for this process, which can be far fewer than the machine has."""

import math
import os
from pathlib import Path
from typing import Final

QUOTA: Final = Path("/sys/fs/cgroup/cpu.max")
"""What a container may use (cgroup v2): microseconds of CPU, or `max`, and the period that they are for."""


def cores(quota: Path = QUOTA) -> int:
    """The cores that this process may run on, or what its container may use of them if that is less; 1 or more."""
    allowed = _allowed()
    try:
        share, period = quota.read_text(encoding="ascii").split()
        return min(allowed, max(1, math.ceil(int(share) / int(period))))
    except (OSError, ValueError):  # no such file, or `max`
        return allowed


def _allowed() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        return os.cpu_count() or 1
