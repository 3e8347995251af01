"""A value of any type that a plug can answer with.

msgspec says what a type is made of, because only it knows of tags, renamed fields and what its own encoder does.
What stands at the ends, numbers and texts, is polyfactory's. A value is made as JSON has it, and then decoded: so
msgspec has checked all of it, and an author's own `__post_init__` has run.
"""

from collections.abc import Callable, Iterator
from random import Random
from typing import Any, Final

import msgspec
from msgspec import inspect as spec

from plugsock.loader.shape import text as named
from plugsock.mock import texts
from plugsock.mock.heights import ENDLESS, Heights, Items, Object, Table, needed
from plugsock.mock.leaves import LEAVES, TRIES_AT_ONE, CantMakeUp
from plugsock.mock.seeds import chance
from plugsock.model import Raw

TRIES: Final = 20
"""For a whole value: an author's `__post_init__` may refuse what fits the type."""

DEEPEST: Final = 4
LARGEST: Final = 300
"""Below so many levels, and after so many parts, everything is as small as it can be."""

USUAL: Final = 4
"""Items of a list, at most, where nothing says how many."""

NOTHING: Final = 0.2
LEFT_OUT: Final = 0.2
"""How often there is nothing where that is allowed, and a default instead of another value."""


class Maker:
    """Makes up values of one type.

    Args:
        declared: The type, as the plug says it.

    Raises:
        CantMakeUp: There is no value of it.
    """

    def __init__(self, declared: Any) -> None:
        self._declared = declared
        self._info = None if declared is Raw else spec.type_info(declared)
        if self._info is None:
            return
        self._heights = Heights(self._info)
        if self._heights.of(self._info) == ENDLESS:
            raise CantMakeUp(f"no value of `{named(declared)}` can be made up: it would never end")

    def make(self, seed: bytes) -> Any:
        """The value of a seed.

        Raises:
            CantMakeUp: None that was tried fits.
        """
        if self._info is None:
            return Raw(msgspec.json.encode({"made_up": texts.word(chance(seed))}))
        why: Exception | None = None
        for number in range(TRIES):
            try:
                plain = _Draft(chance(seed, f"{number}"), self._heights).of(self._info)
                return msgspec.json.decode(msgspec.json.encode(plain), type=self._declared)
            except Exception as error:  # an author's own types may raise anything
                why = error
        raise CantMakeUp(f"no value of `{named(self._declared)}` could be made up: {why}")


class _Draft:
    """One value while it is made, as JSON has it."""

    def __init__(self, random: Random, heights: Heights) -> None:
        self._random = random
        self._heights = heights
        self._depth = 0
        self._made = 0

    def of(self, info: spec.Type, name: str = "") -> Any:
        """A value of a type, for a field of that name."""
        self._made += 1
        self._depth += 1
        try:
            return self._made_of(info, name)
        finally:
            self._depth -= 1

    @property
    def _is_short(self) -> bool:
        return self._depth > DEEPEST or self._made > LARGEST

    def _made_of(self, info: spec.Type, name: str) -> Any:
        leaf = LEAVES.get(type(info))
        if leaf is not None:
            return leaf(self._random, info, name)
        match info:
            case spec.Metadata():
                return self.of(info.type, name)
            case spec.UnionType():
                return self.of(self._member(info), name)
            case spec.TupleType():
                return [self.of(each, name) for each in info.item_types]
            case spec.SetType() | spec.FrozenSetType():
                return self._distinct(info, lambda: self.of(info.item_type, name))
            case _ if isinstance(info, Items):
                return [self.of(info.item_type, name) for _ in range(self._count(info))]
            case _ if isinstance(info, Table):
                pairs = self._distinct(info, lambda: self.of(info.key_type), lambda: self.of(info.value_type))
                return dict(pairs)
            case spec.StructType() if info.array_like:
                tag = [info.tag] if info.tag is not None else []
                return tag + [value for _, value in self._fields(info, is_array=True)]
            case spec.StructType():
                tagged = {} if info.tag_field is None else {info.tag_field: info.tag}
                return tagged | dict(self._fields(info))
            case spec.NamedTupleType():
                return [value for _, value in self._fields(info, is_array=True)]
            case spec.DataclassType() | spec.TypedDictType():
                return dict(self._fields(info))
            case _:
                raise CantMakeUp(f"there is no way to write {type(info).__name__} as JSON")

    def _member(self, info: spec.UnionType) -> spec.Type:
        members = sorted(info.types, key=_order)  # Python does not always keep the order in which they were written
        nothing = next((each for each in members if isinstance(each, spec.NoneType)), None)
        others = [each for each in members if each is not nothing and self._heights.of(each) < ENDLESS]
        if self._is_short:
            return min(members, key=self._heights.of)
        if nothing is not None and (not others or self._random.random() < NOTHING):
            return nothing
        return self._random.choice(others)

    def _fields(self, info: Object, *, is_array: bool = False) -> Iterator[tuple[str, Any]]:
        must = {field.name for field in needed(info)}
        for field in info.fields:
            if field.name not in must and self._may_leave_out(field):
                if is_array:
                    return  # what stands behind it can't be said without it
                continue
            yield field.encode_name, self.of(field.type, field.name)

    def _may_leave_out(self, field: spec.Field) -> bool:
        return self._is_short or self._heights.of(field.type) == ENDLESS or self._random.random() < LEFT_OUT

    def _count(self, info: Items | Table) -> int:
        least = info.min_length or 0
        if self._is_short:
            return least
        most = max(least, USUAL) if info.max_length is None else min(info.max_length, max(least, USUAL))
        inner = info.value_type if isinstance(info, Table) else info.item_type
        if self._heights.of(inner) == ENDLESS:
            return least
        return self._random.randint(min(max(least, 1), most), most)

    def _distinct(self, info: Any, make: Callable[[], Any], beside: Callable[[], Any] | None = None) -> list[Any]:
        """So many different values, or keys each with what stands beside it; fewer if there are not so many."""
        count = self._count(info)
        found: dict[bytes, Any] = {}
        for _ in range(TRIES_AT_ONE + 2 * count):
            if len(found) == count:
                break
            value = make()
            found.setdefault(msgspec.json.encode({value: 0} if beside else value), value)
        if len(found) < (info.min_length or 0):
            raise CantMakeUp(f"there are no {info.min_length} different ones")
        return [(each, beside()) for each in found.values()] if beside else list(found.values())


def _order(info: spec.Type) -> tuple[str, str, str]:
    return type(info).__name__, named(getattr(info, "cls", None)), repr(getattr(info, "tag", None))
