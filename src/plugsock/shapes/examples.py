"""The examples of events, where documents have a place for them.

The examples of what comes out are answers to the first examples of what goes in, in the same order. Those of an item are
no answers, as these are lists of items: those are said beside the schemas, as `x-plugsock.answers`.
"""

from typing import Any, Final

import msgspec

from plugsock.model import Kind
from plugsock.shapes.describe import Sides
from plugsock.shapes.events import Event
from plugsock.shapes.walk import Schema

LONGEST_TEXT: Final = 200
"""Characters of an example in a comment; a longer one is cut."""


def with_examples(event: Event, sides: Sides) -> Sides:
    """The schemas of an event with its examples in them."""
    payloads = [each.payload for each in event.examples]
    answers = given_answers(event)
    output = [item for items in answers for item in items] if event.kind is Kind.STREAM else answers
    return Sides(_with(sides.payload, payloads), _with(sides.output, output))


def given_answers(event: Event) -> list[Any]:
    """What comes back for the first examples of the payload."""
    return [each.answer for each in event.examples if each.has_answer]


def _with(schema: Schema, examples: list[Any]) -> Schema:
    if not examples:
        return schema
    return {**(schema if isinstance(schema, dict) else {}), "examples": examples}


def comments(event: Event) -> list[str]:
    """The examples as tags of TSDoc."""
    lines = []
    for each in event.examples:
        answer = f" // {_text(each.answer)}" if each.has_answer else ""
        lines.append(f"@example {_text(each.payload)}{answer}")
    return lines


def _text(value: Any) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 3]}..."
