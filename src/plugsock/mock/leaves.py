"""What holds nothing else: the numbers, texts, times and choices at the ends of a value, as JSON has them."""

import base64
import enum
from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import Any, Final, TypeAlias, TypeVar
from uuid import UUID

from msgspec import inspect as spec
from polyfactory.value_generators.constrained_numbers import handle_constrained_decimal

from plugsock.errors import PlugsockError
from plugsock.mock import numbers, texts, times

TRIES_AT_ONE: Final = 100
"""For one number or text that has to fit what says no more than what fits: a pattern, a float's `multiple_of`."""

T = TypeVar("T")


class CantMakeUp(PlugsockError):
    """There is no value of a type, or none was found; the text says of which."""


def _tried(make: Callable[[], T], fits: Callable[[T], bool]) -> T:
    for _ in range(TRIES_AT_ONE):
        value = make()
        if fits(value):
            return value
    raise CantMakeUp("nothing was found that fits its constraints")


def _integer(random: Random, info: spec.IntType, _name: str) -> int:
    return numbers.integer(random, info)


def _number(random: Random, info: spec.FloatType, _name: str) -> float:
    return _tried(lambda: numbers.number(random, info), lambda made: numbers.fits(info, made))


def _text(random: Random, info: spec.StrType, name: str) -> str:
    return _tried(lambda: texts.text(random, info, name), lambda made: texts.fits(info, made))


def _data(random: Random, info: spec.BytesType, _name: str) -> str:
    return base64.b64encode(texts.data(random, info.min_length, info.max_length)).decode()


def _decimal(random: Random, _info: spec.Type, _name: str) -> str:
    return str(handle_constrained_decimal(random, ge=Decimal(0), le=Decimal(numbers.SPAN), decimal_places=2))


def _enum(random: Random, info: spec.EnumType, _name: str) -> Any:
    members: list[enum.Enum] = list(info.cls.__members__.values())
    return random.choice(members).value


def _literal(random: Random, info: spec.LiteralType, _name: str) -> Any:
    return random.choice(sorted(info.values, key=lambda value: (type(value).__name__, value or 0)))


Leaf: TypeAlias = Callable[[Random, Any, str], Any]
"""Makes a value of chance, a type and the name of the field that it is for."""

LEAVES: Final[dict[type[spec.Type], Leaf]] = {
    spec.AnyType: lambda random, _info, name: texts.word(random, name),
    spec.CustomType: lambda random, _info, name: texts.word(random, name),
    spec.RawType: lambda random, _info, name: texts.word(random, name),
    spec.NoneType: lambda _random, _info, _name: None,
    spec.BoolType: lambda random, _info, _name: random.random() < 0.5,
    spec.IntType: _integer,
    spec.FloatType: _number,
    spec.DecimalType: _decimal,
    spec.StrType: _text,
    spec.BytesType: _data,
    spec.ByteArrayType: _data,
    spec.MemoryViewType: _data,
    spec.UUIDType: lambda random, _info, _name: str(UUID(int=random.getrandbits(128), version=4)),
    spec.DateTimeType: lambda random, info, _name: times.moment(random, zoned=info.tz),
    spec.DateType: lambda random, _info, _name: times.date(random),
    spec.TimeType: lambda random, info, _name: times.time(random, zoned=info.tz),
    spec.TimeDeltaType: lambda random, _info, _name: times.duration(random),
    spec.EnumType: _enum,
    spec.LiteralType: _literal,
}
"""What holds nothing else."""
