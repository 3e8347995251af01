"""When a made-up stream goes on, and when a made-up view changes: like something that happens, and the same each time."""

from collections.abc import Iterator
from typing import Final

from plugsock.mock.seeds import chance

FEWEST: Final = 5
MOST: Final = 20
"""Items of a stream: a page shows that it gets several, and a test that waits for the end is not kept long."""

SHORTEST_S: Final = 0.2
LONGEST_S: Final = 1.0
"""Between two items: slow enough to be seen one by one."""

SOONEST_S: Final = 2.0
LATEST_S: Final = 5.0
"""From one value of a view to the next."""


def pauses(seed: bytes, count: int | None = None) -> Iterator[float]:
    """For each item of a stream the seconds before it; the first comes at once.

    Args:
        seed: Of the stream.
        count: How many items it has, if that is known.
    """
    random = chance(seed, "pace")
    several = random.randint(FEWEST, MOST)
    for number in range(several if count is None else count):
        yield random.uniform(SHORTEST_S, LONGEST_S) if number else 0.0


def changes_after(seed: bytes) -> float:
    """Seconds until a value of a view is replaced."""
    return chance(seed, "pace").uniform(SOONEST_S, LATEST_S)
