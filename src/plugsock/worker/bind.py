"""Why a payload does not fit: what msgspec found, as a fault that the caller can act on."""

import re
from typing import Final

import msgspec

from plugsock.model import Fault

REFUSALS: Final = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)
"""What decoding raises if the payload is to blame; anything else comes from the plug's own types."""

LONGEST_MESSAGE: Final = 300
"""Characters of what is repeated to the caller; a key may be as long as a message."""

_PATH: Final = re.compile(r" - at `(\$[^`]*)`$")


def bad_payload(error: Exception) -> Fault:
    """Say where a payload does not fit and what was expected there.

    Args:
        error: One of `REFUSALS`.
    """
    if isinstance(error, RecursionError):
        return Fault("bad_payload", "The payload is nested too deeply.", path="$")
    if isinstance(error, UnicodeDecodeError):
        return Fault("bad_payload", "A string in the payload is not UTF-8.", path="$")
    text = str(error)
    path = "$"
    if (found := _PATH.search(text)) is not None:
        path, text = found[1], text[: found.start()]
    return Fault("bad_payload", f"{_cut(text)}.", path=_cut(path))


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_MESSAGE else f"{text[: LONGEST_MESSAGE - 3]}..."
