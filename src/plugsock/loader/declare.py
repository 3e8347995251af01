"""The marks that plug authors set on their functions. Light: a plug file imports this and nothing of the server."""

from collections.abc import Callable
from typing import Any, Final, TypeVar, overload

from msgspec import Struct, structs

from plugsock.errors import DeclareError
from plugsock.loader.examples import Example, checked_examples
from plugsock.loader.options import (
    check_flag,
    checked_every,
    checked_on,
    checked_order,
    checked_throttle,
    checked_timeout,
    checked_worker,
)
from plugsock.loader.requires import normalised
from plugsock.model import MOMENTS, Required, Requires, Watching

MARK: Final = "__plugsock__"
"""Attribute of a marked function; its value is `Options`."""

AUTHENTICATE_S: Final = 5.0
"""For finding out who somebody is; who asks another server has 60 s in nginx (auth_request), 0.2 s in Envoy (ext_authz)."""

OPTION: Final = {"plug": "timeout=5.0", "view": 'on="orders"', "authenticate": "timeout=5.0"}
"""What an author may have meant who has put something else in the parentheses of a mark."""

F = TypeVar("F", bound=Callable[..., Any])


class Options(Struct, frozen=True):
    """How a function is marked, and what its author said in the parentheses of that."""

    timeout: float | None = None
    idempotent: bool = False
    order: str = ""
    worker: str = ""
    requires: Requires = ()
    view: Watching | None = None
    """Of a view, without its audience: that is seen from its parameters."""
    examples: tuple[Example, ...] = ()
    """Nothing of them is announced."""
    marks: tuple[str, ...] = ("plug",)
    """The names of its decorators: one, or several of `model.MOMENTS`."""


@overload
def plug(function: F, /) -> F: ...
@overload
def plug(
    *,
    requires: Required = None,
    timeout: float | None = None,
    idempotent: bool = False,
    order: str | None = None,
    worker: str | None = None,
    examples: list[Any] | None = None,
) -> Callable[[F], F]: ...
def plug(
    function: F | None = None,
    /,
    *,
    requires: Required = None,
    timeout: float | None = None,
    idempotent: bool = False,
    order: str | None = None,
    worker: str | None = None,
    examples: list[Any] | None = None,
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
        examples: A list of payloads, or of pairs `(payload, answer)`, for those who read the shapes or make answers up,
            and to try the function on. The answer of a stream is a list of its items.
    """
    check_flag("idempotent", idempotent)
    options = Options(
        timeout=None if timeout is None else checked_timeout(timeout),
        idempotent=idempotent,
        order="" if order is None else checked_order(order),
        worker="" if worker is None else checked_worker(worker),
        requires=normalised(requires),
        examples=() if examples is None else checked_examples(examples),
    )
    return marking(options, function)


@overload
def view(function: F, /) -> F: ...
@overload
def view(
    *,
    requires: Required = None,
    on: str | list[str] | tuple[str, ...] | None = None,
    every: float | None = None,
    throttle: float = 0.0,
    timeout: float | None = None,
    worker: str | None = None,
    examples: list[Any] | None = None,
) -> Callable[[F], F]: ...
def view(
    function: F | None = None,
    /,
    *,
    requires: Required = None,
    on: str | list[str] | tuple[str, ...] | None = None,
    every: float | None = None,
    throttle: float = 0.0,
    timeout: float | None = None,
    worker: str | None = None,
    examples: list[Any] | None = None,
) -> Any:
    """Make a function return what clients watch: it runs again when that may have changed.

    It should only look things up, because it runs as often as is needed. Without `Socket` and `User` among its
    parameters it runs once for all who watch it with the same arguments; with a `User` once for each user, with a
    `Socket` once for each socket.

    Args:
        function: A public function of a plug file, `async def` or plain, that returns the value.
        requires: As in `plug`; whoever loses it while watching loses the view at once.
        on: The key that it depends on, or a list of them: it runs again after `server.changed("orders")`. What depends
            on its arguments it says by `server.reads(...)` while it runs.
        every: It runs again after so many seconds, too.
        throttle: Seconds from the start of one run to that of the next, at least.
        timeout: As in `plug`.
        worker: As in `plug`.
        examples: As in `plug`.
    """
    watching = Watching(
        on=() if on is None else checked_on(on),
        every_s=None if every is None else checked_every(every),
        throttle_s=checked_throttle(throttle),
    )
    options = Options(
        timeout=None if timeout is None else checked_timeout(timeout),
        idempotent=True,
        worker="" if worker is None else checked_worker(worker),
        requires=normalised(requires),
        view=watching,
        examples=() if examples is None else checked_examples(examples),
        marks=("view",),
    )
    return marking(options, function)


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
    return marking(Options(timeout=checked_timeout(timeout), marks=("authenticate",)), function)


def marking(options: Options, function: F | None) -> Any:
    """The mark, or the function with it."""

    def mark(function: F) -> F:
        if not callable(function) or isinstance(function, type):
            raise DeclareError(_no_function(options.marks[0], function))
        other = getattr(function, "__dict__", {}).get(MARK)
        setattr(function, MARK, _both(options, other) if isinstance(other, Options) else options)
        return function

    return mark if function is None else mark(function)


def _no_function(mark: str, value: Any) -> str:
    if isinstance(value, type):
        return f"@{mark} marks functions, not classes"
    hint = f": options have names, as @{mark}({OPTION[mark]})" if mark in OPTION else ""
    return f"@{mark} marks functions, not {type(value).__name__}{hint}"


def _both(options: Options, other: Options) -> Options:
    """What is said above another mark of the same function."""
    if options.marks[0] in other.marks:
        return structs.replace(options, marks=other.marks)
    if not {*options.marks, *other.marks}.issubset(MOMENTS):
        raise DeclareError(f"a function can't be marked both @{options.marks[0]} and @{other.marks[0]}: make two of it")
    return structs.replace(options, marks=(*options.marks, *other.marks))
