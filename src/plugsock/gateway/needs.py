"""What a call must be allowed to: read from what its event requires and, where that names a field, from its payload."""

from collections.abc import Sequence
from typing import TypeAlias

from msgspec import Struct

from plugsock.gateway.refusal import Refused, unreadable
from plugsock.hub.rights import VALUE
from plugsock.model import Requires
from plugsock.rpc import fields
from plugsock.wire.answer import fault


class Field(Struct, frozen=True):
    """A permission with one field of the payload in it."""

    name: str
    """Of the field."""
    read: fields.Reader
    before: str
    after: str


Permission: TypeAlias = str | Field


class Needs:
    """What an event requires of its callers.

    Attributes:
        fixed: The same for every payload; None if a field has to be read.
    """

    def __init__(self, requires: Requires) -> None:
        self._alternatives = [[_permission(text) for text in any_of] for any_of in requires]
        has_fields = any(isinstance(each, Field) for any_of in self._alternatives for each in any_of)
        self.fixed = None if has_fields else requires

    def of(self, payload: bytes, format: int) -> Requires:
        """What this very call needs.

        Raises:
            Refused: The payload lacks a field that a permission names, or has neither a text nor a whole number there.
        """
        if self.fixed is not None:
            return self.fixed
        return tuple(tuple(_read(any_of, payload, format)) for any_of in self._alternatives)


def _permission(text: str) -> Permission:
    if "{" not in text:
        return text
    template = fields.parse(text)
    return Field(template.field or "", fields.reader(template), template.before, template.after)


def _read(any_of: Sequence[Permission], payload: bytes, format: int) -> list[str]:
    texts = [each if isinstance(each, str) else _rendered(each, payload, format) for each in any_of]
    possible = [text for text in texts if text is not None]
    if not possible:
        paths = ", ".join(f"$.{each.name}" for each in any_of if isinstance(each, Field))
        raise Refused(
            fault("forbidden", "No permission can be about this: it has 1 to 64 of A-Z a-z 0-9 _ / -", path=paths)
        )
    return possible


def _rendered(field: Field, payload: bytes, format: int) -> str | None:
    """The permission for what the payload has; None if there is none for that."""
    try:
        text = field.read(payload, format)
    except ValueError as error:
        raise unreadable(error, f"$.{field.name}") from None
    fits = VALUE.fullmatch(text, len(field.before), len(text) - len(field.after))
    return text if fits else None
