"""Types as Python writes them, with what they say of their values."""

from collections.abc import Callable, Collection
from typing import Any, Final

from msgspec import inspect as spec

from plugsock.shapes import ts_names
from plugsock.shapes.python_names import BUILTINS, literal
from plugsock.shapes.ts_classes import CLASSES

PLAIN: Final[dict[type[spec.Type], str]] = {
    spec.NoneType: "None",
    spec.BoolType: "bool",
    spec.IntType: "int",
    spec.FloatType: "float",
    spec.StrType: "str",
    spec.BytesType: "bytes",
    spec.ByteArrayType: "bytearray",
    spec.MemoryViewType: "bytes",
    spec.DateTimeType: "dt.datetime",
    spec.DateType: "dt.date",
    spec.TimeType: "dt.time",
    spec.TimeDeltaType: "dt.timedelta",
    spec.UUIDType: "UUID",
    spec.DecimalType: "Decimal",
}

SEQUENCES: Final[dict[type[spec.Type], str]] = {
    spec.ListType: "list",
    spec.CollectionType: "list",
    spec.SetType: "set",
    spec.FrozenSetType: "frozenset",
}

CONSTRAINTS: Final = ("gt", "ge", "lt", "le", "multiple_of", "pattern", "min_length", "max_length", "tz")
"""What msgspec's `Meta` calls them, and what msgspec says of a type."""

NOT_CLASSES: Final = (spec.AnyType, spec.UnionType, spec.LiteralType, spec.NoneType)
"""What is a type to those who read it, and nothing that a type checker takes where it wants a class."""


class Types:
    """How types are written, once all classes have their names.

    Args:
        names: What each class is called.
    """

    def __init__(self, names: dict[Any, str]) -> None:
        self.names = names

    def text(self, info: spec.Type, hidden: Collection[str] = ()) -> str:
        """A type, as it is written where it is used.

        Args:
            info: The type.
            hidden: Names that mean something else there.
        """
        text = self._composed(info, hidden)
        constraints = ", ".join(
            f"{name}={literal(bound)}" for name in CONSTRAINTS if (bound := getattr(info, name, None)) is not None
        )
        return f"Annotated[{text}, Meta({constraints})]" if constraints else text

    def is_class(self, info: spec.Type) -> bool:
        """Does a type checker take it for a class, of which an instance comes back?"""
        info = bare(info)
        is_plain = all(getattr(info, name, None) is None for name in CONSTRAINTS)
        return is_plain and not isinstance(info, NOT_CLASSES) and self._composed(info, ()) != "Any"

    def _composed(self, info: spec.Type, hidden: Collection[str]) -> str:
        if isinstance(info, spec.Metadata):
            return self.text(info.type, hidden)
        if isinstance(info, CLASSES):
            return self.names[info.cls]
        if plain := PLAIN.get(type(info)):
            return _builtin(plain, hidden)
        inner: Callable[[spec.Type], str] = lambda item: self.text(item, hidden)  # noqa: E731 - it is used in each case
        match info:
            case spec.UnionType():
                members = sorted(info.types, key=lambda member: isinstance(member, spec.NoneType))  # as people write it
                return " | ".join(dict.fromkeys(map(inner, members)))
            case spec.LiteralType():
                values = [literal(value) for value in info.values if value is not None]
                return " | ".join([f"Literal[{', '.join(values)}]"] * bool(values) + ["None"] * (None in info.values))
            case spec.TupleType():
                return f"{_builtin('tuple', hidden)}[{', '.join(map(inner, info.item_types)) or '()'}]"
            case spec.VarTupleType():
                return f"{_builtin('tuple', hidden)}[{inner(info.item_type)}, ...]"
            case spec.DictType():
                return f"{_builtin('dict', hidden)}[{inner(info.key_type)}, {inner(info.value_type)}]"
            case _ if (sequence := SEQUENCES.get(type(info))) is not None:
                return f"{_builtin(sequence, hidden)}[{inner(info.item_type)}]"  # type: ignore[attr-defined]
            case _:
                return "Any"


def bare(info: spec.Type) -> spec.Type:
    """A type without what is said of it beside."""
    while isinstance(info, spec.Metadata):
        info = info.type
    return info


def wanted(cls: Any) -> ts_names.Wanted:
    """What a class could be called."""
    return ts_names.Wanted(ts_names.candidates(cls))


def _builtin(name: str, hidden: Collection[str]) -> str:
    return f"builtins.{name}" if name in BUILTINS and name in hidden else name
