"""What a worker leaves behind: who is to blame for its end, and what becomes of its calls.

It is judged when the process has ended, for only then is nothing changed any more.
"""

import signal
from collections.abc import Collection

from plugsock.ops.log import get_logger
from plugsock.pool import blame
from plugsock.pool.member import Member
from plugsock.pool.pool import Pool
from plugsock.pool.program import KILL
from plugsock.pool.quarantine import Plug
from plugsock.rpc import page as pages

log = get_logger()


class Burial:
    """Buries the workers of a pool."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def bury(self, member: Member, status: int | None, *, is_expected: bool) -> None:
        """Say who is to blame, and then what becomes of its calls: none is run again that must not be.

        Args:
            member: Its process has ended.
            status: How, see `blame.blamed`.
            is_expected: It was to end.
        """
        culprits: Collection[int] = set(member.open)  # as long as nobody knows better
        try:
            blamed, group = self._blame(member, status)
            culprits = blamed.keys()
            if not is_expected:
                self._mourn(member, status, set(blamed.values()), imported=group != 0)
            self._judge(member, status, set(blamed.values()), group)
        except Exception:  # whatever goes wrong there, its calls are answered
            log.exception("what has ended a worker can't be dealt with", worker=member.number)
        finally:
            self._pool.remove(member, culprits)

    def _judge(self, member: Member, status: int | None, plugs: set[Plug], group: int) -> None:
        """Draw the consequences for the plugs that are to blame, and for the group."""
        is_from_outside = status == -KILL and member.killed_for is None and not member.is_sentenced
        member.is_explained = bool(plugs) or is_from_outside
        if group:
            self._pool.swaps.refuse(f"{group:016x}")
        self._pool.accuse(plugs)

    def _blame(self, member: Member, status: int | None) -> tuple[dict[int, Plug], int]:
        """The calls that are to blame, and the group whose import is; nothing where the end was wanted."""
        if member.is_wanted:
            return {}, 0
        calls = {serial: (one.entry.event, one.call.revision) for serial, one in member.open.items()}
        plugs = blame.blamed(member.page, calls, status, killed_for=member.killed_for)
        ran = pages.running(member.page)
        culprits = {serial: plug for serial, plug in calls.items() if plug in plugs and serial in ran}
        group = blame.staging_blamed(member.page, status, killed=member.killed_for == blame.STALL)
        return culprits, group

    def _mourn(self, member: Member, status: int | None, plugs: set[Plug], *, imported: bool) -> None:
        """Say that a worker has ended that was needed."""
        events = ", ".join(sorted(event for event, _ in plugs))
        more = {"ran": events, "while": "importing" if imported else "", "reason": member.reason}
        how = {name: text for name, text in more.items() if text}
        log.error("a worker has ended", worker=member.number, pid=member.pid, status=_ending(status), **how)


def _ending(status: int | None) -> str:
    """How a process has ended, for people."""
    if status is None:
        return "unknown"
    if status >= 0:
        return f"exit {status}"
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"
