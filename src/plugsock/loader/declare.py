"""The marks that plug authors set on their functions. Light: a plug file imports this and nothing of the server."""

import re
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar, overload

from msgspec import Struct

from plugsock.errors import DeclareError
from plugsock.loader.requires import AnyOf, normalised
from plugsock.model import AUTHENTICATE, ORDER_FIELD, Requires

MARK: Final = "__plugsock__"
"""Attribute of a marked function; its value is `Options` or the name of a moment."""

AUTHENTICATE_S: Final = 5.0
"""For finding out who somebody is; who asks another server has 60 s in nginx (auth_request), 0.2 s in Envoy (ext_authz)."""

WORKER: Final = re.compile(r"[a-z][a-z0-9_-]{0,31}")
"""What a named set of workers can be called: it is typed on a command line."""

F = TypeVar("F", bound=Callable[..., Any])


class Options(Struct, frozen=True):
    """What an author said in the parentheses of `@plug(...)`."""

    timeout: float | None = None
    idempotent: bool = False
    order: str = ""
    worker: str = ""
    requires: Requires = ()
    event: str = ""
    """The event that it answers, where that is not named after the function."""


@overload
def plug(function: F, /) -> F: ...
@overload
def plug(
    *,
    requires: str | AnyOf | Sequence[str | AnyOf] | None = None,
    timeout: float | None = None,
    idempotent: bool = False,
    order: str | None = None,
    worker: str | None = None,
) -> Callable[[F], F]: ...
def plug(
    function: F | None = None,
    /,
    *,
    requires: str | AnyOf | Sequence[str | AnyOf] | None = None,
    timeout: float | None = None,
    idempotent: bool = False,
    order: str | None = None,
    worker: str | None = None,
) -> Any:
    """Make a function answer an event.

    Args:
        function: A public function of a plug file: `async def`, plain, or a generator of either kind (a stream).
        requires: The permission that a caller must have: `"orders.read"`, a list where all of them are needed, or
            `any_of("a", "b")`. Each may have one field of the payload in it: `"orders.read:{shop}"`. Default: none.
        timeout: Seconds a call may take, a stream's item likewise. Default: the server's.
        idempotent: Running it twice does what running it once does, so a caller may try again after a timeout.
        order: Calls with the same key run one after the other, in the order they came: `"socket"` (those of one
            socket), `"user"` (those of one user), or a text with one field of the payload in it (`"{room}"`).
            Default: in no order.
        worker: The named set of workers that it runs on, as `--workers NAME=2` starts them. Default: all others.
    """
    if timeout is not None:
        _check_timeout(timeout)
        timeout = float(timeout)
    if not isinstance(idempotent, bool):
        raise DeclareError(f"idempotent={idempotent!r} must be True or False")
    if order is not None:
        _check_order(order)
    if worker is not None:
        _check_worker(worker)
    # Plain texts: an enum's member, say, would be no text any more where it leaves the process.
    order, worker = str.__str__(order or ""), str.__str__(worker or "")
    needed = normalised(requires)
    options = Options(timeout=timeout, idempotent=idempotent, order=order, worker=worker, requires=needed)
    return _marking("@plug", options, function)


@overload
def authenticate(function: F, /) -> F: ...
@overload
def authenticate(*, timeout: float = AUTHENTICATE_S) -> Callable[[F], F]: ...
def authenticate(function: F | None = None, /, *, timeout: float = AUTHENTICATE_S) -> Any:
    """Make a function say who somebody is that connects, or shows another token; there is one in a folder.

    Args:
        function: A function of a plug file, `async def` or plain: it takes a `Hello`, and a `Server` if it likes, and
            returns the `User`, or None for nobody that it knows.
        timeout: Seconds that it may take; then nobody is let in.
    """
    _check_timeout(timeout)
    return _marking("@authenticate", Options(timeout=float(timeout), event=AUTHENTICATE), function)


def _marking(name: str, options: Options, function: F | None) -> Any:
    """The mark, or the function with it."""

    def mark(function: F) -> F:
        if not callable(function):
            raise DeclareError(f"{name} marks functions, not {type(function).__name__}")
        other = getattr(function, "__dict__", {}).get(MARK)
        if isinstance(other, Options) and other.event != options.event:
            raise DeclareError("a function can't be marked both @plug and @authenticate: make two of it")
        setattr(function, MARK, options)
        return function

    return mark if function is None else mark(function)


def _check_timeout(timeout: Any) -> None:
    is_number = isinstance(timeout, int | float) and not isinstance(timeout, bool)
    if not (is_number and 0 < timeout <= 86_400):
        raise DeclareError(f"timeout={timeout!r} must be more than 0 and at most 86400 seconds")


def _check_order(order: Any) -> None:
    if order in ("socket", "user") or (isinstance(order, str) and ORDER_FIELD.fullmatch(order)):
        return
    raise DeclareError(
        f'order={order!r} must be "socket", "user", or a text with one field of the payload in braces, as "{{room}}"'
    )


def _check_worker(worker: Any) -> None:
    if not (isinstance(worker, str) and WORKER.fullmatch(worker)):
        raise DeclareError(
            f"worker={worker!r} must be a name of a-z, 0-9, - and _ that begins with a letter (32 characters at most)"
        )


def on_load(function: F, /) -> F:
    """Run a function without parameters each time its file has been loaded; raising keeps the old revision."""
    setattr(function, MARK, "on_load")
    return function


def on_unload(function: F, /) -> F:
    """Run a function without parameters after the last call of a revision that was replaced."""
    setattr(function, MARK, "on_unload")
    return function
