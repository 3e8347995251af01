"""What the annotations of a plug's parameters and result say."""

import dataclasses
import types
import typing
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Generator, Iterable, Iterator
from typing import Annotated, Any, Final, Union, get_args, get_origin

import msgspec

from plugsock import blocking
from plugsock.errors import DeclareError
from plugsock.everybody import Server
from plugsock.model import Socket, User

HANDED_IN: Final[dict[Any, str]] = {Socket: "socket", Server: "server", blocking.Server: "server", User: "user"}
"""Parameters annotated with these are no part of the payload."""

ASYNC_STREAMS: Final = (AsyncIterator, AsyncIterable, AsyncGenerator)
PLAIN_STREAMS: Final = (Iterator, Iterable, Generator)


def resolve(annotation: Any, function: Callable[..., Any], what: str) -> Any:
    """Evaluate an annotation that may be text: PEP 563, forward references, also nested ones.

    Raises:
        DeclareError: It names something that does not exist when the plug runs; `what` says whose annotation it is.
    """
    holder = types.SimpleNamespace(__annotations__={"it": annotation})
    try:
        return typing.get_type_hints(holder, getattr(function, "__globals__", {}), include_extras=True)["it"]
    except NameError as error:
        raise DeclareError(
            f"the annotation of {what} names {error.name!r}, which does not exist when the plug runs: "
            "import or define it at the top of the file, not under TYPE_CHECKING"
        ) from error
    except Exception as error:
        raise DeclareError(f"the annotation of {what} is no type: {error}") from error


def handed_in(annotation: Any) -> tuple[str, bool] | None:
    """What the server hands in for this annotation and whether None will do, or None if it is part of the payload."""
    members = [member for member in union_members(annotation) if member is not type(None)]
    if len(members) != 1 or not isinstance(members[0], type) or members[0] not in HANDED_IN:
        return None
    return HANDED_IN[members[0]], len(union_members(annotation)) > 1


def check_server(name: str, annotation: Any, *, is_async: bool) -> None:
    """Refuse the `Server` that a function of the other kind takes; any other annotation passes.

    Raises:
        DeclareError: It would hold up the event loop, or could not be awaited.
    """
    members = union_members(annotation)
    if is_async and blocking.Server in members:
        raise DeclareError(
            f"`{name}: blocking.Server` would hold up the event loop: an `async def` takes `plugsock.Server`, whose "
            "words that ask are awaited"
        )
    if not is_async and Server in members:
        raise DeclareError(
            f"a plain function can't await what it asks of `{name}: Server`: it takes `plugsock.blocking.Server`, with "
            "the same words"
        )


def is_whole(annotation: Any) -> bool:
    """Can a value of this type be the whole payload: a Struct, dataclass or TypedDict, or a choice of these?"""
    members = [member for member in union_members(annotation) if member is not type(None)]
    return bool(members) and all(_is_object(get_origin(member) or member) for member in members)


def _is_object(cls: Any) -> bool:
    return isinstance(cls, type) and (
        issubclass(cls, msgspec.Struct) or dataclasses.is_dataclass(cls) or typing.is_typeddict(cls)
    )


def union_members(annotation: Any) -> list[Any]:
    """The types that a union chooses from, flat and without `Annotated`; of any other type itself."""
    if get_origin(annotation) is Annotated:
        return union_members(get_args(annotation)[0])
    if isinstance(annotation, typing.TypeAliasType if hasattr(typing, "TypeAliasType") else ()):
        return union_members(annotation.__value__)
    if get_origin(annotation) in (Union, types.UnionType):
        return [leaf for member in get_args(annotation) for leaf in union_members(member)]
    return [annotation]


def stream_item(annotation: Any, kinds: tuple[Any, ...]) -> Any:
    """The item type of `AsyncIterator[T]` and the like; None if the annotation is none of `kinds`."""
    if (get_origin(annotation) or annotation) not in kinds:
        return None
    args = get_args(annotation)
    return args[0] if args else Any
