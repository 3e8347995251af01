"""What is said of each part of a type."""

import collections
import enum
from collections import abc
from collections.abc import Iterator
from typing import Any, Final, Literal, TypeAlias, get_args, get_origin

import msgspec
from msgspec import Struct

from plugsock.checks import integers, rules
from plugsock.checks.parts import NOTHING, Part, Spot, is_object, parts, shown
from plugsock.checks.places import Place, Places
from plugsock.loader.annotations import ASYNC_STREAMS, PLAIN_STREAMS

Said: TypeAlias = tuple[str, Place, str]
"""A rule, where it is not kept, and the sentence."""

OF_ONE: Final = (list, set, frozenset, collections.deque, abc.Sequence, abc.MutableSequence, abc.Collection, abc.Set)
OF_PAIRS: Final = (dict, abc.Mapping, abc.MutableMapping, collections.defaultdict, collections.OrderedDict)
BARE: Final[dict[Any, str]] = {
    **{cls: f"{cls.__name__}[str]" for cls in (*OF_ONE, abc.MutableSet, *ASYNC_STREAMS, *PLAIN_STREAMS)},
    **{cls: f"{cls.__name__}[str, int]" for cls in (*OF_PAIRS, tuple)},
}
"""Containers that do not say what is in them, and what would."""

BROWSERS: Final = f"and a browser holds no integer beyond {integers.LARGEST} (2**53 - 1)"

EVERYTHING: Final = frozenset({Any, object, msgspec.Raw})


def said(spot: Spot, places: Places, *, is_stream: bool = False) -> Iterator[Said]:
    """All that the rules say of a parameter or result, and of what is within.

    Args:
        spot: The parameter or result.
        places: Where classes stand.
        is_stream: It is what comes out of a stream.
    """
    if spot.declared is NOTHING:
        yield rules.MISSING_ANNOTATION, spot.place, _missing(spot, is_stream=is_stream)
        return
    spoken: Spot | None = None
    for part in parts(spot, places):
        yield from _of_part(part, places)
        if part.spot is not spoken and integers.is_too_big(part.spot.default):
            spoken = part.spot  # its parts come one after the other, unless there are more spots within
            sentence = (
                f"{spoken.what} is {spoken.default} by default, {BROWSERS}: send it as text, or take a smaller one"
            )
            yield rules.BIG_INTEGER, spoken.place, sentence


def _missing(spot: Spot, *, is_stream: bool) -> str:
    if spot.is_incoming:
        return f"{spot.what} has no type: say which, as `{spot.name}: str`"
    if is_stream:
        return "it does not say what comes out: add `-> AsyncIterator[str]`, of a plain function `-> Iterator[str]`"
    return "it does not say what comes out: add `-> str`, or `-> None` for nothing"


def _of_part(part: Part, places: Places) -> Iterator[Said]:
    spot, type = part.spot, get_origin(part.type) or part.type
    if _is_one_of(type, EVERYTHING):
        whole = f"`{shown(part)}`" + (", which" if part.type is part.spot.declared else ", and that")
        yield (
            rules.ANY,
            spot.place,
            f"{spot.what} is {whole} lets everything pass: say what it is, as `str` or a Struct",
        )
    elif not get_args(part.type) and _is_one_of(type, BARE):
        yield rules.BARE_CONTAINER, spot.place, _bare(part)
    elif is_object(type):
        yield from _of_object(part, type, places)
    else:
        yield from ((rule, spot.place, sentence) for rule, sentence in _of_integer(part))


def _is_one_of(type: Any, types: Any) -> bool:
    try:
        return type in types
    except TypeError:  # it has no hash
        return False


def _bare(part: Part) -> str:
    type = get_origin(part.type) or part.type
    more = " or make it a Struct" if type in OF_PAIRS else ""
    return f"{part.spot.what} is a bare `{type.__name__}`: say what is in it, as `{BARE[type]}`{more and ','}{more}"


def _of_object(part: Part, cls: Any, places: Places) -> Iterator[Said]:
    if not part.spot.is_incoming:
        return
    is_struct = issubclass(cls, Struct)
    if is_struct and cls.__struct_config__.forbid_unknown_fields:
        return
    if (place := places.cls(cls)) is not None:
        what = f"`{cls.__name__}` comes from clients and lets unknown fields pass"
    else:  # it is somebody else's
        place, what = part.spot.place, f"{part.spot.what} is `{cls.__name__}`, which lets unknown fields pass"
    right = f"class {cls.__name__}(Struct, forbid_unknown_fields=True)"
    yield rules.OPEN_STRUCT, place, f"{what}: say `{right}`" if is_struct else f"{what}: make it `{right}`"


def _of_integer(part: Part) -> Iterator[tuple[str, str]]:
    for value in _values(part):
        yield rules.BIG_INTEGER, f"{part.spot.what} may be {value}, {BROWSERS}: send it as text, or take a smaller one"
    if part.type is not int or part.is_key:
        return
    if (bound := integers.too_big(part.bounds)) is not None:
        right = "Meta(ge=-(2**53) + 1, le=2**53 - 1)"
        yield rules.BIG_INTEGER, f"{part.spot.what} may be {bound}, {BROWSERS}: narrow it to `{right}`, or send text"
    if missing := integers.missing_bound(part.bounds):
        yield (
            rules.UNBOUNDED_INTEGER,
            f"{part.spot.what} is an integer without end: say `Annotated[int, Meta({missing})]`",
        )


def _values(part: Part) -> list[Any]:
    if get_origin(part.type) is Literal:
        return [value for value in get_args(part.type) if integers.is_too_big(value)]
    if isinstance(part.type, type) and issubclass(part.type, enum.Enum):
        return list(integers.members(part.type))
    return []
