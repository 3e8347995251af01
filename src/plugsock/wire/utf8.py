"""UTF-8, checked piece by piece and refused at the first byte that can't be right."""

from codecs import utf_8_decode

from plugsock.wire.close import Violation
from plugsock.wire.codes import INVALID_DATA

_STEP = 65_536
"""Bytes decoded at a time: the string made only to be thrown away stays small."""


def check_text(data: bytes) -> None:
    """Check a whole text.

    Raises:
        Violation: It is not valid UTF-8.
    """
    if check_piece(b"", data):
        raise Violation(INVALID_DATA, "text ends inside a character")


def check_piece(begun: bytes, piece: bytes) -> bytes:
    """Check the next piece of a text and return the character that it leaves unfinished (up to 3 bytes).

    Args:
        begun: What the call before returned; empty at first.
        piece: The next bytes.

    Raises:
        Violation: No continuation could make this valid UTF-8.
    """
    if not begun and piece.isascii():
        return b""
    for start in range(0, len(piece), _STEP):
        begun = _check_step(begun + piece[start : start + _STEP])
    return begun


def _check_step(data: bytes) -> bytes:
    try:
        _, used = utf_8_decode(data, "strict", False)
    except UnicodeDecodeError:
        raise Violation(INVALID_DATA, "text is not UTF-8") from None
    rest = data[used:]
    # CPython waits for the third byte of a surrogate (ED A0..BF), for the sake of its error handler `surrogatepass`.
    if len(rest) == 2 and rest[0] == 0xED and rest[1] >= 0xA0:
        raise Violation(INVALID_DATA, "text is not UTF-8")
    return rest
