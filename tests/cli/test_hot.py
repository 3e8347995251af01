import json

import pytest

SHOP = """from plugsock import plug


@plug(examples=[{"count": 2, "price": 3}, {"count": 2, "price": 2.5}])
async def total(count: int, price: int | float) -> float:
    return rounded(count * price)


def rounded(value: float) -> float:
    return [value][0]


@plug(examples=[{"a": 0}, {"a": 1}])
def share(a: int) -> float:
    return 1 / a


@plug
async def none() -> None:
    return
"""


@pytest.fixture
def shop(home):
    (home / "plugs" / "shop.py").write_text(SHOP)


@pytest.mark.usefixtures("shop")
def test_the_source_is_shown_with_what_could_not_be_specialised_and_the_types(plugsock):
    status, out, err = plugsock("hot", "shop.total")

    lines = out.splitlines()
    assert (status, err) == (0, "")
    assert lines[0].startswith("shop.total  plugs/shop.py:5  CPython 3.")
    place = lines.index("6      return rounded(count * price)")
    assert lines[place + 1].startswith("       ^ BINARY_OP * ")
    assert lines[place + 1].endswith("  (`count`: int; `price`: int, float)")
    assert " 9  def rounded(value: float) -> float:" in lines
    assert " instructions that can be specialised are (" in lines[-2]
    assert " calls with 2 examples, " in lines[-1]
    assert " ns a call (" in lines[-1]


@pytest.mark.usefixtures("shop")
def test_machines_get_a_document(plugsock):
    status, out, _ = plugsock("hot", "shop.total", "plugs", "--format", "json")

    report = json.loads(out)
    total, rounded = report["functions"]
    assert (status, report["event"], total["name"], rounded["name"]) == (0, "shop.total", "total", "rounded")
    assert report["per_call"]["low"] <= report["per_call"]["median"] <= report["per_call"]["high"]
    (slow,) = total["lines"][1]["slow"]
    assert (slow["name"], slow["detail"], slow["state"]) == ("BINARY_OP", "*", "wavers")
    assert slow["met"] == [
        {"expression": "count", "types": ["int"]},
        {"expression": "price", "types": ["int", "float"]},
    ]


@pytest.mark.usefixtures("shop")
def test_an_example_that_fails_is_said_and_is_the_exit_status(plugsock):
    status, out, err = plugsock("hot", "shop.share")

    assert status == 1
    assert err == "plugsock: shop.share: example 1: ZeroDivisionError: division by zero (plugs/shop.py:15)\n"
    assert "BINARY_OP / is not specialised  (`1`: int; `a`: int)" in out


@pytest.mark.usefixtures("shop")
def test_colours_are_for_terminals(plugsock):
    assert "\x1b[" not in plugsock("hot", "shop.total")[1]
    assert "\x1b[33m" in plugsock("hot", "shop.total", "--color", "always")[1]


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("arguments", "status", "why"),
    [
        (["shop.none"], 1, "shop.none has no examples to run it on: give it some, as @plug(examples="),
        (["nosuch"], 1, "nosuch: no plug in plugs answers this event"),
        (["shop.total", "nowhere"], 2, "nowhere: there is no such folder of plugs"),
        ([], 2, "Missing argument 'EVENT'"),
    ],
)
def test_what_can_not_be_done_is_said(plugsock, arguments, status, why):
    found, out, err = plugsock("hot", *arguments)

    assert (found, out) == (status, "")
    assert why in err


@pytest.mark.usefixtures("shop")
def test_a_file_that_does_not_load_is_why_its_event_is_not_there(home, plugsock):
    (home / "plugs" / "broken.py").write_text("from plugsock import plug\n\n@plug\ndef broken(:\n")

    status, _, err = plugsock("hot", "broken")

    assert status == 1
    assert "broken: no plug in plugs answers this event" in err
