"""A function's signature becomes the shape of its payload, once, when its file is loaded."""

import enum
import inspect
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

import msgspec
from msgspec import Struct, structs

from plugsock.errors import DeclareError
from plugsock.loader import shape
from plugsock.loader.annotations import (
    ASYNC_STREAMS,
    PLAIN_STREAMS,
    check_server,
    handed_in,
    is_whole,
    resolve,
    stream_item,
)
from plugsock.loader.binding import HANDED_IN, Argument, Entry, entry, fresh, payload_type
from plugsock.model import Audience, Kind, Raw

Decode: TypeAlias = Callable[[bytes], Any]
Absent: TypeAlias = Mapping[bytes, Callable[[], Any]]

NULLS: Final = (b"null", b"\xc0")
"""The word for nothing, by number of format."""
EMPTY_OBJECTS: Final = (b"{}", b"\x80")
LONGEST_NULL: Final = 4


class Mode(enum.Enum):
    """What a payload is to its plug."""

    FIELDS = "fields"
    """An object whose fields are the parameters."""
    WHOLE = "whole"
    """The value of the one parameter."""
    RAW = "raw"
    """Bytes that nobody decoded."""


class Signature(Struct, frozen=True, eq=False):
    """Everything a worker needs to run a plug on a payload.

    `value = signature.bind(payload, format)`, then `signature.entry(function)(value)`, or where it `needs` any of them
    `(value, socket, server, user)`: what the function does not take is ignored, so that it may be None.
    """

    kind: Kind
    is_async: bool
    """`async def`: runs on the loop; otherwise in a thread."""
    mode: Mode
    input: Any
    """The type that a payload is decoded into."""
    output: Any
    """The type of the result, of a stream's items; `Any` where nothing is said."""
    decode: tuple[Decode, Decode]
    """Decoders by number of format, strict, made once. `bind` is for payloads that may be empty."""
    absent: tuple[Absent, Absent]
    is_optional: bool
    """The payload is the value of the one parameter, and that has a default."""
    entry: Entry
    needs: frozenset[str]
    """Of `socket`, `server`, `user`: what is handed in."""
    user_required: bool
    """It takes a `User` and not `User | None`: an anonymous socket can't call it."""
    may_hold_nan: bool
    """A result may hold a float, so it has to be searched for NaN and infinities before it is encoded."""
    needs_key_walk: bool
    """A result may hold a dict whose keys are not strings."""
    may_hold_integer: bool
    """A result may hold an integer, so it has to be tried whether MessagePack can say it."""
    input_text: str
    output_text: str
    shape: str
    """Hash over the shapes of input and output."""
    is_shape: bool = False
    """The function has no body yet: it can't be run, and everything else of it holds."""

    def bind(self, payload: bytes, format: int) -> Any:
        """Decode a payload; an empty one means no arguments.

        Raises:
            msgspec.ValidationError: It does not fit; the text says where and what was expected.
            msgspec.DecodeError: It is not even well formed.
        """
        if len(payload) <= LONGEST_NULL and payload in self.absent[format]:
            return self.absent[format][payload]()
        return self.decode[format](payload)


def read(function: Callable[..., Any], event: str, *, is_view: bool = False, is_shape: bool = False) -> Signature:
    """Read a plug's signature, or a view's.

    Args:
        function: The plug.
        event: What it answers.
        is_view: It is marked `@view`.
        is_shape: It has no body, so that only its result tells what kind it is.

    Raises:
        DeclareError: It can't work; one sentence says why and what would be right.
    """
    kind, is_async = kind_of(function)
    if is_shape and not is_view and _streams(function):
        kind = Kind.STREAM
    if is_view:
        if kind is Kind.STREAM:
            raise DeclareError(
                "a view has one value at a time, and runs again for the next: `return` it, don't `yield`"
            )
        kind = Kind.VIEW
    arguments = _with_sources(arguments_of(function))
    output = output_of(function, kind, is_async=is_async, is_shape=is_shape)
    signature = made(kind, arguments, _payload(arguments, event), output, is_async=is_async)
    return structs.replace(signature, is_shape=is_shape)


def audience(signature: Signature) -> Audience:
    """Whom a view runs for, as its parameters say."""
    if "socket" in signature.needs:
        return "socket"
    return "user" if "user" in signature.needs else "everybody"


def made(kind: Kind, arguments: list[Argument], payload: "Payload", output: Any, *, is_async: bool) -> Signature:
    """Put together what was read.

    Raises:
        DeclareError: A parameter or the result can't be of its type.
    """
    for argument in arguments:
        check_server(argument.name, argument.annotation, is_async=is_async)
    result = _checked(output, "the result")
    return Signature(
        kind=kind,
        is_async=is_async,
        mode=payload.mode,
        input=payload.type,
        output=output,
        decode=payload.decode,
        absent=payload.absent,
        is_optional=any(a.source == "value" and a.default is not inspect.Parameter.empty for a in arguments),
        entry=entry(arguments),
        needs=frozenset(a.source for a in arguments) & HANDED_IN,
        user_required=any(a.source == "user" and handed_in(a.annotation) == ("user", False) for a in arguments),
        may_hold_nan=result.nan,
        needs_key_walk=result.odd_keys,
        may_hold_integer=result.integer,
        input_text=payload.text,
        output_text=shape.text(output),
        shape=shape.digest(kind, payload.type, output),
    )


def kind_of(function: Callable[..., Any]) -> tuple[Kind, bool]:
    """Has it one result or a stream of them, and is it `async def`?"""
    if inspect.isasyncgenfunction(function):
        return Kind.STREAM, True
    if inspect.isgeneratorfunction(function):
        return Kind.STREAM, False
    is_async = inspect.iscoroutinefunction(function)
    inner = inspect.unwrap(function)
    if inner is not function and inspect.iscoroutinefunction(inner) and not is_async:
        raise DeclareError("a decorator hides that this is async: make the wrapper it returns `async def` too")
    return Kind.CALL, is_async


def arguments_of(function: Callable[..., Any]) -> list[Argument]:
    """Its parameters, each a field of the payload unless it is handed in.

    Raises:
        DeclareError: One of them can be neither.
    """
    return [_argument(parameter, function) for parameter in inspect.signature(function).parameters.values()]


def _argument(parameter: inspect.Parameter, function: Callable[..., Any]) -> Argument:
    name = parameter.name
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
        raise DeclareError(f"a plug can't take *args or **kwargs: give `{name}` as parameters with names")
    if parameter.kind is parameter.POSITIONAL_ONLY:
        raise DeclareError(f"the fields of a payload have names, so `{name}` can't be positional-only: remove the `/`")
    annotation = Any
    if parameter.annotation is not parameter.empty:
        annotation = resolve(parameter.annotation, function, f"`{name}`")
    given = handed_in(annotation)
    return Argument(
        name=name,
        source=given[0] if given else "field",
        keyword_only=parameter.kind is parameter.KEYWORD_ONLY,
        annotation=annotation,
        default=parameter.default,
    )


def _with_sources(arguments: list[Argument]) -> list[Argument]:
    """One single parameter that is an object by itself, or Raw, is the whole payload."""
    found = [argument for argument in arguments if argument.source == "field"]
    if len(found) == 1 and (found[0].annotation is Raw or is_whole(found[0].annotation)):
        return [structs.replace(a, source="value") if a is found[0] else a for a in arguments]
    for field in found:
        if field.annotation is Raw:
            raise DeclareError(f"`{field.name}: Raw` is a whole payload: it must be the only parameter, or be `bytes`")
    return arguments


class Payload(Struct):
    """How a payload is decoded, and shown to people."""

    mode: Mode
    type: Any
    decode: tuple[Decode, Decode]
    absent: tuple[Absent, Absent]
    text: str


def _payload(arguments: list[Argument], event: str) -> Payload:
    whole = next((argument for argument in arguments if argument.source == "value"), None)
    if whole is None:
        return fields(arguments, event)
    if whole.annotation is Raw:
        return Payload(Mode.RAW, Raw, (_raw_json, _raw_msgpack), ({}, {}), "raw")
    _checked(whole.annotation, f"`{whole.name}`")
    decode = _decoders(whole.annotation)
    absent = (_whole_absent(whole, decode[0], NULLS[0]), _whole_absent(whole, decode[1], NULLS[1]))
    return Payload(Mode.WHOLE, whole.annotation, decode, absent, shape.whole_text(whole.annotation))


def fields(arguments: list[Argument], event: str) -> Payload:
    """An object whose fields are some of the arguments.

    Raises:
        DeclareError: The type of one can't come over the wire.
    """
    found = [argument for argument in arguments if argument.source == "field"]
    for field in found:
        _checked(field.annotation, f"`{field.name}`")
    type = payload_type(event, found)
    decode = _decoders(type)
    absent = (_fields_absent(decode, 0), _fields_absent(decode, 1))
    texts = (shape.parameter_text(field.name, field.annotation, field.default) for field in found)
    return Payload(Mode.FIELDS, type, decode, absent, f"({', '.join(texts)})")


def _fields_absent(decode: tuple[Decode, Decode], format: int) -> Absent:
    def nothing_given() -> Any:
        return decode[format](EMPTY_OBJECTS[format])

    return {b"": nothing_given, NULLS[format]: nothing_given}


def _whole_absent(whole: Argument, decode: Decode, null: bytes) -> Absent:
    if whole.default is inspect.Parameter.empty:
        return {b"": lambda: decode(null)}
    default = fresh(whole.default)
    try:
        decode(null)
    except msgspec.ValidationError:
        return {b"": default, null: default}
    return {b"": default}


def _decoders(type: Any) -> tuple[Decode, Decode]:
    return msgspec.json.Decoder(type).decode, msgspec.msgpack.Decoder(type).decode


def _raw_json(payload: bytes) -> Raw:
    return Raw(payload, "json")


def _raw_msgpack(payload: bytes) -> Raw:
    return Raw(payload, "msgpack")


def _checked(annotation: Any, what: str) -> shape.Holds:
    """Refuse a type that can't come over the wire."""
    if annotation is Raw:
        return shape.Holds()
    try:
        msgspec.json.Decoder(annotation)
        found = shape.holds(annotation)
    except NameError as error:
        raise DeclareError(f"the type of {what} names {error.name!r} in a field, which does not exist") from error
    except Exception as error:
        raise DeclareError(f"the type of {what} can't come over the wire: {error}") from error
    if found.foreign is not None:
        raise DeclareError(
            f"the type of {what} can't come over the wire: {found.foreign} is neither a Struct, dataclass, TypedDict, "
            "Enum nor a plain type"
        )
    return found


def _streams(function: Callable[..., Any]) -> bool:
    """Is its result said to be a stream, of either sort?"""
    annotation = inspect.signature(function).return_annotation
    if annotation is inspect.Parameter.empty:
        return False
    return stream_item(resolve(annotation, function, "the result"), ASYNC_STREAMS + PLAIN_STREAMS) is not None


def output_of(function: Callable[..., Any], kind: Kind, *, is_async: bool, is_shape: bool = False) -> Any:
    """The type of its result, of a stream's items.

    A shape may say either sort of stream, whether or not it is `async def`: without a `yield` type checkers take the
    one for the other.

    Raises:
        DeclareError: It does not go with what the function does.
    """
    annotation = inspect.signature(function).return_annotation
    if annotation is inspect.Parameter.empty:
        return Any
    declared = resolve(annotation, function, "the result")
    own = ASYNC_STREAMS if is_async else PLAIN_STREAMS
    item = stream_item(declared, ASYNC_STREAMS + PLAIN_STREAMS if is_shape else own)
    if kind is Kind.STREAM:
        if item is None:
            wanted = "AsyncIterator" if is_async else "Iterator"
            raise DeclareError(f"it yields, so it is a stream: its result is `{wanted}[{shape.text(declared)}]`")
        return item
    if stream_item(declared, ASYNC_STREAMS + PLAIN_STREAMS) is not None:
        raise DeclareError(f"it says `-> {shape.text(declared)}`, a stream, but has no `yield`")
    return declared
