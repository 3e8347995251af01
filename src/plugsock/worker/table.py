"""Which function runs which call: every event in each revision that may still be called."""

import inspect
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from types import FunctionType
from typing import Any, Final

from plugsock.errors import Error
from plugsock.loader.catalog import Plug
from plugsock.loader.signature import Signature
from plugsock.model import Kind
from plugsock.worker.agreement import differs
from plugsock.worker.encode import Results
from plugsock.worker.repeats import sure_fields

ASYNC_CALL: Final = 0
THREAD_CALL: Final = 1
ASYNC_STREAM: Final = 2
THREAD_STREAM: Final = 3
"""How a plug runs."""


class Served:
    """A plug, with everything that a call of it needs within reach.

    Attributes:
        differs: Holds a call against what the gateway has read of its payload; None if that is nothing. See `agreement`.
        enter: Calls the plug with a decoded payload and, where it needs any, Socket, Server and User.
        is_common: It is an async call, handed no Socket, Server or User, and the gateway reads no field of it, as most.
        sure_fields: See `repeats`.
        style: How it runs, `ASYNC_CALL` and so on.
    """

    __slots__ = (
        *("bind", "decode", "differs", "encode", "enter", "is_common", "needs", "plug", "signature", "style"),
        "sure_fields",
    )

    def __init__(self, plug: Plug, max_answer: int, *, dev: bool) -> None:
        signature = plug.signature
        self.plug: Final = plug
        self.signature: Final = signature
        self.decode: Final = signature.decode
        self.bind: Final = signature.bind
        self.enter: Final = signature.entry(_function(plug))
        self.needs: Final = signature.needs
        self.sure_fields: Final = sure_fields(signature)
        self.style: Final = _style(signature)
        self.differs: Final = differs(plug.announcement, signature)
        self.is_common: Final = self.style == ASYNC_CALL and not self.needs and self.differs is None
        is_asked = plug.announcement.kind is not Kind.MOMENT
        self.encode: Final = Results(signature, max_answer, check=dev).encode if is_asked else _nothing


def _nothing(_value: Any, _format: int) -> bytes:
    """Nobody asks what a hook returns."""
    return b""


def _style(signature: Signature) -> int:
    if signature.is_shape:  # what says so takes no thread
        return ASYNC_STREAM if signature.kind is Kind.STREAM else ASYNC_CALL
    if signature.kind is Kind.STREAM:
        return ASYNC_STREAM if signature.is_async else THREAD_STREAM
    return ASYNC_CALL if signature.is_async else THREAD_CALL


def _function(plug: Plug) -> Callable[..., Any]:
    """What to call; of an `async def` it only makes a coroutine, whatever decorators there are around it.

    They may say that they are `async def` and be none, run code before they give something to await, and raise.
    """
    function = plug.function
    if plug.signature.is_shape:
        return _not_implemented(plug)
    if _style(plug.signature) != ASYNC_CALL:
        return function
    if isinstance(function, FunctionType) and function.__code__.co_flags & inspect.CO_COROUTINE:
        return function

    async def called(*args: Any, **named: Any) -> Any:
        return await function(*args, **named)

    return called


def _not_implemented(plug: Plug) -> Callable[..., Any]:
    """What is run in place of a body that there is not."""
    message = f"`{plug.event}` is a shape: it has no body yet."

    async def refuse(*_args: Any, **_named: Any) -> None:
        raise Error("not_implemented", message)

    async def refuse_items(*_args: Any, **_named: Any) -> AsyncGenerator[None, None]:
        for _ in ():
            yield
        raise Error("not_implemented", message)

    return refuse_items if plug.signature.kind is Kind.STREAM else refuse


class Table:
    """Every revision from its commit until it is retired.

    Attributes:
        serving: What a call is looked up in, by revision and event: two small dicts take half as long as one whose
            keys are pairs.
    """

    def __init__(self, max_answer: int, *, dev: bool) -> None:
        self.serving: dict[str, dict[str, Served]] = {}
        self._max_answer = max_answer
        self._dev = dev
        self._current: dict[str, Served] = {}
        self._replaced: dict[int, list[Served]] = {}

    def commit(self, stage: int, plugs: Iterable[Plug], gone: Iterable[str]) -> None:
        """Serve these plugs from now on, and what they replace until the stage is retired."""
        replaced = self._replaced.setdefault(stage, [])
        for event in gone:
            self._replace(event, replaced)
        for plug in plugs:
            event, revision = plug.announcement.event, plug.announcement.revision
            self._replace(event, replaced)
            served = self._current[event] = Served(plug, self._max_answer, dev=self._dev)
            self.serving.setdefault(revision, {})[event] = served

    def replaced(self, stage: int) -> Sequence[Served]:
        """What the commit of a stage replaced, until it is retired."""
        return self._replaced.get(stage, ())

    def retire(self, stage: int) -> None:
        """Forget what the commit of a stage replaced; a revision that has come back since is another one."""
        for served in self._replaced.pop(stage, ()):
            event, revision = served.plug.announcement.event, served.plug.announcement.revision
            events = self.serving.get(revision, {})
            if events.get(event) is served:
                del events[event]
                if not events:
                    del self.serving[revision]

    def _replace(self, event: str, replaced: list[Served]) -> None:
        served = self._current.pop(event, None)
        if served is not None:
            replaced.append(served)
