"""What a catalogue looks like from outside: what clients can call, what goes in, and what comes out."""

import inspect
from collections.abc import Collection
from typing import Any

from msgspec import Struct, structs

from plugsock import digest
from plugsock.loader import fitting
from plugsock.loader.catalog import Catalog, Plug
from plugsock.loader.examples import Example
from plugsock.loader.signature import Mode, arguments_of
from plugsock.model import Kind, Requires, TopicRule, Watching


class Event(Struct, frozen=True, eq=False):
    """What clients can call or watch."""

    name: str
    kind: Kind
    """A call, a stream or a view."""
    doc: str
    """The whole docstring, without its indentation."""
    mode: Mode
    """What the payload is: an object with the parameters as fields, the value of the one parameter, or bytes."""
    input: Any
    """The type of the payload, for msgspec; `Raw` where nobody decodes it.

    With `Mode.FIELDS` it is a Struct that is called like the event, and the encoded names of its fields are those of
    the parameters.
    """
    output: Any
    """The type of the result, of a stream's items or of a view's values; `Any` where nothing is said."""
    is_optional: bool
    """It can be called without a payload: all that it takes has a default."""
    requires: Requires
    view: Watching | None
    """Of a view: when it runs again, and for whom."""
    place: str
    """`file:line` of the function."""
    shape: str
    """Hash over input and output, which neither docstrings nor examples move."""
    examples: tuple[Example, ...] = ()
    """Those that fit, as plain values; those that have an answer come first."""
    parameter: str = ""
    """What the one parameter is called whose value is the payload; empty if the payload is none of one."""


class Topic(Struct, frozen=True):
    """A rule by which clients may join topics."""

    rule: TopicRule
    requires: Requires
    place: str
    """`file:line`."""


class Shapes(Struct, frozen=True, eq=False):
    """All that clients can see of a catalogue."""

    events: tuple[Event, ...]
    """By name."""
    topics: tuple[Topic, ...]
    """By pattern."""
    digest: str
    """What a server that serves this says as `shapes` in its `welcome`."""


def read(catalog: Catalog) -> Shapes:
    """Read a catalogue; what no client can call is left out, but for the rules for topics."""
    plugs = [catalog[name] for name in sorted(catalog)]
    events = tuple(_event(plug) for plug in plugs if not plug.announcement.is_hidden)
    topics = tuple(topic for plug in plugs if (topic := _topic(plug)) is not None)
    return Shapes(events, topics, digest.of_shapes((event.name, event.shape) for event in events))


def only(shapes: Shapes, events: Collection[str]) -> Shapes:
    """Some of the events, and no topics; the digest stays that of all."""
    return structs.replace(shapes, events=tuple(each for each in shapes.events if each.name in events), topics=())


def _event(plug: Plug) -> Event:
    announced, signature = plug.announcement, plug.signature
    return Event(
        name=announced.event,
        kind=announced.kind,
        doc=inspect.getdoc(plug.function) or "",
        mode=signature.mode,
        input=signature.input,
        output=signature.output,
        is_optional=_can_be_empty(plug),
        requires=announced.requires,
        view=announced.view,
        place=announced.place,
        shape=announced.shape,
        examples=fitting.plain(plug),
        parameter=_parameter(plug),
    )


def _parameter(plug: Plug) -> str:
    if plug.signature.mode is Mode.FIELDS:
        return ""
    return next((each.name for each in arguments_of(plug.function) if each.source == "field"), "")


def _can_be_empty(plug: Plug) -> bool:
    try:
        plug.signature.bind(b"", 0)
    except Exception:  # a type of the author's may raise what it likes
        return False
    return True


def _topic(plug: Plug) -> Topic | None:
    announced = plug.announcement
    return None if announced.topic is None else Topic(announced.topic, announced.requires, announced.place)
