"""Who is to blame for a worker's end: only what its page shows running, and only if it was no accident from outside.

Asked about an end that nobody wanted, or one that the gateway had to bring about; not about a worker that was told to
stop and did.
"""

import signal
from collections.abc import Mapping
from typing import Final

from plugsock.rpc.page import STAGING, THREADS, Page, running

STALL: Final = -1
"""In place of a call: the worker was killed because its event loop stood still."""

_FAULTS: Final = ("SIGSEGV", "SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGTRAP", "SIGSYS")
"""What the kernel sends to a process for what it did itself; `abort()` is one of them."""

FAULTS: Final = frozenset(-signal.Signals[name] for name in _FAULTS if name in signal.Signals.__members__)
"""Their statuses, as far as the system has them."""


def blamed(
    page: Page, open_calls: Mapping[int, tuple[str, str]], status: int | None, *, killed_for: int | None
) -> set[tuple[str, str]]:
    """The plugs that may be why a worker has ended, as (event, revision).

    Args:
        page: The worker's, as it has left it.
        open_calls: (event, revision) of each call that it had, by the sequence that its page knows it by.
        status: How the process ended: its exit code, or a signal as a negative number; None where nobody knows.
        killed_for: The call for which the gateway has killed it, because it went on after its time; `STALL` where the
            event loop stood still; None where the gateway has not killed it, or not for a call.
    """
    calls = _calls(page, killed_for) if killed_for is not None else running(page) if _is_its_own(status) else set()
    return {open_calls[call] for call in calls if call in open_calls}


def staging_blamed(page: Page, status: int | None, *, killed: bool) -> int:
    """The group that may be why: the word for what was being imported (see `page.staging`), or 0.

    Args:
        page: As for `blamed`.
        status: Likewise.
        killed: The gateway has killed it, because it stood still or took too long to import.
    """
    return page[STAGING] if killed or _is_its_own(status) else 0


def _is_its_own(status: int | None) -> bool:
    """Has the process ended by its own doing? A SIGKILL or SIGTERM can come from anybody, and for any reason."""
    return status is not None and (status >= 0 or status in FAULTS)


def _calls(page: Page, killed_for: int) -> set[int]:
    if killed_for != STALL:
        return running(page) & {killed_for}
    in_threads = {*page[THREADS + 1 :: 2]} - {0}
    on_loop = running(page) - in_threads
    # A loop that has nothing to do and stands still can't get at the interpreter: a thread does not let go of it, in a
    # regular expression say. With several threads nobody can tell which.
    return on_loop or (in_threads if len(in_threads) == 1 else set())
