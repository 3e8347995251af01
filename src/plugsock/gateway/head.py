"""Reads the head of an HTTP request, strictly: what two readers could understand differently is refused."""

import re
from typing import Final

from msgspec import Struct

from plugsock.gateway.http import Refusal

END: Final = b"\r\n\r\n"
"""Ends a head."""

MAX_LINE: Final = 8_192
"""Bytes of a line; what nginx, Apache and `websockets` take by default."""

MAX_FIELDS: Final = 128
"""Header fields; as in `websockets`, Apache has 100."""

MAX_HEAD: Final = 32_768
"""Bytes of the whole head; what nginx takes by default (four buffers of 8 KiB)."""

# Possessive throughout, so that matching is linear whatever comes. Values: RFC 9110 section 5.5, no control characters.
_HEAD: Final = re.compile(
    rb"([!#$%&'*+.^_`|~0-9A-Za-z-]++) ([!-~]++) HTTP/([0-9]\.[0-9])\r\n"
    rb"((?:[!#$%&'*+.^_`|~0-9A-Za-z-]++:[\t -~\x80-\xff]*+\r\n)*+)\r\n"
)


class Head(Struct, frozen=True):
    """A request's method, target and header fields (all values of a field, by its name in lower case)."""

    method: str
    target: str
    fields: dict[str, list[str]]

    def all(self, name: str) -> list[str]:
        """Give every value of a field, in order."""
        return self.fields.get(name, [])


def read_head(data: bytes) -> Head:
    """Read a whole head, from the request line to the empty line.

    Raises:
        Refusal: It is malformed or too large (400, 414, 431) or not HTTP/1.1 (505).
    """
    check_size(data)
    match = _HEAD.fullmatch(data)
    if match is None:
        raise Refusal(400, "The request is malformed.")
    method, target, version, block = match.groups()
    if version != b"1.1":
        raise Refusal(505, "Only HTTP/1.1 is spoken.")
    lines = block.decode("latin-1").split("\r\n")[:-1]
    if len(lines) > MAX_FIELDS or max(map(len, lines), default=0) > MAX_LINE:
        raise Refusal(431, "The header is too large.")
    fields: dict[str, list[str]] = {}
    for line in lines:
        name, _, value = line.partition(":")
        fields.setdefault(name.lower(), []).append(value.strip(" \t"))
    return Head(method.decode(), target.decode(), fields)


def check_size(data: bytes | bytearray) -> None:
    """Check that what has come of a head is not too large already.

    Raises:
        Refusal: It is (414 for the request line, 431 for the rest).
    """
    if len(data) > MAX_LINE and data.find(b"\r\n", 0, MAX_LINE + 2) < 0:
        raise Refusal(414, "The request line is too long.")
    if len(data) > MAX_HEAD:
        raise Refusal(431, "The header is too large.")
