"""How many workers there are of each set, from what somebody wrote; and how much one takes at once."""

from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

MOST: Final = 256
"""Workers of all sets together. Long before that the one process that feeds them is what is full."""

ASYNC_PLACES: Final = 100
"""Calls that a worker has on its event loop at once: the streams that RFC 9113 advises a server to allow at least."""

AUTO: Final = "auto"


class Size(Struct, frozen=True):
    """How many workers a set has: at least so many, and more while calls have to wait."""

    least: int
    most: int


INLINE: Final = {"": Size(0, 0)}
"""No workers at all: plugs run in the gateway's own process."""


def threads(cores: int) -> int:
    """How many threads a worker runs plain functions in: as many as Python's `ThreadPoolExecutor` takes by itself."""
    return min(32, cores + 4)


def parse(counts: Sequence[str], cores: int) -> dict[str, Size]:
    """Read `4`, `2-8`, `auto`, `reports=2`: the size of each set by its name, `""` for everyone else's.

    Args:
        counts: As the pattern of `settings.WorkerCount` lets them through.
        cores: The machine's; `auto` leaves one of them to the gateway, and gives way where it would be more than `MOST`.

    Raises:
        ValueError: They can't be together; the message is one sentence.
    """
    texts: dict[str, str] = {}
    for text in counts:
        name, _, count = text.rpartition("=")
        if name in texts:
            raise ValueError(f"{name}= is given twice" if name else f"{text} is a second count without a name")
        texts[name] = count
    texts.setdefault("", AUTO)
    said = {name: _size(name, count) for name, count in texts.items() if count != AUTO}
    auto = _auto(cores, MOST - sum(size.most for size in said.values()), len(texts) - len(said))
    sizes = {name: said.get(name, auto) for name in texts}
    _check(sizes)
    return sizes


def _size(name: str, count: str) -> Size:
    least, _, most = count.partition("-")
    size = Size(int(least), int(most or least))
    if size.least > size.most:
        raise ValueError(f"{count} begins with more than it ends with")
    if size.least == 0 and (name or size.most):
        raise ValueError(
            f"{name}={count} is not enough: at least one" if name else f"{count}: a range begins at 1 or more"
        )
    return size


def _auto(cores: int, rest: int, sets: int) -> Size:
    """What each of so many sets gets that shares what the others leave of `MOST`; never nothing."""
    count = max(1, min(cores - 1, rest // max(1, sets)))
    return Size(count, count)


def _check(sizes: dict[str, Size]) -> None:
    if sizes[""].most == 0 and len(sizes) > 1:
        raise ValueError(f"with 0 plugs run inline, so there can't be workers for {_names(sizes)}")
    total = sum(size.most for size in sizes.values())
    if total > MOST:
        raise ValueError(f"{total} workers are more than {MOST}")


def _names(sizes: Iterable[str]) -> str:
    return " and ".join(name for name in sizes if name)
