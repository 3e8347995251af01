"""What words of Socket and Server can be given: each function refuses, in a sentence, what nobody could read.

What passes is a plain text or number, whatever class it came as: an enum's member, say, could not leave the process.
"""

import functools
import re
from typing import Any, Final

from plugsock.errors import DeclareError
from plugsock.loader.requires import normalised
from plugsock.model import (
    HELD,
    KEY,
    LONGEST_KEY,
    PERMISSION,
    PERMISSION_FORM,
    TOPIC,
    TOPIC_FORM,
    Required,
    Requires,
)
from plugsock.worker.encode import pushed, shown

LONGEST_REASON: Final = 123
"""Bytes of a close reason: what is left of a control frame's 125 (RFC 6455, 5.5)."""

SENDABLE_CODES: Final = frozenset({1000, 1001, 1008, 1011, 1012, 1013})
"""Registered close codes that a server may send and that say something about a plug's decision."""

LONGEST_FENCE_S: Final = 86_400
"""As long as a call may take, whose plug would wait for it."""

MOST_DATA: Final = 4096
"""Bytes of JSON that members of a topic are told of each other: a thousand of them fit into a few messages."""

_EVENT: Final = re.compile(r"[A-Za-z0-9_.:/-]{1,128}")


def event_name(name: str) -> str:
    """Check the name of an event.

    Raises:
        ValueError: A frame's header has no room for it.
    """
    if type(name) is not str and isinstance(name, str):
        name = str.__str__(name)  # a class of its own would stay in the cache, and the whole module with it
    if type(name) is not str or not _is_event_name(name):
        raise ValueError(f"an event is called by 1 to 128 of A-Z a-z 0-9 _ . : / -, not {shown(name)}")
    return name


@functools.lru_cache(maxsize=1024)
def _is_event_name(name: str) -> bool:
    return _EVENT.fullmatch(name) is not None


def topic_name(topic: str) -> str:
    """Check the name of a topic.

    Raises:
        ValueError: A frame's header has no room for it, or it says that there is none.
    """
    if isinstance(topic, str) and TOPIC.fullmatch(text := str.__str__(topic)):
        return text
    raise ValueError(f"a topic is called by {TOPIC_FORM}, not {shown(topic)}")


def member_data(data: Any) -> bytes | None:
    """Encode what is told of somebody in a topic.

    Raises:
        ValueError: It can't be sent, or it is longer than `MOST_DATA`.
    """
    if data is None:
        return None
    json, _ = pushed(data, msgpack=False)
    if len(json) > MOST_DATA:
        raise ValueError(f"what is told of a member has {len(json)} bytes as JSON; it may have {MOST_DATA}")
    return json


def key_paths(keys: tuple[str, ...]) -> list[str]:
    """Check what is said to have changed, or to have been read.

    Raises:
        ValueError: There is nothing, or one is no path.
    """
    if not keys:
        raise ValueError('name at least one key, as "orders/42"')
    return [_key(key) for key in keys]


def _key(key: str) -> str:
    if isinstance(key, str) and len(text := str.__str__(key)) <= LONGEST_KEY and KEY.fullmatch(text):
        return text
    raise ValueError(
        f"a key is a path of up to {LONGEST_KEY} characters, as `orders/42`: A-Z a-z 0-9 _ . : - with `/` between its"
        f" parts, and `/*` at its end for all below; not {shown(key)}"
    )


def needed(requires: Required) -> Requires:
    """Check what a receiver of something that is pushed must be allowed to.

    Raises:
        ValueError: It is no permission, or one with a field in it, for which a push has no place.
    """
    if requires is None:
        return ()
    try:
        needs = normalised(requires)
    except DeclareError as error:
        raise ValueError(str(error)) from None  # one sentence is enough in the author's traceback
    for permission in (each for choice in needs for each in choice):
        if not PERMISSION.fullmatch(permission):
            raise ValueError(
                f"what a push requires is said in full, as `orders.read:berlin`: it has no fields to put into"
                f" {shown(permission)}"
            )
    return needs


def permission_text(permission: str) -> str:
    """Check a permission that is to be granted or revoked.

    Raises:
        ValueError: Nobody can hold it.
    """
    if isinstance(permission, str) and HELD.fullmatch(text := str.__str__(permission)):
        return text
    looks = shown(permission).encode("ascii", "backslashreplace").decode()  # where letters that look alike differ
    raise ValueError(
        f"a permission is {PERMISSION_FORM}; with `.*` or `:*` at its end it is all that begin so, and"
        f" `*` alone is everything; not {looks}"
    )


def user_id(user: str | None) -> str:
    """Check the id of a user.

    Raises:
        ValueError: No user can have it.
    """
    try:
        if isinstance(user, str):
            str.encode(user)
            return str.__str__(user)
    except UnicodeEncodeError:
        pass  # half a surrogate pair: on its way it would become somebody else's
    raise ValueError(f"a user is named by the text in its `id`, not by {shown(user)}")


def socket_id(socket: str) -> str:
    """Check the id of a socket.

    Raises:
        ValueError: It is no text.
    """
    if not isinstance(socket, str):
        raise ValueError(f"a socket is named by the text in its `id`, not by {shown(socket)}")  # noqa: TRY004
    return str.__str__(socket)


def fence_seconds(fence: float | None) -> float | None:
    """Check how long to wait for sockets that a `revoke` has reached.

    Raises:
        ValueError: It is no such number.
    """
    if fence is None:
        return None
    if isinstance(fence, int | float) and not isinstance(fence, bool) and 0 < fence <= LONGEST_FENCE_S:
        return float(fence)
    raise ValueError(f"a fence is more than 0 and at most {LONGEST_FENCE_S} seconds, or None, not {shown(fence)}")


def close_code(code: int) -> int:
    """Check the code that a socket is closed with.

    Raises:
        ValueError: It is not for a plug to send.
    """
    if type(code) is int and (4000 <= code <= 4999 or code in SENDABLE_CODES):
        return code
    raise ValueError(f"{shown(code)} is no close code for a plug: take 4000 to 4499 (come back) or 4500 to 4999 (stop)")


def close_reason(reason: str) -> str:
    """Check the reason that a socket is closed with.

    Raises:
        ValueError: A close frame has no room for it.
    """
    try:
        if isinstance(reason, str) and len(str.encode(reason)) <= LONGEST_REASON:
            return str.__str__(reason)
    except UnicodeEncodeError:
        pass  # half a surrogate pair
    raise ValueError(f"a close reason is text of up to {LONGEST_REASON} bytes, not {shown(reason)}")
