"""All events as an AsyncAPI 3 document: what each frame carries, and who sends it.

Its schemas are AsyncAPI's own, a superset of draft 7 of JSON Schema, because that is what its tools read.
"""

from typing import Any, Final

import msgspec

from plugsock.model import Fault, Requires
from plugsock.shapes import schema
from plugsock.shapes.describe import Described, Sides
from plugsock.shapes.events import Event, Shapes, Topic
from plugsock.shapes.examples import with_examples
from plugsock.shapes.frames import ABOUT, FRAMES, Frames
from plugsock.shapes.walk import Schema, changed

Part = dict[str, Any]

SUBPROTOCOL: Final = "plugsock.v1"

WEBSOCKET: Final = {
    "ws": {
        "method": "GET",
        "headers": {
            "type": "object",
            "properties": {"Sec-WebSocket-Protocol": {"type": "string", "const": SUBPROTOCOL}},
        },
        "bindingVersion": "0.1.0",
    }
}
"""How the socket is opened on which a channel is."""

ERROR: Final = "#/components/messages/error"


def document(shapes: Shapes, described: Described, *, host: str, is_secure: bool) -> Part:
    """Put together the document of what was described.

    Args:
        shapes: All that there is.
        described: What of it is shown.
        host: Where the server is: `127.0.0.1:8765`.
        is_secure: It is to be reached by wss://.
    """
    events = [event for event in shapes.events if event.name in described.sides]
    topics = {f"@topic:{each.rule.pattern}": each for each in shapes.topics}
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "plugsock", "version": shapes.digest, "description": ABOUT},
        "x-plugsock": {"shapes": shapes.digest},
        "defaultContentType": "application/json",
        "servers": {"plugsock": {"host": host, "protocol": "wss" if is_secure else "ws"}},
        "channels": {event.name: _channel(event, described.sides[event.name]) for event in events}
        | {name: _topic_channel(topic) for name, topic in topics.items()},
        "operations": {event.name: _operation(event) for event in events}
        | {name: _pushing(name, topic) for name, topic in topics.items()},
        "components": {
            "messages": {"error": _message("error", "Why there is no answer.", _fault())},
            "schemas": {name: as_draft_7(each) for name, each in described.types.items()},
        },
    }


def _channel(event: Event, sides: Sides) -> Part:
    frames, sides = FRAMES[event.kind], with_examples(event, sides)
    messages = {
        frames.verb: _message(f"{frames.verb} {event.name}", frames.asks, sides.payload),
        frames.answer: _message(f"{frames.answer} {event.name}", frames.answers, sides.output),
        "error": {"$ref": ERROR},
    }
    if frames.ends:
        messages["ok"] = _message(f"ok {event.name}", frames.ends, {"type": "null"})
    return {"address": event.name, **_described(event.doc), "messages": messages, "bindings": WEBSOCKET}


def _operation(event: Event) -> Part:
    """What the server does: it receives what clients ask."""
    frames, channel = FRAMES[event.kind], _pointer("channels", event.name)
    return {
        "action": "receive",
        "channel": {"$ref": channel},
        **_described(_needed(event.requires)),
        "messages": [{"$ref": f"{channel}/messages/{frames.verb}"}],
        "reply": {
            "channel": {"$ref": channel},
            "messages": [{"$ref": f"{channel}/messages/{name}"} for name in _replies(frames)],
        },
        "x-plugsock": schema.about(event),
    }


def _replies(frames: Frames) -> list[str]:
    return [frames.answer, *(["ok"] if frames.ends else []), "error"]


def _topic_channel(topic: Topic) -> Part:
    pattern = topic.rule.pattern
    rest = {"rest": {"description": f"What stands for the `*` of `{pattern}`."}}
    return {
        "address": pattern.removesuffix("*") + "{rest}" if pattern.endswith("*") else pattern,
        "description": "Clients may `join` it.",
        **({"parameters": rest} if pattern.endswith("*") else {}),
        "messages": {"push": _message(f"push {pattern}", "What plugs publish there; its event says what it is.", True)},
        "bindings": WEBSOCKET,
    }


def _pushing(name: str, topic: Topic) -> Part:
    channel = _pointer("channels", name)
    return {
        "action": "send",
        "channel": {"$ref": channel},
        **_described(_needed(topic.requires)),
        "messages": [{"$ref": f"{channel}/messages/push"}],
        "x-plugsock": schema.topic(topic),
    }


def _message(title: str, summary: str, payload: Schema) -> Part:
    said = {} if payload is True else as_draft_7(payload)  # here AsyncAPI takes no boolean
    return {"name": title.partition(" ")[0], "title": title, "summary": summary, "payload": said}


def _described(text: str) -> Part:
    return {"description": text} if text else {}


def _needed(requires: Requires) -> str:
    alternatives = (" or ".join(f"`{permission}`" for permission in any_of) for any_of in requires)
    return f"For those who have {' and '.join(alternatives)}." if requires else ""


def _pointer(*parts: str) -> str:
    """A JSON Pointer (RFC 6901) into this document."""
    return "#/" + "/".join(part.replace("~", "~0").replace("/", "~1") for part in parts)


def _fault() -> Schema:
    _, components = msgspec.json.schema_components([Fault])
    fault: Part = components["Fault"]
    return fault


def as_draft_7(schema: Schema) -> Schema:
    """The same in the words of draft 7, for a document that has its named types under `components`."""
    return changed(schema, _as_draft_7)


def _as_draft_7(schema: Part) -> Schema:
    if "prefixItems" in schema:
        rest = {"additionalItems": schema["items"]} if "items" in schema else {}
        schema = {**schema, "items": schema["prefixItems"], **rest}
        del schema["prefixItems"]
    if "$ref" in schema:
        there = {"$ref": schema.pop("$ref").replace("#/$defs/", "#/components/schemas/")}
        return {"allOf": [there], **schema} if schema else there  # beside a reference, draft 7 reads nothing
    return schema
