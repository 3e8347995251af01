"""What a folder has become since its document was written, and where that stands."""

import msgspec
import pytest

from plugsock.checks.baseline import Baseline, Breaking, compared, parsed
from plugsock.checks.places import Places
from plugsock.shapes.describe import describe
from plugsock.shapes.events import read
from plugsock.shapes.schema import document
from support.checked import FIRST
from support.folder_shapes import loaded

BEFORE = """\
class Line(Struct):
    sku: str
    count: int = 1
class Order(Struct):
    lines: list[Line]
class Page(Struct, rename={"size": "pageSize"}):
    size: int
@plug
def place(order: Order) -> int: ...
@plug
def change(order: Order, why: str = "") -> Page: ...
@view
def summary(day: str = "") -> Order | None: ...
"""

LESS = "takes less than it did"


def shapes(catalog):
    found = read(catalog)
    return msgspec.json.format(msgspec.json.encode(document(found, describe(found.events))))


@pytest.fixture
def breaks(tmp_path):
    """Line and sentence of each break, after a change of the text."""

    def changed(*pairs, unsure=()):
        with loaded(tmp_path, orders=BEFORE) as catalog:
            locked = parsed("types.lock", shapes(catalog))
        after = BEFORE
        for old, new in pairs:
            assert old in after
            after = after.replace(old, new)
        with loaded(tmp_path, orders=after) as catalog:
            found = compared(locked.document, msgspec.json.decode(shapes(catalog)), unsure)
            told = list(Breaking(catalog, Places(catalog), locked).reports(found))
        return [
            (each.line if each.file == "types.lock" else each.line - FIRST + 1, each.message, each.events)
            for each, _ in sorted(told, key=lambda one: one[0].line)
        ]

    return changed


def test_what_is_the_same_breaks_nobody(breaks):
    assert breaks() == []
    assert breaks(("def place", "@plug\ndef new(a: str) -> str: ...\n@plug\ndef place")) == []


def test_a_type_that_events_share_is_said_once_at_its_field(breaks):
    assert breaks(("count: int = 1", "count: str = ''")) == [
        (
            3,
            f"`orders.change` (also `orders.place`) {LESS}: `order.lines[].count` was `int` and is `str` [breaking-change]",
            ("orders.change", "orders.place"),
        ),
        (
            3,
            "`orders.summary` may answer what it did not: `lines[].count` was `int` and is `str` [breaking-change]",
            ("orders.summary",),
        ),
    ]


def test_a_field_that_is_gone_is_said_at_the_class(breaks):
    [(line, said, events)] = breaks(("    size: int\n", "    other: int\n"), (', rename={"size": "pageSize"}', ""))

    assert (line, events) == (6, ("orders.change",))
    assert said == "`orders.change` may answer what it did not: `pageSize` (`int`) is gone [breaking-change]"


def test_a_field_is_found_by_the_name_that_clients_know(breaks):
    [(line, said, _)] = breaks(("    size: int", "    size: int | None"))

    assert line == 7
    assert "`pageSize` was `int` and is `int | None`" in said


def test_a_parameter_is_said_at_its_line(breaks):
    assert breaks(('def change(order: Order, why: str = "")', "def change(\n    order: Order,\n    why: str\n)")) == [
        (
            13,
            "`orders.change` takes less than it did: `why` (`str`) must be given now [breaking-change]",
            ("orders.change",),
        )
    ]


def test_a_result_is_said_where_it_is_declared(breaks):
    [(line, said, _)] = breaks(("-> int", "-> int | str"))

    assert (line, "what comes out was `int` and is `int | str`" in said) == (9, True)


def test_an_event_that_is_gone_is_said_at_the_lock(breaks):
    [(line, said, events)] = breaks(("@plug\ndef place", "def place"))

    assert (line > 1, said, events) == (True, "`orders.place` is gone [breaking-change]", ("orders.place",))
    assert breaks(("@plug\ndef place", "def place"), unsure=["orders.place"]) == []


def test_a_kind_that_changed_is_all_that_is_said(breaks):
    assert [said for _, said, _ in breaks(("@view\ndef summary", "@plug\ndef summary"))] == [
        "`orders.summary` was a view and is a call [breaking-change]"
    ]


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"$schema":"x"}', b"\xff", b"[" * 100_000])
def test_what_is_no_document_of_ours_is_refused(data):
    with pytest.raises(ValueError, match=r".+"):
        parsed("types.lock", data)


def test_a_line_is_the_outermost_of_its_key():
    locked = Baseline("types.lock", '{\n  "a": {\n      "b": 1\n  },\n  "b": 2\n}', {})

    assert [locked.line(key) for key in "abc"] == [2, 5, 1]
