"""The marks that plug authors set on their functions. Light: a plug file imports this and nothing of the server."""

from collections.abc import Callable
from typing import Any, Final, TypeVar, overload

from msgspec import Struct

from plugsock.errors import DeclareError

MARK: Final = "__plugsock__"
"""Attribute of a marked function; its value is `Options` or the name of a moment."""

F = TypeVar("F", bound=Callable[..., Any])


class Options(Struct, frozen=True):
    """What an author said in the parentheses of `@plug(...)`."""

    timeout: float | None = None
    idempotent: bool = False


@overload
def plug(function: F, /) -> F: ...
@overload
def plug(*, timeout: float | None = None, idempotent: bool = False) -> Callable[[F], F]: ...
def plug(function: F | None = None, /, *, timeout: float | None = None, idempotent: bool = False) -> Any:
    """Make a function answer an event.

    Args:
        function: A public function of a plug file: `async def`, plain, or a generator of either kind (a stream).
        timeout: Seconds a call may take, a stream's item likewise. Default: the server's.
        idempotent: Running it twice does what running it once does, so a caller may try again after a timeout.
    """
    if timeout is not None and not 0 < timeout <= 86_400:
        raise DeclareError(f"timeout={timeout!r} must be more than 0 and at most 86400 seconds")
    options = Options(timeout=timeout, idempotent=idempotent)

    def mark(function: F) -> F:
        if not callable(function):
            raise DeclareError(f"@plug marks functions, not {type(function).__name__}")
        setattr(function, MARK, options)
        return function

    return mark if function is None else mark(function)


def on_load(function: F, /) -> F:
    """Run a function without parameters each time its file has been loaded; raising keeps the old revision."""
    setattr(function, MARK, "on_load")
    return function


def on_unload(function: F, /) -> F:
    """Run a function without parameters after the last call of a revision that was replaced."""
    setattr(function, MARK, "on_unload")
    return function
