"""What each event costs, as plain numbers: counting must not slow what it counts.

They become metrics only when somebody reads them.
"""

from dataclasses import asdict, dataclass


@dataclass(slots=True)
class Row:
    """The counters of one event, across its revisions, for as long as the server runs."""

    answered: int = 0
    """Calls that ended with `ok`."""
    failed: int = 0
    """Calls that ended with `error`."""
    ran_s: float = 0.0
    """Seconds from first step to result, waiting included."""
    bytes_in: int = 0
    """Payload bytes of the calls."""
    bytes_out: int = 0
    """Payload bytes of answers and items."""
    items: int = 0
    """Items of streams."""


class Ledger:
    """One row an event."""

    def __init__(self) -> None:
        self._rows: dict[str, Row] = {}

    def row(self, event: str) -> Row:
        """The row of an event, which its route keeps and counts in."""
        return self._rows.setdefault(event, Row())

    def served(self) -> int:
        """How many calls have ended."""
        return sum(row.answered + row.failed for row in self._rows.values())

    def read(self) -> dict[str, dict[str, float]]:
        """All rows, by event and counter."""
        return {event: asdict(row) for event, row in self._rows.items()}
