"""Keeps the C library from giving memory back to the system all the time."""

import ctypes
import sys
from typing import Final

M_TRIM_THRESHOLD: Final = -1
M_MMAP_THRESHOLD: Final = -3
"""Of glibc's `mallopt`, see malloc.h."""

KEPT: Final = 64 * 1024 * 1024
"""Freed bytes that stay with the process."""

OWN_PAGES: Final = 32 * 1024 * 1024
"""What is larger is taken from the system, and given back to it, by itself: the most that glibc allows."""


def keep_what_is_freed() -> bool:
    """Keep freed memory at hand, where the C library is glibc; False elsewhere.

    By default it trims its heap whenever 128 KiB are free at the end, so that each message of a mebibyte costs a few
    system calls and hundreds of page faults: half of the gateway's time for a call with such a payload.
    """
    if sys.platform != "linux":
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except AttributeError:  # another C library
        return False
    return bool(mallopt(M_TRIM_THRESHOLD, KEPT) and mallopt(M_MMAP_THRESHOLD, OWN_PAGES))
