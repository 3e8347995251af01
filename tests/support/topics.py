"""Topics as a test sees them: rules, and what clients are told."""

import json

from plugsock.model import Announcement, Kind, TopicRule
from plugsock.rpc.frames import Join, Leave, Publish
from support.scripted import Client, Stage, announce


def rule(pattern: str, *, requires: tuple = (), **more: object) -> Announcement:
    """A rule as a worker would announce it."""
    return announce(f"@topic:{pattern}", kind=Kind.TOPIC, requires=requires, topic=TopicRule(pattern, **more))


def publish(stage: Stage, topic: str, json: bytes = b"1", msgpack: bytes | None = None, needs: tuple = ()) -> None:
    """Let a plug publish something."""
    stage.gateway.emit(Publish(topic, "news", json, msgpack, 0, needs))


def put(stage: Stage, client: Client, topic: str, data: bytes | None = None, sequence: int = 0) -> None:
    """Let a plug put a socket into a topic."""
    stage.gateway.emit(Join(client.peer.id, topic, data, sequence))


def take_out(stage: Stage, client: Client, topic: str) -> None:
    """Let a plug take a socket out of a topic."""
    stage.gateway.emit(Leave(client.peer.id, topic, 0))


def join(client: Client, topic: str, id: int = 2) -> dict:
    """Join a topic; the answer."""
    client.say(f"join {id} {topic}")
    frame = next(frame for frame in client.wire.frames if frame[1].startswith(b"ok %d " % id))
    client.wire.frames.remove(frame)
    return json.loads(frame[1].removeprefix(b"ok %d " % id))


def at(position: dict) -> str:
    """Where one is by an answer."""
    return f"{position['epoch']}.{position['offset']}"


def notices(client: Client, name: str) -> list[dict]:
    """The notices of one name that came."""
    start = f"notice {name} "
    return [json.loads(frame.removeprefix(start)) for frame in client.heard() if frame.startswith(start)]
