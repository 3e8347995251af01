"""What a catalogue has become since a document of `plugsock schema` was written: what breaks who was built for that."""

import inspect
from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import Any, Final, get_origin

import msgspec
from msgspec import Struct

from plugsock.checks.compatible import Break, Comparison, Way
from plugsock.checks.parts import parts, spots
from plugsock.checks.places import Place, Places
from plugsock.checks.rules import BREAKING_CHANGE, Report, report
from plugsock.loader.catalog import Catalog, Plug
from plugsock.shapes.schema import DIALECT, OUTPUT

GOES: Final = {"in": "takes less than it did", "out": "may answer what it did not"}
ROOT: Final = {"in": "the payload", "out": "what comes out"}


class Baseline(Struct, frozen=True):
    """A document that `plugsock schema` has written."""

    file: str
    """As the user would type it."""
    text: str
    document: dict[str, Any]

    @property
    def shapes(self) -> str:
        """The hash that its server said."""
        return str(self.document.get("x-plugsock", {}).get("shapes", ""))

    def line(self, key: str) -> int:
        """Where a key first stands at its outermost; 1 if the file is written in another way."""
        found = [
            (len(line) - len(line.lstrip()), number)
            for number, line in enumerate(self.text.splitlines(), 1)
            if line.lstrip().startswith(f"{msgspec.json.encode(key).decode()}:")
        ]
        return min(found, default=(0, 1))[1]


def parsed(file: str, data: bytes) -> Baseline:
    """Read a document.

    Raises:
        ValueError: It is none that `plugsock schema` has written.
    """
    try:
        document = msgspec.json.decode(data, type=dict[str, Any])
        text = data.decode()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as wrong:
        raise ValueError(str(wrong)) from wrong
    if document.get("$schema") != DIALECT or "x-plugsock" not in document or not _is_whole(document):
        raise ValueError("it is no JSON Schema that `plugsock schema` has written")
    return Baseline(file, text, document)


def _is_whole(document: dict[str, Any]) -> bool:
    try:
        msgspec.convert(document, _Document)
    except msgspec.ValidationError:
        return False
    return True


class _About(Struct):
    kind: str


class _Event(Struct, rename={"about": "x-plugsock"}):
    about: _About
    properties: dict[str, dict[str, Any] | bool]
    required: list[str]


class _Head(Struct):
    shapes: str


class _Document(Struct, rename={"head": "x-plugsock", "types": "$defs"}):
    head: _Head
    properties: dict[str, _Event]
    types: dict[str, dict[str, Any] | bool]


class Found(Struct, frozen=True):
    """Something of an event that breaks clients."""

    event: str
    way: Way | None
    """None if it is about the event as a whole."""
    what: Break
    """Without a `way` only its sentence says something."""


def compared(was: dict[str, Any], now: dict[str, Any], unsure: Collection[str] = ()) -> list[Found]:
    """Compare two documents.

    Args:
        was: The one that clients were built for.
        now: The one of now.
        unsure: Events that may be there and can't be told, because something does not load.
    """
    before, after = msgspec.convert(was, _Document), msgspec.convert(now, _Document)
    ways: dict[Way, Comparison] = {way: Comparison(before.types, after.types, way) for way in ("in", "out")}
    found: list[Found] = []
    for name, event in before.properties.items():
        other = after.properties.get(name)
        if other is not None:
            found += _of_event(name, event, other, ways)
        elif name not in unsure:
            found.append(_whole(name, "is gone"))
    return found


def _of_event(name: str, was: _Event, now: _Event, ways: dict[Way, Comparison]) -> Iterator[Found]:
    if was.about.kind != now.about.kind:
        yield _whole(name, f"was a {was.about.kind} and is a {now.about.kind}")
        return
    output = next(each for kind, each in OUTPUT.items() if kind.value == was.about.kind)
    payload = was.properties.get("payload", True), now.properties.get("payload", True)
    lacks = ways["in"].breaks(*payload)
    if "payload" in now.required and "payload" not in was.required and not lacks:
        lacks = [Break("", "", "", "must be given now")]
    yield from (Found(name, "in", each) for each in lacks)
    outputs = was.properties.get(output, True), now.properties.get(output, True)
    yield from (Found(name, "out", each) for each in ways["out"].breaks(*outputs))


def _whole(event: str, what: str) -> Found:
    return Found(event, None, Break("", "", "", what))


class Breaking:
    """Says what breaks, and where that stands now."""

    def __init__(self, catalog: Catalog, places: Places, baseline: Baseline) -> None:
        self._catalog = catalog
        self._places = places
        self._baseline = baseline

    def reports(self, found: Collection[Found]) -> Iterator[tuple[Report, Place]]:
        """A report of each, and one only where several events have a type in common."""
        alike: dict[Any, list[Found]] = defaultdict(list)
        for each in found:
            place = self._place(each)
            shared = (each.what.type, each.what.field, each.what.what) if each.what.type else (each.event, each.what)
            alike[(place, each.way, shared)].append(each)
        for (place, _, _), those in alike.items():
            sentence = _sentence(those[0], [each.event for each in those[1:]])
            yield report(BREAKING_CHANGE, place.file, place.line, sentence, [each.event for each in those]), place

    def _place(self, found: Found) -> Place:
        plug = self._catalog.get(found.event)
        if plug is None:
            line = self._baseline.line(found.event)
            return Place(self._baseline.file, line, frozenset())
        return self._within(plug, found) or self._places.plug(plug)

    def _within(self, plug: Plug, found: Found) -> Place | None:
        what = found.what
        if found.way is None:
            return None
        if what.type:
            cls = _named(what.type, _classes(plug, self._places))
            if cls is not None:
                return self._places.field(cls, _attribute(cls, what.field)) if what.field else self._places.cls(cls)
        names = inspect.signature(plug.function).parameters
        if found.way == "in":
            name = (
                what.field if what.field in names else what.path.partition(".")[2].partition(".")[0].partition("[")[0]
            )
            return self._places.parameter(plug, name)
        return self._places.result(plug)


def _sentence(found: Found, others: list[str]) -> str:
    event, what = f"`{found.event}`", found.what
    if found.way is None:
        return f"{event} {what.what}"
    more = f" (also {', '.join(f'`{each}`' for each in others)})" if others else ""
    subject = f"`{what.path.removeprefix('.')}`" if what.path else ROOT[found.way]
    return f"{event}{more} {GOES[found.way]}: {subject} {what.what}"


def _classes(plug: Plug, places: Places) -> dict[str, Any]:
    """The classes that an event's types name, as documents call them: by their names, or in full where two have one."""
    found: dict[str, Any] = {}
    for spot in spots(plug, places):
        for part in parts(spot, places):
            cls = get_origin(part.type) or part.type
            if isinstance(cls, type):
                found.setdefault(cls.__name__, cls)
                found[f"{cls.__module__}.{cls.__qualname__}"] = cls
    return found


def _named(name: str, classes: dict[str, Any]) -> Any:
    """The class of a document's name; that of a generic one goes on with what it was made of: `Page_int_`."""
    generic = (each for each in sorted(classes, key=len, reverse=True) if name.startswith(f"{each}_"))
    return classes.get(name) or classes.get(next(generic, ""))


def _attribute(cls: Any, encoded: str) -> str:
    """A field's name in Python."""
    if issubclass(cls, Struct):
        names = zip(cls.__struct_encode_fields__, cls.__struct_fields__, strict=True)
        return next((name for said, name in names if said == encoded), encoded)
    return encoded
