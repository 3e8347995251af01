"""Who hears what the server says unasked: callbacks as it comes, loops through a queue."""

import weakref
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from plugsock.client.callbacks import Callbacks
from plugsock.client.codec import decode
from plugsock.client.pushes import Push, Pushes
from plugsock.client.topics import Topic, read_left, read_presence
from plugsock.wire.header import ServerFrame, parse_options


class Listeners:
    """Everybody on a socket who wants to hear of pushes and notices."""

    def __init__(self) -> None:
        self._events: defaultdict[str, Callbacks] = defaultdict(Callbacks)
        self._notices = Callbacks()
        self._pushes: weakref.WeakSet[Pushes] = weakref.WeakSet()
        self._topics: defaultdict[str, list[Topic]] = defaultdict(list)
        self._lost: tuple[int, str] | None = None

    def on(self, event: str, callback: Callable[[Any], object]) -> Callable[[], None]:
        """Tell a function of every push of an event."""
        return self._events[event].add(callback)

    def on_notice(self, callback: Callable[[str, Any], object]) -> Callable[[], None]:
        """Tell a function of every notice."""
        return self._notices.add(callback)

    def collect(self, limit: int) -> Pushes:
        """Keep every push for a loop."""
        pushes = Pushes(limit)
        if self._lost:
            pushes.lose(*self._lost)
        self._pushes.add(pushes)
        return pushes

    def knows(self, topic: str) -> bool:
        """Is somebody in this topic already?"""
        return bool(self._topics.get(topic))

    def positions(self) -> dict[str, str | None]:
        """The topics that this client is in, and where it stands in each."""
        inside = ((name, [topic for topic in topics if topic.is_joined]) for name, topics in self._topics.items())
        return {name: topics[0].position for name, topics in inside if topics}

    def returned(self, answers: dict[str, Any]) -> None:
        """Take what a `welcome` says of the topics that were named in the `hello`."""
        for name, answer in answers.items():
            for topic in self._topics.get(name, ()):
                if topic.is_joined:
                    topic.returned(answer)

    def enter(self, topic: Topic) -> None:
        """Tell a topic of its pushes and its members."""
        self._topics[topic.name].append(topic)

    def exit(self, topic: Topic) -> None:
        """Tell it no more."""
        others = self._topics[topic.name]
        others.remove(topic)
        if not others:
            del self._topics[topic.name]

    def pushed(self, frame: ServerFrame, *, binary: bool) -> None:
        """Hand out a push."""
        event, _, options = frame.event.decode().partition("?")
        at = parse_options(options.encode()).at if options else ""
        topic = None if frame.token == b"-" else frame.token.decode()
        push = Push(topic, event, decode(frame.payload, Any, binary=binary), at or None)
        if event in self._events:
            self._events[event].tell(push.data)
        for each in tuple(self._topics.get(topic, ()) if topic else ()):
            each.put(push)
        for pushes in tuple(self._pushes):
            pushes.put(push)

    def noticed(self, name: str, data: Any) -> None:
        """Hand out a notice, once what it says of topics holds."""
        if name == "presence":
            presence = read_presence(data)
            for topic in self._topics.get(presence.topic, ()):
                topic.changed(presence)
        elif name == "left":
            left = read_left(data)
            for topic in self._topics.get(left.topic, ()):
                topic.expel(left.reason)
        self._notices.tell(name, data)

    def lose(self, code: int, reason: str) -> None:
        """The connection went for good."""
        self._lost = code, reason
        for pushes in tuple(self._pushes):
            pushes.lose(code, reason)
        for topics in self._topics.values():
            for topic in topics:
                topic.lose(code, reason)
