'''All shapes as a Python module, by which a program and a type checker know every event.

class Order(Struct):
    sku: str
    count: Annotated[int, Meta(ge=1)] = 1


class OrdersPlugs:
    """The events of `orders`."""

    async def place(self, order: Order) -> Order:
        """Place an order."""
        return await self._client.call("orders.place", order, type=Order)


class Plugs:
    def __init__(self, client: Client) -> None:
        self.orders = OrdersPlugs(client)
'''

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import inspect as spec

from plugsock.errors import CODES
from plugsock.loader.signature import Mode
from plugsock.shapes import infos, python_events, ts_names
from plugsock.shapes.events import Shapes
from plugsock.shapes.infos import Described
from plugsock.shapes.python_classes import declaration
from plugsock.shapes.python_events import Method, Parameter
from plugsock.shapes.python_names import CLASSES_TAKEN, ERROR_CODE, GIVEN, SHAPES, imports, literal
from plugsock.shapes.python_types import Types, wanted
from plugsock.shapes.ts_classes import Classes

HEADER: Final = '''\
"""What plugs look like to those who call them.

Made by `plugsock types --lang python`: what is changed here will be lost.

    async with connect("ws://127.0.0.1:8765", shapes=SHAPES) as client:
        plugs = Plugs(client)

A call is a method to await, a stream is one for `async for`, a view one for `async with`. What may be left out has the
default that the plug has. `BlockingPlugs` is the same for `plugsock.client.blocking`.
"""
'''

GIVEN_SOURCE: Final = f'''\
def {GIVEN}(parameters: dict[str, Any]) -> dict[str, Any]:
    """What was not left out."""
    return {{name: value for name, value in parameters.items() if value is not UNSET}}
'''

ABOUT_ERRORS: Final = "What the server itself answers as the `code` of an `Error`; a plug has codes of its own."

PAYLOAD: Final = "payload"
"""What the one parameter is called of which nothing is known but its type."""


def module(shapes: Shapes) -> str:
    """Write all of it; the same for the same names, shapes and docstrings, whatever else is different."""
    events = infos.describe(shapes.events)
    types, declared = _types(events)
    methods = [_method(each) for each in events]
    plugs = [
        each
        for style in (python_events.ASYNC, python_events.BLOCKING)
        for each in python_events.classes(python_events.grouped(methods), types, style)
    ]
    digest = f'{SHAPES}: Final = "{shapes.digest}"\n"""The hash of all shapes."""\n'
    codes = "".join(f"    {literal(code)},\n" for code in CODES)
    errors = f'{ERROR_CODE}: TypeAlias = Literal[\n{codes}]\n"""{ABOUT_ERRORS}"""\n'
    given = [GIVEN_SOURCE] if any(f"{GIVEN}({{" in each for each in plugs) else []
    body = "\n\n".join([f"{digest}\n{errors}", *declared, *given, *plugs])
    return f"{HEADER}\nfrom __future__ import annotations\n\n{imports(body)}\n{body}"


def _types(events: Sequence[Described]) -> tuple[Types, list[str]]:
    """How types are written, and the classes that they name: enums first, of which others may have a default."""
    classes = Classes(infos.used(events))
    found = {cls: info for (cls, _), info in classes.found.items()}
    types = Types(ts_names.distinct({cls: wanted(cls) for cls in found}, CLASSES_TAKEN))
    order = sorted(found, key=lambda cls: (not isinstance(found[cls], spec.EnumType), types.names[cls]))
    return types, [declaration(types.names[cls], found[cls], types) for cls in order]


def _method(each: Described) -> Method:
    event = each.event
    about, needed = event.doc.splitlines(), infos.needed(event.requires)
    return Method(
        event=event.name,
        kind=event.kind,
        about=[*about, "", *needed] if about and needed else [*about, *needed],
        parameters=list(_parameters(each)),
        is_whole=event.mode is not Mode.FIELDS,
        output=each.output,
    )


def _parameters(each: Described) -> Iterator[Parameter]:
    fields = infos.parameters(each)
    if fields is None:
        yield Parameter(each.event.parameter or PAYLOAD, each.input, each.event.is_optional)
        return
    for field in fields:
        about = "" if field.required else python_events.default_of(field)
        yield Parameter(field.encode_name, field.type, not field.required, about)
