"""The header of a frame: the short ASCII part in front of a payload that nobody here reads.

    client to server   VERB SP ID SP NAME[?OPTIONS] SP PAYLOAD
    server to client   VERB then as many tokens as the verb has, then the payload

docs/protocol.md has the whole table. Plain calls seldom come here: `gateway.peer` splits those itself.
"""

import re
from collections.abc import Callable
from typing import Final

from msgspec import Struct

NAME: Final = re.compile(rb"[A-Za-z0-9_.:/-]{1,128}")
ID: Final = re.compile(rb"[1-9][0-9]{0,15}")
OPTION: Final = re.compile(rb"([a-z]+)(?:=([A-Za-z0-9._~-]*))?")

MAX_HEADER: Final = 512
"""Bytes of a header with its options; a name is at most 128, and a traceparent option takes 64."""

MAX_CREDIT: Final = 1_000_000
"""Items of a stream that one frame may ask for."""

PARTS: Final[dict[bytes, tuple[int, int]]] = {
    # verb: parts in front of the payload, and whether a payload may follow
    b"hello": (3, 1),
    b"token": (3, 1),
    b"call": (3, 1),
    b"watch": (3, 1),
    b"more": (3, 0),
    b"cancel": (2, 0),
    b"join": (3, 0),
    b"leave": (3, 0),
    b"ping": (1, 0),
}
"""What a client may say."""

_FORMS: Final = {
    b"hello": "hello ID plugsock {...}",
    b"token": "token ID plugsock {...}",
    b"call": "call ID EVENT PAYLOAD",
    b"watch": "watch ID VIEW PAYLOAD",
    b"more": "more ID COUNT",
    b"cancel": "cancel ID",
    b"join": "join ID TOPIC",
    b"leave": "leave ID TOPIC",
    b"ping": "ping",
}

SERVER_PARTS: Final[dict[bytes, int]] = {
    b"welcome": 2,
    b"ok": 2,
    b"error": 2,
    b"item": 2,
    b"patch": 2,
    b"fault": 2,
    b"push": 3,
    b"notice": 2,
    b"pong": 1,
}
"""What a server may say: the tokens in front of the payload."""


class BadFrame(Exception):
    """A frame that can't be tied to a call; `id` is what stood where its id belongs, if that could be an id."""

    def __init__(self, message: str, id: bytes | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.id = id


class Options(Struct, frozen=True):
    """What stands behind the `?` of a name; unknown options are ignored."""

    timeout: float | None = None
    key: str = ""
    explain: bool = False
    mock: bool = False
    patch: bool = False
    trace: str = ""
    credit: int | None = None
    at: str = ""


NO_OPTIONS: Final = Options()


class ClientFrame(Struct, frozen=True):
    """A frame from a client; `id` and `name` are empty where the verb has none."""

    verb: bytes
    id: bytes
    name: bytes
    options: Options
    payload: bytes


class ServerFrame(Struct, frozen=True):
    """A frame from the server: `push` has a topic and an event, the others an id or a name as their one token."""

    verb: bytes
    token: bytes
    event: bytes
    payload: bytes


def parse_client(message: bytes) -> ClientFrame:
    """Take a client's frame apart.

    Raises:
        BadFrame: The verb is unknown, a part is missing, too much or malformed, or the header is too long.
    """
    verb, _, _ = message[:16].rstrip(b"\n").partition(b" ")
    if verb not in PARTS:
        raise BadFrame(f"The verb must be one of {', '.join(v.decode() for v in PARTS)}.")
    count, has_payload = PARTS[verb]
    parts = (message if has_payload else message.removesuffix(b"\n")).split(b" ", count)
    payload = parts.pop() if len(parts) > count else b""
    if not payload:
        parts[-1] = parts[-1].removesuffix(b"\n")
    elif not has_payload:
        raise BadFrame(f"Nothing may follow `{_FORMS[verb]}`.", _possible_id(parts))
    if len(parts) < count:
        raise BadFrame(f"`{_FORMS[verb]}` is meant, with one space between two parts.", _possible_id(parts))
    if sum(map(len, parts)) + count > MAX_HEADER:
        raise BadFrame(f"A header is at most {MAX_HEADER} bytes.", _possible_id(parts))
    id = parts[1] if count > 1 else b""
    if count > 1 and not ID.fullmatch(id) and not (verb == b"call" and id == b"0"):
        raise BadFrame("An id is a number from 1 on, of at most 16 digits.")
    name, _, options = parts[2].partition(b"?") if count > 2 else (b"", b"", b"")
    if count > 2 and not NAME.fullmatch(name):
        raise BadFrame("A name is 1 to 128 of A-Z a-z 0-9 _ . : / -", id)
    return ClientFrame(verb, id, name, parse_options(options, id) if options else NO_OPTIONS, payload)


def parse_options(text: bytes, id: bytes | None = None) -> Options:
    """Read `key=value&key` behind a name.

    Raises:
        BadFrame: A known option has a value that it can't have, or the text is no list of options.
    """
    found: dict[str, object] = {}
    for part in text.split(b"&"):
        match = OPTION.fullmatch(part)
        if match is None:
            raise BadFrame("Options are key=value or key, joined by &; values are A-Z a-z 0-9 . _ ~ -", id)
        read = _READERS.get(match[1])
        if read is not None:
            name = match[1].decode()
            try:
                found[name] = read((match[2] or b"").decode())
            except ValueError:
                raise BadFrame(f"The option {name} is {_MEANT[name]}.", id) from None
    return Options(**found)  # type: ignore[arg-type]


def client_frame(verb: bytes, id: bytes = b"", name: bytes = b"", payload: bytes = b"") -> bytes:
    """Build a client's frame from its parts; empty ones at the end are left out."""
    return b" ".join(part for part in (verb, id, name, payload) if part)


def parse_server(frame: bytes) -> ServerFrame:
    """Take a server's frame apart.

    Raises:
        BadFrame: The verb is unknown or a token is missing.
    """
    verb = frame[:16].split(b" ", 1)[0]
    count = SERVER_PARTS.get(verb)
    if count is None:
        raise BadFrame("The server said a verb that this client does not know.")
    parts = frame.split(b" ", count)
    payload = parts.pop() if len(parts) > count else b""
    if len(parts) < count:
        raise BadFrame(f"The server said {verb.decode()} with too few parts.")
    return ServerFrame(verb, parts[1] if count > 1 else b"", parts[2] if count > 2 else b"", payload)


def _possible_id(parts: list[bytes]) -> bytes | None:
    return parts[1] if len(parts) > 1 and ID.fullmatch(parts[1]) else None


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < 1e6:
        raise ValueError
    return seconds


def _credit(text: str) -> int:
    credit = int(text)
    if not 0 <= credit <= MAX_CREDIT:
        raise ValueError
    return credit


def _flag(text: str) -> bool:
    return text not in {"0", "false"}


_MEANT: Final = {"timeout": "seconds, more than 0", "credit": f"a number of items from 0 to {MAX_CREDIT}"}

_READERS: Final[dict[bytes, Callable[[str], object]]] = {
    b"timeout": _seconds,
    b"key": str,
    b"explain": _flag,
    b"mock": _flag,
    b"patch": _flag,
    b"trace": str,
    b"credit": _credit,
    b"at": str,
}
