"""What `order` and `requires` may name in a payload: a field that every payload has, and that says one plain thing.

The gateway reads that field without knowing the plug, so it must be found by its name alone.
"""

from collections.abc import Callable
from operator import attrgetter, itemgetter
from typing import Any

from msgspec import inspect as spec

from plugsock.errors import DeclareError
from plugsock.loader.signature import Mode, Signature
from plugsock.model import ORDER_FIELD, Kind, Requires


def order_value(signature: Signature, order: str) -> Callable[[Any], Any] | None:
    """A function that reads the field from a bound payload; None if `order` names no field.

    Raises:
        DeclareError: Calls can't be put in order by it; one sentence says why and what would be right.
    """
    return _field_value(signature, f"order={order!r}", named[1]) if (named := ORDER_FIELD.fullmatch(order)) else None


def required_values(signature: Signature, requires: Requires) -> dict[str, Callable[[Any], Any]]:
    """The fields that permissions name, each with a function that reads it from a bound payload.

    Raises:
        DeclareError: A permission can't be made of it; one sentence says why and what would be right.
    """
    if signature.kind is Kind.TOPIC:  # the `*` of its pattern stands in no payload
        return {}
    texts = [text for any_of in requires for text in any_of]
    named = {found[1]: text for text in texts if (found := ORDER_FIELD.fullmatch(text))}
    return {name: _field_value(signature, f"requires={text!r}", name) for name, text in named.items()}


def _field_value(signature: Signature, said: str, name: str) -> Callable[[Any], Any]:
    shape = _shape(signature, said)
    field = next((field for field in shape.fields if field.encode_name == name), None)
    if field is None:
        known = ", ".join(f"`{field.encode_name}`" for field in shape.fields) or "none"
        raise DeclareError(f"{said} names no field of the payload: there is {known}")
    if not field.required or signature.is_optional:
        raise DeclareError(f"{said} needs a field that every payload has: `{name}` must have no default")
    if not _is_plain(field.type):
        raise DeclareError(f"{said} needs a field that is a text or a whole number: make `{name}` str or int")
    return itemgetter(field.name) if isinstance(shape, spec.TypedDictType) else attrgetter(field.name)


def _shape(signature: Signature, said: str) -> spec.StructType | spec.DataclassType | spec.TypedDictType:
    """The one class that payloads are decoded into."""
    if signature.mode is not Mode.RAW:
        shape = spec.type_info(signature.input)
        if isinstance(shape, spec.DataclassType | spec.TypedDictType):
            return shape
        if isinstance(shape, spec.StructType) and not shape.array_like:
            return shape
    raise DeclareError(
        f"{said} needs a payload that has fields: take them as parameters, or as one Struct that is an object"
    )


def _is_plain(info: spec.Type) -> bool:
    """Are its values texts or whole numbers, whatever bounds they have?"""
    if isinstance(info, spec.Metadata):
        return _is_plain(info.type)
    if isinstance(info, spec.LiteralType):
        return all(isinstance(value, str | int) for value in info.values)
    return isinstance(info, spec.StrType | spec.IntType)
