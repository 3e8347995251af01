from types import new_class

import pytest

from plugsock.shapes.ts_names import Wanted, candidates, distinct, key, literal


class Outer:
    class Inner: ...


@pytest.mark.parametrize(
    ("name", "shown"),
    [("sku", "sku"), ("$x_1", "$x_1"), ("orders.place", '"orders.place"'), ("1", '"1"'), ("", '""'), ("é", '"é"')],
)
def test_a_key_is_quoted_where_it_has_to_be(name, shown):
    assert key(name) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "null"), (True, "true"), (-3, "-3"), ('a"b', r'"a\"b"'), ("é", '"é"'), ("\x1b\u2028", r'"\u001b\u2028"')],
)
def test_a_literal_is_that_of_json_without_what_does_not_show(value, shown):
    assert literal(value) == shown


def made(name, module):
    made = new_class(name)
    made.__module__, made.__qualname__ = module, name
    return made


@pytest.mark.parametrize(
    ("cls", "names"),
    [
        (made("Order", "plugs.shop"), ["Order", "ShopOrder"]),
        (made("Order", "plugs.big_shop.items"), ["Order", "BigShopItemsOrder"]),
        (made("_Order", "plugs.shop"), ["_Order", "ShopOrder"]),
        (made("3 of €", "plugs.a"), ["_3Of", "A3Of"]),
    ],
)
def test_a_class_is_called_by_its_name_or_that_and_its_modules(cls, names):
    assert candidates(cls) == names


def test_a_class_in_another_is_called_by_both():
    assert candidates(Outer.Inner)[:2] == ["Inner", "OuterInner"]


def test_who_shares_a_name_gets_a_longer_one_and_who_does_not_keeps_it():
    wanted = {1: Wanted(["A", "XA"]), 2: Wanted(["A", "YA"]), 3: Wanted(["B", "XB"])}

    assert distinct(wanted) == {1: "XA", 2: "YA", 3: "B"}


def test_a_longer_name_may_be_shared_as_well():
    wanted = {1: Wanted(["A", "XA"]), 2: Wanted(["A", "YA"]), 3: Wanted(["XA", "ZXA"])}

    assert distinct(wanted) == {1: "XA", 2: "YA", 3: "ZXA"}


def test_who_has_no_longer_name_is_numbered():
    wanted = {1: Wanted(["A"], ["", "Input"]), 2: Wanted(["A"]), 3: Wanted(["A3"]), 4: Wanted(["AInput"])}

    assert distinct(wanted) == {1: "A", 2: "A2", 3: "A3", 4: "AInput2"}


def test_what_is_reserved_nobody_gets():
    assert distinct({1: Wanted(["string", "AString"]), 2: Wanted(["Record"])}) == {1: "AString", 2: "Record2"}
