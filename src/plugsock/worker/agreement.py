"""Does a plug see in its payload what the gateway has seen? Else two readers could be played against each other.

The gateway reads single fields without knowing the plug: that of `order`, and those of the permissions in `requires`. A
plug's own types may make something else of the same bytes: a `__post_init__` that turns `Berlin` into `berlin` would let
through whoever is denied just the one. What the gateway made of an `order` stands in the call; what it made of other
fields is found out here, by reading the same bytes in the same way.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

from plugsock.loader.order import order_value, required_values
from plugsock.loader.signature import Signature
from plugsock.model import Announcement, Fault
from plugsock.rpc import fields
from plugsock.rpc.frames import Call

Differs: TypeAlias = Callable[[Call, Any], Fault | None]
"""`differs(call, value)`: why a call must not run, given what its payload was decoded to; None if it may."""

_Seen: TypeAlias = tuple[str, str, Callable[[Call], str], Callable[[Any], str]]
"""A field and what it is for; what the gateway made of it in a call, and what is to be made of a decoded payload."""


def differs(announcement: Announcement, signature: Signature) -> Differs | None:
    """What holds the calls of an event against what the gateway has read of them; None if it reads nothing."""
    seen = [*_ordered(announcement.order, signature), *_required(announcement, signature)]
    if not seen:
        return None

    def compare(call: Call, value: Any) -> Fault | None:
        for field, purpose, read, render in seen:
            if not _is_same(call, value, read, render):
                message = f"The field `{field}`, by which {purpose}, can't be read in one way."
                return Fault("bad_payload", message, path=f"$.{field}")
        return None

    return compare


def _is_same(call: Call, value: Any, read: Callable[[Call], str], render: Callable[[Any], str]) -> bool:
    try:
        return read(call) == render(value)
    except BaseException:  # code of the plug's own types, or there is no such field in the payload
        return False


def _ordered(order: str, signature: Signature) -> list[_Seen]:
    value_of = order_value(signature, order)
    if value_of is None:
        return []
    template = fields.parse(order)
    return [(str(template.field), "calls are put in order", lambda call: call.order, _rendered(template, value_of))]


def _required(announcement: Announcement, signature: Signature) -> list[_Seen]:
    values = required_values(signature, announcement.requires)
    return [(field, "permissions are checked", *_both(field, value_of)) for field, value_of in values.items()]


def _both(field: str, value_of: Callable[[Any], Any]) -> tuple[Callable[[Call], str], Callable[[Any], str]]:
    alone = fields.Template("", field)
    read = fields.reader(alone)
    return lambda call: read(call.payload, call.format), _rendered(alone, value_of)


def _rendered(template: fields.Template, value_of: Callable[[Any], Any]) -> Callable[[Any], str]:
    return lambda value: template.render(value_of(value))
