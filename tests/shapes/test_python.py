"""The module that a folder of plugs becomes for Python's client."""

import importlib.util
import sys
import textwrap
from itertools import count

import msgspec
import pytest

from plugsock.shapes.events import read
from plugsock.shapes.python import module
from support.checkers import mypy, ruff
from support.folder_shapes import loaded, shapes

NUMBERS = count()


def written(path, **files):
    with loaded(path, **files) as catalog:
        return module(read(catalog))


@pytest.fixture
def made(tmp_path, monkeypatch):
    """Import the module that some files become."""

    def made(**files):
        file = tmp_path / "made.py"
        file.write_text(written(tmp_path, **files), encoding="utf-8")
        name = f"made_{next(NUMBERS)}"
        spec = importlib.util.spec_from_file_location(name, file)
        found = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, name, found)
        spec.loader.exec_module(found)
        return found

    return made


def part(text, begin):
    """What begins so at the start of a line, without its indentation, until something else does as far to the left."""
    lines = text.splitlines()
    first = next(n for n, line in enumerate(lines) if line.strip().startswith(begin))
    indent = len(lines[first]) - len(lines[first].lstrip())
    found = [lines[first]]
    for line in lines[first + 1 :]:
        if line.strip() and len(line) - len(line.lstrip()) <= indent and not line.strip().startswith((")", '"""')):
            break
        found.append(line)
    return textwrap.dedent("\n".join(found)).rstrip()


ORDERS = '''
    import datetime as dt
    import enum
    from collections.abc import AsyncIterator
    from typing import Annotated

    class Size(enum.Enum):
        """How big."""

        SMALL = "small"
        LARGE = "large"

    class Order(Struct, rename="camel"):
        """What somebody wants."""

        sku: Annotated[str, Meta(min_length=1, description="What is ordered.")]
        unit_count: Annotated[int, Meta(ge=1)] = 1
        size: Size = Size.SMALL
        parts: "list[Order]" = []

    @plug
    async def place(order: Order) -> Order:
        """Place an order."""
        return order

    @plug(requires="orders.read")
    async def feed(since: int = 0) -> AsyncIterator[Order]:
        """All that come."""
        yield Order("tea")

    @view
    async def summary(day: dt.date) -> dict[str, int] | None:
        return {}
'''


def test_a_class_keeps_its_name_its_words_and_its_constraints(tmp_path):
    text = written(tmp_path, orders=ORDERS)

    assert part(text, "class Order(") == textwrap.dedent('''\
        class Order(Struct):
            """What somebody wants."""

            sku: Annotated[str, Meta(min_length=1)]
            """What is ordered."""
            unit_count: Annotated[int, Meta(ge=1)] = msgspec.field(default=1, name="unitCount")
            size: Size = Size.SMALL
            parts: list[Order] = msgspec.field(default_factory=list)''')
    assert part(text, "class Size(") == textwrap.dedent('''\
        class Size(Enum):
            """How big."""

            SMALL = "small"
            LARGE = "large"''')


def test_events_are_methods_grouped_by_file(tmp_path):
    text = written(tmp_path, orders=ORDERS)

    assert part(text, "async def place(") == textwrap.dedent('''\
        async def place(self, order: Order) -> Order:
            """Place an order."""
            return await self._client.call("orders.place", order, type=Order)''')
    assert part(text, "def feed(") == textwrap.dedent('''\
        def feed(self, since: int | UnsetType = UNSET) -> AsyncGenerator[Order, None]:
            """All that come.

            Requires `orders.read`.

            Left out, `since` is 0.
            """
            return self._client.stream("orders.feed", _given({"since": since}), type=Order)''')
    assert part(text, "def summary(") == textwrap.dedent("""\
        def summary(self, day: dt.date) -> AbstractAsyncContextManager[View[dict[str, int] | None]]:
            return self._client.view("orders.summary", {"day": day}, type=dict[str, int] | None)""")
    assert part(text, "class Plugs:") == textwrap.dedent('''\
        class Plugs:
            """All that a client can ask the server for."""

            def __init__(self, client: Client) -> None:
                self.orders = OrdersPlugs(client)''')


def test_there_is_the_same_for_the_client_that_blocks(tmp_path):
    text = written(tmp_path, orders=ORDERS)

    assert part(part(text, "class BlockingOrdersPlugs:"), "def place(") == textwrap.dedent('''\
        def place(self, order: Order) -> Order:
            """Place an order."""
            return self._client.call("orders.place", order, type=Order)''')
    assert "def feed(self, since: int | UnsetType = UNSET) -> Iterator[Order]:" in text
    assert "-> AbstractContextManager[blocking.View[dict[str, int] | None]]:" in text


def test_it_says_of_which_shapes_it_is(tmp_path):
    assert f'SHAPES: Final = "{shapes(tmp_path, orders=ORDERS).digest}"' in written(tmp_path, orders=ORDERS)


def test_an_event_that_others_are_grouped_under_is_the_group_itself(tmp_path):
    text = written(
        tmp_path,
        greet="""
            @plug
            def greet(name: str) -> str: return name

            @plug
            def count() -> int: return 1
        """,
    )

    assert part(text, "async def __call__(") == textwrap.dedent("""\
        async def __call__(self, name: str) -> str:
            return await self._client.call("greet", {"name": name}, type=str)""")
    assert "        self.greet = GreetPlugs(client)\n" in text


@pytest.mark.parametrize("count", [0, 1])
def test_nothing_to_call_is_a_module_too(made, count):
    files = {"one": "@plug\ndef one(): pass\n"} if count else {}

    assert callable(made(**files).Plugs)


def test_one_name_in_two_files_is_called_after_the_files(tmp_path):
    item = "class Item(Struct):\n    {}: int\n@plug\ndef get(item: Item) -> Item: return item\n"
    text = written(tmp_path, orders=item.format("a"), stock=item.format("b"))

    assert "class OrdersItem(Struct):\n    a: int\n" in text
    assert "class StockItem(Struct):\n    b: int\n" in text


WEIRD = '''
    import builtins
    import enum
    import uuid
    from dataclasses import dataclass, field
    from decimal import Decimal
    from typing import Any, Literal, NamedTuple, NotRequired, TypedDict
    import msgspec

    class Plugs(Struct):
        """A \\\\ and three \\"\\"\\"."""

        list: builtins.list[int]
        numbers: builtins.list[int]

    class Kind(enum.IntEnum):
        name = 1
        mro_ = 2

    class Shade(enum.StrEnum):
        DARK = "dark"

    @dataclass(frozen=True)
    class Point:
        x: float
        y: float = 0.5

    class Pair(NamedTuple):
        a: int
        b: Decimal = Decimal("1.50")

    Loose = TypedDict("Loose", {"x-y": int, "class": NotRequired[str]})

    class Cat(Struct, tag="cat", omit_defaults=True):
        lives: int = 9
        tags: builtins.set[str] = builtins.set()
        id: uuid.UUID = msgspec.field(default_factory=uuid.uuid4)

    class Row(Struct, array_like=True):
        at: builtins.int = 1
        id: uuid.UUID = msgspec.field(default_factory=uuid.uuid4)
        note: str = ""

    class Dog(Struct, tag="dog"):
        name: str
        kind: Kind = Kind.name
        wrong: int = None
        maybe: int | msgspec.UnsetType = msgspec.UNSET

    @plug
    def list(int: int, self_: str = "x", None_: Any = None) -> builtins.list[int]: return []

    @plug
    def int(list: builtins.list[int], dict: builtins.dict[str, int] = {}) -> builtins.list[int]: return []

    @plug
    def pets(pet: Cat | Dog | None = None, *, client: str, of: Literal["it's", 2, None] = 2) -> tuple[Cat | Dog, ...]: ...

    @plug
    def all(plugs: Plugs, kind: Kind = Kind.name) -> tuple[Pair, Point, Loose, Shade, Row, tuple[()]]: ...

    @plug
    def sets(a: builtins.set[str], b: frozenset[Point], c: tuple[str, ...], d: dict[str, Any]) -> msgspec.Raw: ...

    @plug
    def bytes(data: Raw) -> Raw: return data

    @plug
    def nothing() -> None: return None

    @plug
    def anything(): return None
'''


def test_what_an_author_has_named_as_he_likes_is_in_order_all_the_same(tmp_path):
    file = tmp_path / "weird_client.py"
    file.write_text(written(tmp_path, weird=WEIRD), encoding="utf-8")

    assert ruff(file) == []
    assert mypy(file) == []


def test_classes_of_all_kinds_are_structs_that_say_the_same(made):
    made = made(weird=WEIRD)

    def through(type, text):
        return msgspec.json.encode(msgspec.json.decode(text, type=type), order="deterministic")

    for type, text in [
        (made.Pair, b'[1,"1.50"]'),
        (made.Point, b'{"x":1.0,"y":0.5}'),
        (made.Loose, b'{"x-y":1}'),
        (made.Loose, b'{"class":"a","x-y":1}'),
        (made.Cat, b'{"type":"cat"}'),
        (made.Dog, b'{"type":"dog","name":"Rex","kind":1}'),
    ]:
        assert msgspec.json.decode(through(type, text)) == msgspec.json.decode(text)
    assert msgspec.json.encode(made.Pair(1)) == b'[1,"1.50"]'
    assert len({made.Point(1.0), made.Point(1.0)}) == 1


def test_what_can_not_be_said_beforehand_is_left_to_the_plug_but_in_an_array(made):
    made = made(weird=WEIRD)

    assert msgspec.json.decode(msgspec.json.encode(made.Cat())) == {"type": "cat"}
    assert "wrong" not in msgspec.json.decode(msgspec.json.encode(made.Dog("Rex")))
    with pytest.raises(TypeError, match="Missing required argument 'id'"):
        made.Row(1)


def test_the_default_of_a_parameter_is_said_as_it_goes_over_the_wire(tmp_path):
    text = written(tmp_path, weird=WEIRD)

    assert "Left out, `kind` is 1." in text
    assert "Left out, `dict` is {}." in text


def test_who_uses_it_wrongly_is_told_by_the_type_checker(tmp_path):
    (tmp_path / "stub.py").write_text(written(tmp_path, orders=ORDERS), encoding="utf-8")
    (tmp_path / "orders.py").unlink()
    used = tmp_path / "used.py"
    used.write_text(
        textwrap.dedent("""\
            from stub import BlockingPlugs, Order, Plugs

            async def use(plugs: Plugs, blocking: BlockingPlugs) -> None:
                order = await plugs.orders.place(Order("tea", unit_count=2))
                count: str = order.unit_count
                await plugs.orders.plac(order)
                await plugs.orders.place("tea")
                async for each in plugs.orders.feed(since=3):
                    each.nosuch
                blocking.orders.place(order).sku
                Order("tea", unitCount=2)
            """),
        encoding="utf-8",
    )

    assert [line.split(":")[1] for line in mypy(used) if ": error: " in line] == ["5", "6", "7", "9", "11"]
