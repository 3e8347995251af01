"""Which function runs which call: every event in each revision that may still be called."""

import inspect
from collections.abc import Callable, Iterable
from types import FunctionType
from typing import Any, Final, TypeAlias

from plugsock.loader.catalog import Plug
from plugsock.loader.signature import Signature
from plugsock.model import Kind
from plugsock.worker.encode import Results
from plugsock.worker.repeats import sure_fields

ASYNC_CALL: Final = 0
THREAD_CALL: Final = 1
ASYNC_STREAM: Final = 2
THREAD_STREAM: Final = 3
"""How a plug runs."""

Key: TypeAlias = tuple[str, str]
"""Event and revision, as a call names them."""


class Served:
    """A plug, with everything that a call of it needs within reach.

    Attributes:
        is_common: It is plainly an `async def`, no stream, and handed no Socket, Server or User, as most.
        sure_fields: See `repeats`.
        style: How it runs, `ASYNC_CALL` and so on.
    """

    __slots__ = (
        *("bind", "decode", "encode", "function", "invoke", "is_common", "needs", "plug", "signature", "style"),
        "sure_fields",
    )

    def __init__(self, plug: Plug, max_answer: int, *, dev: bool) -> None:
        signature = plug.signature
        self.plug: Final = plug
        self.signature: Final = signature
        self.function: Final = plug.function
        self.decode: Final = signature.decode
        self.bind: Final = signature.bind
        self.invoke: Final = signature.invoke
        self.needs: Final = signature.needs
        self.sure_fields: Final = sure_fields(signature)
        self.style: Final = _style(signature)
        self.is_common: Final = self.style == ASYNC_CALL and not self.needs and _gives_coroutine(plug.function)
        self.encode: Final = Results(signature, max_answer, check=dev).encode


def _style(signature: Signature) -> int:
    if signature.kind is Kind.STREAM:
        return ASYNC_STREAM if signature.is_async else THREAD_STREAM
    return ASYNC_CALL if signature.is_async else THREAD_CALL


def _gives_coroutine(function: Callable[..., Any]) -> bool:
    """Is it `async def` itself, or a decorator that says so and may give anything that can be awaited?"""
    return isinstance(function, FunctionType) and bool(function.__code__.co_flags & inspect.CO_COROUTINE)


class Table:
    """Every revision from its commit until it is retired.

    Attributes:
        serving: What a call is looked up in.
    """

    def __init__(self, max_answer: int, *, dev: bool) -> None:
        self.serving: dict[Key, Served] = {}
        self._max_answer = max_answer
        self._dev = dev
        self._current: dict[str, Key] = {}
        self._replaced: dict[int, dict[Key, Served]] = {}

    def commit(self, stage: int, plugs: Iterable[Plug], gone: Iterable[str]) -> None:
        """Serve these plugs from now on, and what they replace until the stage is retired."""
        replaced = self._replaced.setdefault(stage, {})
        for event in gone:
            self._replace(event, replaced)
        for plug in plugs:
            announced = plug.announcement
            self._replace(announced.event, replaced)
            key = announced.event, announced.revision
            self._current[announced.event] = key
            self.serving[key] = Served(plug, self._max_answer, dev=self._dev)

    def retire(self, stage: int) -> None:
        """Forget what the commit of a stage replaced; a revision that has come back since is another one."""
        for key, served in self._replaced.pop(stage, {}).items():
            if self.serving.get(key) is served:
                del self.serving[key]

    def _replace(self, event: str, replaced: dict[Key, Served]) -> None:
        key = self._current.pop(event, None)
        if key is not None:
            replaced[key] = self.serving[key]
