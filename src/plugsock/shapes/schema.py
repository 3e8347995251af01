"""All events as one JSON Schema (2020-12).

    {
      "$schema": "https://json-schema.org/draft/2020-12/schema",
      "x-plugsock": {"shapes": "5d41402abc4b", "topics": [...]},
      "type": "object",
      "properties": {
        "orders.place": {
          "type": "object",
          "description": "Place an order.",
          "properties": {"payload": {...}, "result": {"$ref": "#/$defs/Receipt"}},
          ...
        }
      },
      "$defs": {"Receipt": {...}}
    }

Every schema in it stands where a validator looks for schemas, so each can be referred to from outside:
`schema.json#/$defs/Receipt`, `schema.json#/properties/orders.place/properties/payload`. As a whole it describes examples,
an object with a payload and a result for each event.
"""

from typing import Any, Final

from plugsock.model import Kind
from plugsock.shapes.describe import Described, Sides
from plugsock.shapes.events import Event, Shapes, Topic
from plugsock.shapes.examples import given_answers, with_examples
from plugsock.shapes.walk import Schema

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

OUTPUT: Final = {Kind.CALL: "result", Kind.STREAM: "item", Kind.VIEW: "value"}
"""What comes out of each kind of event is called."""


def document(shapes: Shapes, described: Described) -> dict[str, Any]:
    """Put together the schema of what was described."""
    return {
        "$schema": DIALECT,
        "title": "The events of a plugsock server",
        "x-plugsock": {"shapes": shapes.digest, "topics": [topic(each) for each in shapes.topics]},
        "type": "object",
        "properties": {
            event.name: _event(event, described.sides[event.name])
            for event in shapes.events
            if event.name in described.sides
        },
        "additionalProperties": False,
        "$defs": described.types,
    }


def topic(topic: Topic) -> dict[str, Any]:
    """A rule for topics, for machines."""
    rule = topic.rule
    return {"pattern": rule.pattern, "history": rule.history, "presence": rule.presence, "requires": topic.requires}


def about(event: Event) -> dict[str, Any]:
    """What there is to say of an event beside its types, for machines.

    `requires` has of each inner list one permission that is enough; `audience` says for whom a view runs; `answers` of
    a stream are lists of items, which come back for the first examples of its payload.
    """
    said: dict[str, Any] = {"kind": event.kind, "shape": event.shape, "requires": event.requires}
    if event.kind is Kind.STREAM and (answers := given_answers(event)):
        said["answers"] = answers
    return said if event.view is None else {**said, "audience": event.view.audience}


def _event(event: Event, sides: Sides) -> Schema:
    output, sides = OUTPUT[event.kind], with_examples(event, sides)
    description = {"description": event.doc} if event.doc else {}
    return {
        "type": "object",
        **description,
        "x-plugsock": about(event),
        "properties": {"payload": sides.payload, output: sides.output},
        "required": [output] if event.is_optional else ["payload", output],
        "additionalProperties": False,
    }
