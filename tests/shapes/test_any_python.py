"""For any types: the module made of them is one, and what goes through its types comes out as it went in."""

import importlib.util
import typing
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plugsock.loader.signature import Mode
from plugsock.model import Kind
from plugsock.shapes.events import Event, Shapes
from plugsock.shapes.python import module
from support.any_type import TYPES, structs
from support.checkers import mypy, ruff

EVENTS = 300
VALUES = 3
"""Of each type."""


def event(name, input, output):
    return Event(name, Kind.CALL, "", Mode.WHOLE, input, output, False, (), None, "p.py:1", "")


def plain(value):
    return msgspec.json.decode(msgspec.json.encode(value))


def imported(path: Path):
    found = importlib.util.spec_from_file_location("any_python", path)
    made = importlib.util.module_from_spec(found)
    found.loader.exec_module(made)
    return made


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """A file for hundreds of events, and values that they take and answer: (event, payload or result, value)."""
    events, values = [], []

    @settings(max_examples=EVENTS, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def gather(data):
        input, payloads = data.draw(structs(TYPES))
        output, results = data.draw(TYPES)
        name = f"e{len(events)}"
        events.append(event(name, input, output))
        for _ in range(VALUES):
            values.append((name, "payload", plain(data.draw(payloads))))
            values.append((name, "return", plain(data.draw(results))))

    gather()
    assert len(events) >= EVENTS
    file = tmp_path_factory.mktemp("stub") / "any_python.py"
    file.write_text(module(Shapes(tuple(events), (), "")), encoding="utf-8")
    return file, values


def test_values_come_out_of_the_types_as_they_went_in(drawn, monkeypatch):
    file, values = drawn
    made = imported(file)
    monkeypatch.setitem(__import__("sys").modules, made.__name__, made)
    for name, side, value in values:
        hints = typing.get_type_hints(getattr(made.Plugs, name), include_extras=True)
        decoded = msgspec.json.decode(msgspec.json.encode(value), type=hints[side])
        assert plain(decoded) == value


def test_a_type_checker_and_a_linter_have_nothing_against_it(drawn):
    file, _ = drawn

    assert mypy(file) == []
    assert ruff(file) == []
