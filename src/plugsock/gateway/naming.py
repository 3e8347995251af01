"""Which arguments are the same, however they are spelt: `{"a":1}` and `{ "a": 1 }`.

The gateway reads no payload, so it asks a worker, once for each spelling.
"""

from collections.abc import Callable, Collection
from typing import Final, TypeAlias

from plugsock.gateway.calls import Calls
from plugsock.gateway.deputy import Deputy
from plugsock.gateway.live import read_fault
from plugsock.gateway.routes import Route
from plugsock.model import Fault
from plugsock.rpc import views
from plugsock.wire.header import parse_server

MOST: Final = 4096
LONGEST: Final = 4096
"""So many names are remembered, of spellings of up to so many bytes: 16 MiB at most, and mostly much less."""

Named: TypeAlias = Callable[[bytes | Fault], None]
"""Hears the name of the arguments, or why they can't be told."""

_Spelling: TypeAlias = tuple[str, str, int, bytes]
"""Event, revision, format and payload."""


class Naming:
    """Names arguments."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._known: dict[_Spelling, bytes] = {}
        self._asked: dict[_Spelling, tuple[Deputy, list[Named]]] = {}

    def name(self, route: Route, payload: bytes, format: int, then: Named) -> None:
        """Find out what the arguments are called; `then` hears it, once, perhaps at once."""
        spelling = route.event, route.revision, format, payload
        known = self._known.get(spelling)
        if known is not None:
            then(known)
        elif spelling in self._asked:
            self._asked[spelling][1].append(then)
        else:
            deputy = Deputy(lambda _binary, frame: self._told(spelling, frame))
            self._asked[spelling] = deputy, [then]
            self._calls.run(deputy, route, views.encode(views.Asked(payload, only_named=True)), format, ())

    def forget(self, events: Collection[str]) -> None:
        """These events are other ones now: nothing comes of what was asked, and whoever waits for it asks again."""
        self._known = {spelling: name for spelling, name in self._known.items() if spelling[0] not in events}
        for spelling in [spelling for spelling in self._asked if spelling[0] in events]:
            deputy, _ = self._asked.pop(spelling)
            for call in list(deputy.session.calls.values()):
                self._calls.drop(call)

    def _told(self, spelling: _Spelling, frame: bytes) -> None:
        answer = parse_server(frame)
        name: bytes | Fault
        if answer.verb == b"ok":
            name = views.read_told(answer.payload).name
            if len(spelling[-1]) <= LONGEST:
                if len(self._known) >= MOST:
                    self._known.clear()
                self._known[spelling] = name
        else:
            name = read_fault(answer.payload, spelling[2])
        for then in self._asked.pop(spelling)[1]:
            then(name)
