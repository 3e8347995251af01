"""Whether all that fits one JSON Schema fits another: whether what went in still may, and what comes out already might.

It knows the keywords that the documents of `plugsock schema` are made of. One thing it does not take as JSON Schema
does: who lets unknown fields pass has said nothing of them, so a field that is new may be of any type.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias

from msgspec import Struct, structs

from plugsock.checks import bounds
from plugsock.checks.wording import both, words
from plugsock.shapes.walk import Schema

Way: TypeAlias = Literal["in", "out"]

VALUES: Final = "values"
ANYTHING: Final = "anything"


class Break(Struct, frozen=True):
    """One thing that has become narrower on the way in, or wider on the way out."""

    path: str
    """From the payload or output: `.lines[].sku`; empty for all of it."""
    type: str
    """The named type of now in which it is; empty if it is in none."""
    field: str
    """And its field there, or of the payload itself; empty if it is the type as a whole."""
    what: str
    """The rest of a sentence about the path: "was `int` and is `str`"."""


class Comparison:
    """Compares schemas of two documents; what is compared once is not gone through again."""

    def __init__(self, was: Mapping[str, Schema], now: Mapping[str, Schema], way: Way) -> None:
        """Compare one way.

        Args:
            was: The named types of the document before.
            now: Those of the document of now.
            way: `in` for payloads, `out` for what comes out.
        """
        self._way = way
        self._narrow, self._wide = (was, now) if way == "in" else (now, was)
        self._known: dict[tuple[str, str], list[Break]] = {}

    def breaks(self, was: Schema, now: Schema) -> list[Break]:
        """What breaks clients that were built for the first."""
        narrow, wide = (was, now) if self._way == "in" else (now, was)
        return list(dict.fromkeys(self._compared(narrow, wide)))

    def _compared(self, narrow: Schema, wide: Schema) -> list[Break]:
        """Compare, remembering named types: two that are being compared already are taken to fit, as they may be in circles."""
        names = _name(narrow), _name(wide)
        if not any(names):
            return list(self._alternatives(narrow, wide))
        pair = (names[0] or repr(narrow), names[1] or repr(wide))
        if pair not in self._known:
            self._known[pair] = []
            now = names[1] if self._way == "in" else names[0]
            found = self._alternatives(narrow, wide)
            self._known[pair] = [each if each.type or not now else structs.replace(each, type=now) for each in found]
        return self._known[pair]

    def _alternatives(self, narrow: Schema, wide: Schema) -> Iterator[Break]:
        """Find for each type that a union chooses from, one of the other's that takes all of it."""
        ours, theirs = list(_members(narrow, self._narrow)), list(_members(wide, self._wide))
        if len(ours) == len(theirs) == 1:
            yield from self._one(_whole(narrow, self._narrow), _whole(wide, self._wide), narrow, wide)
            return
        for one in ours:
            if _kind(whole := _whole(one, self._narrow)) == VALUES:
                yield from self._values(whole, theirs)
                continue
            akin = [each for each in theirs if _are_akin(whole, _whole(each, self._wide))]
            found = [self._compared(one, each) for each in akin]
            if not found or (len(found) > 1 and all(found)):
                yield self._differs(narrow, wide)
                return
            yield from min(found, key=len)

    def _one(self, narrow: Schema, wide: Schema, said: Schema, other: Schema) -> Iterator[Break]:
        """Compare two that are no unions; `said` and `other` are how they are referred to."""
        if _kind(wide) == ANYTHING:
            return
        if _kind(narrow) == VALUES:
            yield from self._values(narrow, [wide])
        elif not _are_akin(narrow, wide, by_tag=False) or not isinstance(narrow, dict) or not isinstance(wide, dict):
            yield self._differs(said, other)
        elif _kind(narrow) == "object":
            yield from self._objects(narrow, wide, said, other)
        elif _kind(narrow) == "array":
            yield from self._arrays(narrow, wide, said, other)
        elif not bounds.is_within(narrow, wide):
            yield self._differs(said, other)

    def _values(self, narrow: Schema, wide: Sequence[Schema]) -> Iterator[Break]:
        assert isinstance(narrow, dict)  # with an `enum`
        others = [_whole(each, self._wide) for each in wide]
        missing = [value for value in narrow["enum"] if not any(_takes(each, value) for each in others)]
        if missing:
            which = words({"enum": missing}).removeprefix("Literal[").removesuffix("]")
            yield Break("", "", "", f"no longer takes {which}" if self._way == "in" else f"may be {which} now")

    def _differs(self, narrow: Schema, wide: Schema) -> Break:
        was, now = (narrow, wide) if self._way == "in" else (wide, narrow)
        old, new = (self._narrow, self._wide) if self._way == "in" else (self._wide, self._narrow)
        one, other = both(was, now, whole_was=_whole(was, old), whole_now=_whole(now, new))
        return Break("", "", "", f"was `{one}` and is `{other}`")

    def _objects(self, narrow: dict[str, Any], wide: dict[str, Any], said: Schema, other: Schema) -> Iterator[Break]:
        ours, theirs = narrow.get("properties"), wide.get("properties")
        if ours is None and theirs is not None:
            yield self._differs(said, other)  # any keys do not fit into fields
        elif ours is not None and theirs is not None:
            yield from self._fields(narrow, wide)
        elif not bounds.is_within(narrow, wide) or self._compared(_keys(narrow), _keys(wide)):
            yield self._differs(said, other)
        else:
            values = wide.get("additionalProperties", True)
            for name, each in (ours or {}).items():
                yield from _below(f".{name}", name, self._compared(each, values))
            if ours is None:
                yield from _below("{}", "", self._compared(narrow.get("additionalProperties", True), values))

    def _fields(self, narrow: dict[str, Any], wide: dict[str, Any]) -> Iterator[Break]:
        was, now = (narrow, wide) if self._way == "in" else (wide, narrow)
        for name, schema in was["properties"].items():
            if name not in now["properties"]:
                yield Break(f".{name}", "", "", f"(`{words(schema)}`) is gone")
        for name in wide.get("required", ()):
            if name not in narrow.get("required", ()) and name in now["properties"]:
                schema = now["properties"][name]
                is_new = name not in was["properties"]
                yield Break(f".{name}", "", name, self._must(words(schema), is_new=is_new))
        if (
            self._way == "in"
            and wide.get("additionalProperties") is False
            and narrow.get("additionalProperties") is not False
        ):
            yield Break("", "", "", "let unknown fields pass, and refuses them now")
        for name, schema in narrow["properties"].items():
            if name in wide["properties"]:
                yield from _below(f".{name}", name, self._compared(schema, wide["properties"][name]))

    def _must(self, type: str, *, is_new: bool) -> str:
        if self._way == "out":
            return f"(`{type}`) may be missing now"
        return f"(`{type}`) is new, and must be given" if is_new else f"(`{type}`) must be given now"

    def _arrays(self, narrow: dict[str, Any], wide: dict[str, Any], said: Schema, other: Schema) -> Iterator[Break]:
        ours, theirs = narrow.get("prefixItems", []), wide.get("prefixItems", [])
        if self._is_shorter(narrow, wide) or not bounds.is_within(_sized(narrow), _sized(wide)):
            yield self._differs(said, other)
            return
        for number in range(max(len(ours), len(theirs))):
            if number < len(ours) or "items" in narrow or not ours:
                yield from _below(f"[{number}]", "", self._compared(_item(narrow, number), _item(wide, number)))
        yield from _below("[]", "", self._rest(narrow, wide))

    def _is_shorter(self, narrow: dict[str, Any], wide: dict[str, Any]) -> bool:
        """Has one of the last fields gone of a type that is an array?"""
        was, now = (narrow, wide) if self._way == "in" else (wide, narrow)
        first = now.get("prefixItems", [])
        return 0 < len(first) < len(was.get("prefixItems", [])) and now.get("items", False) is False

    def _rest(self, narrow: dict[str, Any], wide: dict[str, Any]) -> list[Break]:
        """What stands behind the places that have types of their own; who says nothing of it has said nothing."""
        items = narrow.get("items", "prefixItems" not in narrow)
        if items is False:
            return []
        return self._compared(items, wide.get("items", True))


def _below(path: str, field: str, found: Iterable[Break]) -> Iterator[Break]:
    """The same, seen from one level further up; what is in a named type keeps its place there."""
    for each in found:
        here = each if each.type else structs.replace(each, field=field or each.field)
        yield structs.replace(here, path=f"{path}{each.path}")


def _name(schema: Schema) -> str:
    return str(schema["$ref"].removeprefix("#/$defs/")) if isinstance(schema, dict) and "$ref" in schema else ""


def _whole(schema: Schema, types: Mapping[str, Schema]) -> Schema:
    """What a schema refers to; who refers to nothing that is there takes anything."""
    while name := _name(schema):
        schema = types.get(name, True)
    return schema


def _members(schema: Schema, types: Mapping[str, Schema]) -> Iterator[Schema]:
    """What a union chooses from, as it is referred to; of any other schema itself."""
    whole = _whole(schema, types)
    if isinstance(whole, dict) and "anyOf" in whole:
        for each in whole["anyOf"]:
            yield from _members(each, types)
    else:
        yield schema


def _kind(schema: Schema) -> str:
    if not isinstance(schema, dict):
        return ANYTHING
    return VALUES if "enum" in schema else str(schema.get("type", ANYTHING))


def _are_akin(narrow: Schema, wide: Schema, *, by_tag: bool = True) -> bool:
    """Can all of one be of the other, as far as their JSON types and tags tell?"""
    kinds = _kind(narrow), _kind(wide)
    if kinds[1] == ANYTHING or kinds == ("integer", "number"):
        return True
    return kinds[0] == kinds[1] and (not by_tag or _tag(narrow) == _tag(wide))


def _tag(schema: Schema) -> Any:
    """By what a member of a union is told apart from the others: its one field, or first item, that is always the same."""
    if not isinstance(schema, dict):
        return None
    required = schema.get("required", ())
    named = [each for name, each in schema.get("properties", {}).items() if name in required]
    for each in [*named, *schema.get("prefixItems", ())][:1]:
        if isinstance(each, dict) and len(each.get("enum", ())) == 1:
            return each["enum"][0]
    return None


def _takes(schema: Schema, value: Any) -> bool:
    """Is a value of an enum among what a schema lets pass?"""
    kind = _kind(schema)
    if kind == ANYTHING or not isinstance(schema, dict):
        return True
    if kind == VALUES:
        return any(type(each) is type(value) and each == value for each in schema["enum"])
    mine = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}[type(value)]
    return (mine == kind or (mine, kind) == ("integer", "number")) and bounds.holds(schema, value)


def _keys(schema: dict[str, Any]) -> Schema:
    keys = schema.get("propertyNames", {})
    return {"type": "string", **keys} if isinstance(keys, dict) else keys


def _item(schema: dict[str, Any], number: int) -> Schema:
    first: list[Schema] = schema.get("prefixItems", [])
    rest: Schema = schema.get("items", True)
    return first[number] if number < len(first) else rest


def _sized(schema: dict[str, Any]) -> dict[str, Any]:
    """The bounds of an array, with what its places say about its length."""
    if schema.get("items", True) is not False:
        return schema
    return {**schema, "maxItems": min(schema.get("maxItems", float("inf")), len(schema.get("prefixItems", ())))}
