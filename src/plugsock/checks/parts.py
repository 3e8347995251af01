"""Going through the types of a plug: which part stands where, and goes which way."""

import dataclasses
import inspect
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal, TypeVar, Union, get_args, get_origin

import msgspec
from msgspec import Meta, Struct, structs

from plugsock.checks.places import Place, Places
from plugsock.loader import shape
from plugsock.loader.annotations import ASYNC_STREAMS, PLAIN_STREAMS, handed_in, resolve, stream_item
from plugsock.loader.catalog import Plug
from plugsock.model import Kind

NOTHING: Final = inspect.Parameter.empty

QUALIFIERS: Final = frozenset(
    getattr(typing, name)
    for name in ("Required", "NotRequired", "ReadOnly", "Final", "ClassVar")
    if hasattr(typing, name)
)
"""What stands around the type of a field and says nothing of its values."""


class Spot(Struct, frozen=True):
    """A parameter, a result or a field."""

    what: str
    """In a sentence: "`sku` of `Order`"."""
    place: Place
    declared: Any
    """All of its type; `NOTHING` where its author says none."""
    default: Any = NOTHING
    is_incoming: bool = False
    """A client sends it."""
    name: str = ""
    """Of a parameter or field."""


class Part(Struct, frozen=True, eq=False):
    """One type within what a spot declares."""

    type: Any
    """Without `Annotated` and names that only stand for another type."""
    spot: Spot
    bounds: tuple[Meta, ...] = ()
    is_key: bool = False
    """A dict's key: a text in JSON."""


def spots(plug: Plug, places: Places) -> Iterator[Spot]:
    """The parameters that a client gives, and the result."""
    signature = inspect.signature(plug.function)
    for name, parameter in signature.parameters.items():
        declared = _resolved(parameter.annotation, plug)
        if declared is NOTHING or handed_in(declared) is None:
            place = places.parameter(plug, name)
            yield Spot(f"`{name}`", place, declared, parameter.default, is_incoming=True, name=name)
    yield Spot("what comes out", places.result(plug), _output(_resolved(signature.return_annotation, plug), plug))


def _resolved(annotation: Any, plug: Plug) -> Any:
    return NOTHING if annotation is NOTHING else resolve(annotation, plug.function, "it")  # once more: it has loaded


def _output(declared: Any, plug: Plug) -> Any:
    """What comes out each time; a stream that does not say of what stays as it is."""
    if declared is not NOTHING and plug.signature.kind is Kind.STREAM and get_args(declared):
        return stream_item(declared, ASYNC_STREAMS + PLAIN_STREAMS)
    return declared


def parts(spot: Spot, places: Places) -> Iterator[Part]:
    """All types within what a spot declares, each class with its fields once: it may contain itself."""
    yield from _Walk(places).through(Part(spot.declared, spot), {})


class _Walk:
    """One way through a type."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._seen: set[Any] = set()

    def through(self, part: Part, given: Mapping[Any, Any]) -> Iterator[Part]:
        """Yield a part and all within; `given` says what type variables stand for."""
        part = _plain(part, given)
        origin, args = get_origin(part.type), get_args(part.type)
        if origin in (Union, types.UnionType):
            for member in args:
                yield from self.through(structs.replace(part, type=member), given)
        elif is_object(origin or part.type) or is_record(origin or part.type):
            yield from self._class(part, given)
        elif args and origin is not Literal:
            for number, member in enumerate(each for each in args if each is not ...):
                is_key = number == 0 and _is_mapping(origin)
                yield from self.through(structs.replace(part, type=member, bounds=(), is_key=is_key), given)
        else:
            yield part

    def _class(self, part: Part, given: Mapping[Any, Any]) -> Iterator[Part]:
        cls = get_origin(part.type) or part.type
        variables = dict(zip(getattr(cls, "__parameters__", ()), get_args(part.type), strict=False))
        given = {
            variable: given.get(type, type) if _is_variable(type) else type for variable, type in variables.items()
        }
        seen = (cls, *map(repr, given.values()))
        if seen in self._seen:
            return
        self._seen.add(seen)
        yield part
        for name, declared, default in fields(part.type if not get_args(part.type) else cls[get_args(part.type)]):
            place = self._places.field(cls, name) or part.spot.place
            what = f"`{name}` of `{cls.__name__}`"
            spot = Spot(what, place, declared, default, is_incoming=part.spot.is_incoming, name=name)
            yield from self.through(Part(declared, spot), given)


def _plain(part: Part, given: Mapping[Any, Any]) -> Part:
    """Take off what stands around a type: bounds are kept, names are followed."""
    while True:
        type, bounds = part.type, part.bounds
        if get_origin(type) is Annotated:
            type, *notes = get_args(type)
            bounds = (*bounds, *(note for note in notes if isinstance(note, Meta)))
        elif get_origin(type) in QUALIFIERS:
            type = get_args(type)[0]
        elif hasattr(type, "__supertype__"):
            type = type.__supertype__
        elif _is_variable(type):
            type = given.get(type) or getattr(type, "__bound__", None) or Any
        elif hasattr(type, "__value__"):  # `type Name = ...`
            type = type.__value__
        else:
            return part
        part = structs.replace(part, type=type, bounds=bounds)


def _is_variable(type: Any) -> bool:
    return isinstance(type, TypeVar)


def _is_mapping(origin: Any) -> bool:
    return isinstance(origin, type) and issubclass(origin, Mapping)


def is_object(cls: Any) -> bool:
    """Has it fields with names: a Struct, a dataclass, a class of attrs or a TypedDict?"""
    if not isinstance(cls, type):
        return False
    has_fields = dataclasses.is_dataclass(cls) or hasattr(cls, "__attrs_attrs__")
    return issubclass(cls, Struct) or has_fields or typing.is_typeddict(cls)


def is_record(cls: Any) -> bool:
    """Is it a NamedTuple?"""
    return isinstance(cls, type) and issubclass(cls, tuple) and hasattr(cls, "_fields")


def fields(cls: Any) -> Iterator[tuple[str, Any, Any]]:
    """Name, type and default of each field; `NOTHING` where there is none."""
    origin = get_origin(cls) or cls
    if isinstance(origin, type) and issubclass(origin, Struct):
        for each in structs.fields(cls):
            yield each.name, each.type, NOTHING if each.default is msgspec.NODEFAULT else each.default
        return
    defaults = getattr(origin, "_field_defaults", {}) if is_record(origin) else vars(origin)
    for name, declared in typing.get_type_hints(origin, include_extras=True).items():
        if get_origin(declared) is not typing.ClassVar:
            yield name, declared, defaults.get(name, NOTHING)


def shown(part: Part) -> str:
    """What a spot declares, as its author would write it."""
    return shape.text(part.spot.declared)
