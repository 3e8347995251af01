"""What authors may say in the parentheses of a mark: each option is checked where it is said, and made plain."""

import re
from typing import Any, Final

from plugsock.errors import DeclareError
from plugsock.model import KEY, LONGEST_KEY, ORDER_FIELD

WORKER: Final = re.compile(r"[a-z][a-z0-9_-]{0,31}")
"""What a named set of workers can be called: it is typed on a command line."""

LONGEST_S: Final = 86_400
"""A day: what takes longer than that is no call any more."""

OFTEN_S: Final = 0.1
"""A view runs no more often by itself: that is as soon as people see a change as at once (Nielsen, 1993)."""

LONGEST_THROTTLE_S: Final = 3600


def checked_timeout(timeout: Any) -> float:
    """Seconds that a call may take."""
    if not (is_number(timeout) and 0 < timeout <= LONGEST_S):
        raise DeclareError(f"timeout={timeout!r} must be more than 0 and at most {LONGEST_S} seconds")
    return float(timeout)


def checked_order(order: Any) -> str:
    """What calls are put in order by; a plain text, as an enum's member would be none where it leaves the process."""
    if not isinstance(order, str) or not (order in ("socket", "user") or ORDER_FIELD.fullmatch(order)):
        raise DeclareError(
            f'order={order!r} must be "socket", "user", or a text with one field of the payload in braces, '
            'as "{room}"'
        )
    return str.__str__(order)


def checked_worker(worker: Any) -> str:
    """The named set of workers that something runs on."""
    if not (isinstance(worker, str) and WORKER.fullmatch(worker)):
        raise DeclareError(
            f"worker={worker!r} must be a name of a-z, 0-9, - and _ that begins with a letter (32 characters at most)"
        )
    return str.__str__(worker)


def checked_on(on: Any) -> tuple[str, ...]:
    """The keys that a view depends on, each once."""
    if isinstance(on, list | tuple):
        if not on:
            raise DeclareError(f"on={on!r} names no key: leave it out")
        return tuple(dict.fromkeys(_key(each, on) for each in on))
    return (_key(on, on),)


def _key(key: Any, on: Any) -> str:
    if not isinstance(key, str):
        raise DeclareError(f'on={on!r} must be a key as "orders", or a list of them')
    if "{" in key:
        raise DeclareError(
            f"on={on!r} names what does not depend on the arguments: what does, a view says while it runs, "
            'with server.reads(f"orders/{shop}")'
        )
    if len(key) > LONGEST_KEY or not KEY.fullmatch(key):
        raise DeclareError(
            f'on={on!r} must be made of keys of A-Z a-z 0-9 _ . : - with / between the parts, as "orders" or '
            f'"orders/42" ({LONGEST_KEY} characters at most)'
        )
    return str.__str__(key)


def checked_every(every: Any) -> float:
    """After how many seconds a view runs again although nothing has changed."""
    if not (is_number(every) and OFTEN_S <= every <= LONGEST_S):
        raise DeclareError(f"every={every!r} must be {OFTEN_S} to {LONGEST_S} seconds")
    return float(every)


def checked_throttle(throttle: Any) -> float:
    """How many seconds there are from one run of a view to the next, at least."""
    if not (is_number(throttle) and 0 <= throttle <= LONGEST_THROTTLE_S):
        raise DeclareError(f"throttle={throttle!r} must be 0 to {LONGEST_THROTTLE_S} seconds")
    return float(throttle)


def check_flag(name: str, value: Any) -> None:
    """Refuse what is neither True nor False."""
    if not isinstance(value, bool):
        raise DeclareError(f"{name}={value!r} must be True or False")


def is_number(value: Any) -> bool:
    """Is it a number, and no truth value?"""
    return isinstance(value, int | float) and not isinstance(value, bool)
