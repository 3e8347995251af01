"""Plain functions that want to be told of something."""

import logging
from collections.abc import Callable
from typing import Any, Final

log: Final = logging.getLogger("plugsock.client")


class Callbacks:
    """Functions that are called in the order in which they were added."""

    __slots__ = ("_functions",)

    def __init__(self) -> None:
        self._functions: dict[object, Callable[..., object]] = {}

    def add(self, function: Callable[..., object]) -> Callable[[], None]:
        """Call a function from now on; what is returned ends it, and does nothing more when it is called again."""
        key = object()
        self._functions[key] = function

        def end() -> None:
            self._functions.pop(key, None)

        return end

    def tell(self, *args: Any) -> None:
        """Call each; one that raises must not end the connection for everybody else who waits on it."""
        for function in tuple(self._functions.values()):
            try:
                function(*args)
            except Exception:
                log.exception("a callback raised")
