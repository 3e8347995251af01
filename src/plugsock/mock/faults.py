"""What `--fault` says: how the way to made-up answers fails, as that to real ones does."""

import re
from typing import Final

from msgspec import Struct

FORM: Final = "latency=200ms,error=5%,drop=1%, or some of these"

LONGEST_S: Final = 60.0
"""Of a latency: beyond any time-out that a client would have."""

_DURATION: Final = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)(ms|s)")
_SHARE: Final = re.compile(r"(\d{1,3}(?:\.\d{1,6})?)%")


class Faults(Struct, frozen=True):
    """What goes wrong."""

    latency_s: float = 0.0
    """Waited before each answer and item."""
    error: float = 0.0
    """The share of answers and items in whose place there is an error, from 0 to 1."""
    drop: float = 0.0
    """The share of them in whose place the connection is cut, from 0 to 1."""


def parse(text: str) -> Faults:
    """Read `latency=200ms,error=5%,drop=1%`; each may be left out, and nothing at all is no fault.

    Raises:
        ValueError: It says something else; the message says what is expected.
    """
    found: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, value = part.partition("=")
        if name not in ("latency", "error", "drop"):
            raise ValueError(f"expected {FORM}, not {part!r}")
        if name in found:
            raise ValueError(f"{name} is said twice")
        found[name] = _seconds(value) if name == "latency" else _share(name, value)
    return Faults(found.get("latency", 0.0), found.get("error", 0.0), found.get("drop", 0.0))


def _seconds(text: str) -> float:
    said = _DURATION.fullmatch(text)
    seconds = float(said[1]) / (1000 if said[2] == "ms" else 1) if said else LONGEST_S + 1
    if seconds > LONGEST_S:
        raise ValueError(f"latency is a time as 200ms or 1.5s, at most {LONGEST_S:g}s, not {text!r}")
    return seconds


def _share(name: str, text: str) -> float:
    said = _SHARE.fullmatch(text)
    share = float(said[1]) / 100 if said else 2.0
    if share > 1:
        raise ValueError(f"{name} is a share as 5%, at most 100%, not {text!r}")
    return share
