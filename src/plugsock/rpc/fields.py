"""The one field of a payload that a text such as `{room}` names: read without the plug, and put into the text.

The gateway reads it from the payload, the worker from what that payload became; what they make of it is compared as
text. So 5 and "5" are the same to it, as they are to whoever reads that text: a plug takes one of them.
"""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

import msgspec
from msgspec import Struct

from plugsock.model import ORDER_FIELD

Reader: TypeAlias = Callable[[bytes, int], str]
"""`read(payload, format)`; the format is `model.JSON` or `model.MSGPACK`."""

WHOLE: Final = frozenset({"socket", "user"})
"""Texts that name no field, but who calls."""


class Template(Struct, frozen=True):
    """A text with room for one field, or one of `WHOLE`."""

    before: str
    field: str | None
    """Name of the field, as the payload has it."""
    after: str = ""

    def render(self, value: Any) -> str:
        """Put the field's value in.

        Raises:
            ValueError: It is neither a text nor a whole number.
        """
        if type(value) is str:
            return self.before + value + self.after
        if type(value) is int:
            return f"{self.before}{value}{self.after}"
        raise ValueError(f"{type(value).__name__} is neither a text nor a whole number")


def parse(order: str) -> Template:
    """Read a template.

    Raises:
        ValueError: It is neither of `WHOLE` nor a text with one field in it.
    """
    if order in WHOLE:
        return Template(order, None)
    if (found := ORDER_FIELD.fullmatch(order)) is None:
        raise ValueError(f"{order!r} is neither socket, user nor a text with one field in braces")
    return Template(order[: found.start(1) - 1], found[1], order[found.end(1) + 1 :])


def reader(template: Template) -> Reader:
    """A function that renders a template from a payload of which it decodes nothing but the field.

    It raises ValueError if the payload has no such field or can't be read, or if the field is neither a text nor a
    whole number.

    Raises:
        ValueError: The template names no field.
    """
    if template.field is None:
        raise ValueError(f"{template.before} is no field of a payload")
    type = msgspec.defstruct("Field", [("value", str | int)], rename={"value": template.field})
    decode = msgspec.json.Decoder(type).decode, msgspec.msgpack.Decoder(type).decode
    before, after = template.before, template.after

    def read(payload: bytes, format: int) -> str:
        try:  # the same text as from `render`, in a quarter less time
            return f"{before}{decode[format](payload).value}{after}"  # type: ignore[attr-defined]
        except (msgspec.DecodeError, RecursionError) as error:
            raise ValueError(str(error)) from None

    return read
