"""What each event costs, as plain numbers in lists: counting must not slow what it counts.

A row belongs to an event for as long as the server runs, across its revisions. Its columns are the constants below;
they become metrics only when somebody reads them.
"""

from typing import Final

ANSWERED: Final = 0
"""Calls that ended with `ok`."""
FAILED: Final = 1
"""Calls that ended with `error`."""
RAN_S: Final = 2
"""Seconds from first step to result, waiting included."""
BYTES_IN: Final = 3
"""Payload bytes of the calls."""
BYTES_OUT: Final = 4
"""Payload bytes of answers and items."""
ITEMS: Final = 5
"""Items of streams."""

COLUMNS: Final = ("answered", "failed", "ran_s", "bytes_in", "bytes_out", "items")


class Ledger:
    """One row of counters an event."""

    def __init__(self) -> None:
        self._rows: dict[str, list[float]] = {}

    def row(self, event: str) -> list[float]:
        """The row of an event, which its route keeps and counts in."""
        return self._rows.setdefault(event, [0] * len(COLUMNS))

    def read(self) -> dict[str, dict[str, float]]:
        """All rows, by event and column name."""
        return {event: dict(zip(COLUMNS, row, strict=True)) for event, row in self._rows.items()}
