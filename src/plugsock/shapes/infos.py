"""Events with their types as msgspec describes them, which the declarations in other languages are made of."""

from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec import inspect as spec

from plugsock.loader.signature import Mode
from plugsock.model import Raw, Requires
from plugsock.shapes.events import Event
from plugsock.shapes.ts_classes import Side


class Described(Struct, frozen=True):
    """An event, and its types as msgspec describes them; None for bytes that nobody decodes."""

    event: Event
    input: spec.Type | None
    output: spec.Type | None


def describe(events: Sequence[Event]) -> list[Described]:
    """Describe all types at once, since most events share them with others."""
    types = [type for event in events for type in (event.input, event.output)]
    infos = iter(spec.multi_type_info([type for type in types if type is not Raw]))
    described = [None if type is Raw else next(infos) for type in types]
    return [Described(*each) for each in zip(events, described[::2], described[1::2], strict=True)]


def used(events: Sequence[Described]) -> Iterator[tuple[spec.Type, Side]]:
    """All types that are named, and on which side."""
    for each in events:
        if each.input is not None:
            fields = parameters(each)
            yield from ((info, "in") for info in ([each.input] if fields is None else [f.type for f in fields]))
        if each.output is not None:
            yield each.output, "out"


def parameters(each: Described) -> Sequence[spec.Field] | None:
    """The fields of a payload that stand for parameters; None where it is the value of the one parameter."""
    if each.event.mode is not Mode.FIELDS:
        return None
    assert isinstance(each.input, spec.StructType)
    return each.input.fields


def needed(requires: Requires) -> list[str]:
    """A sentence that says what somebody must be allowed to; none where that is nothing."""
    alternatives = " and ".join(" or ".join(f"`{each}`" for each in any_of) for any_of in requires)
    return [f"Requires {alternatives}."] if alternatives else []
