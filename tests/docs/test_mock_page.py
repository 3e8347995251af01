"""What the page about made-up answers shows is so."""

import json
import re
import tomllib
from pathlib import Path

from plugsock.loader.source import Folder
from plugsock.loader.swap import Loader
from plugsock.mock.faults import parse
from plugsock.mock.pace import FEWEST, LATEST_S, LONGEST_S, MOST, SHORTEST_S, SOONEST_S
from plugsock.mock.times import DAY
from plugsock.settings import SETTINGS
from plugsock.shapes.describe import describe
from plugsock.shapes.events import read
from plugsock.shapes.schema import document
from support.folder_shapes import fits

PAGE = (Path(__file__).parents[2] / "docs" / "mock.md").read_text(encoding="utf-8")
SHAPES, EXAMPLE = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def catalog(path, text):
    (path / "orders.py").write_text(text, encoding="utf-8")
    loader = Loader([Folder(path)])
    try:
        look = loader.look()
        assert not look.problems
        return loader.commit(look.stage, [group.id for group in look.groups])
    finally:
        loader.close()


def test_its_plugs_are_shapes_and_the_answer_fits(tmp_path):
    found = catalog(tmp_path, SHAPES)
    assert {event: str(plug.announcement.kind) for event, plug in found.items()} == {
        "orders.place": "call",
        "orders.follow": "stream",
        "orders.latest": "view",
    }
    assert all(plug.announcement.is_shape for plug in found.values())

    shapes = read(found)
    whole = document(shapes, describe(shapes.events))
    [call, answer] = re.findall(r"^[→←] \w+ 1 (?:orders\.place )?(.+)$", PAGE, re.MULTILINE)
    assert fits(whole, "/properties/orders.place/properties/payload", json.loads(call))
    assert fits(whole, "/properties/orders.place/properties/result", json.loads(answer))


def test_its_example_is_one(tmp_path):
    head, _, _ = SHAPES.partition("@plug")
    [plug] = catalog(tmp_path, head + EXAMPLE).values()

    assert plug.examples[0].has_answer


def test_its_faults_are_faults():
    [said] = re.findall(r"--fault (\S+)", PAGE)
    rows = re.findall(r"^\| `(\w+=\S+)` \|", PAGE, re.MULTILINE)

    assert parse(said) == parse(",".join(rows))


def test_its_settings_are_settings():
    [text] = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)

    assert tomllib.loads(text).keys() <= {setting.key for setting in SETTINGS}


def test_its_numbers_are_those_in_the_code():
    assert f"{FEWEST} to {MOST} items, with {SHORTEST_S:g} to {LONGEST_S:g} second between two" in PAGE
    assert f"a new value every {SOONEST_S:g} to {LATEST_S:g} seconds" in PAGE
    assert f"around the first of January {DAY.year}" in PAGE
    assert (DAY.month, DAY.day) == (1, 1)
