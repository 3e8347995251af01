"""For any types: the JSON of their values, made-up ones too, is what the declarations say, to TypeScript's compiler."""

import json

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import inspect as spec

from plugsock.loader.signature import Mode
from plugsock.mock.seeds import seed
from plugsock.mock.values import Maker
from plugsock.model import Kind
from plugsock.shapes.events import Event, Shapes
from plugsock.shapes.typescript import declarations
from support.any_type import TYPES, structs
from support.tsc import complaints, needs_tsc

EVENTS = 300
VALUES = 3
"""Of each type."""


def event(name, input, output):
    return Event(name, Kind.CALL, "", Mode.WHOLE, input, output, False, (), None, "p.py:1", "")


def plain(value):
    return msgspec.json.decode(msgspec.json.encode(value))


def without_defaults(type, value):
    """What a client may send as well: all is left out that has a default."""
    fields = spec.type_info(type).fields
    if isinstance(value, list):
        return value[: len(value) - sum(not field.required for field in fields)]
    return {name: each for name, each in value.items() if name not in {f.encode_name for f in fields if not f.required}}


@needs_tsc
def test_values_are_of_their_types(tmp_path):
    events, lines = [], ['import type { Plugs } from "./types";', 'type Calls = Plugs["calls"];']

    def add(value, name, side):
        lines.append(f'({json.dumps(value)}) satisfies Calls["{name}"]["{side}"];')

    # All of them are compiled together: one run of the compiler costs as much as hundreds of types.
    @settings(max_examples=EVENTS, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def gather(data):
        input, payloads = data.draw(structs(TYPES))
        output, results = data.draw(TYPES)
        events.append(event(f"e{len(events)}", input, output))
        for _ in range(VALUES):
            payload, name = plain(data.draw(payloads)), events[-1].name
            add(payload, name, "args")
            add(without_defaults(input, payload), name, "args")
            add(plain(data.draw(results)), name, "result")
        add(plain(Maker(output).make(seed(name, b""))), name, "result")
        add(plain(Maker(input).make(seed(name, b""))), name, "args")

    gather()
    (tmp_path / "types.d.ts").write_text(declarations(Shapes(tuple(events), (), "")), encoding="utf-8")
    (tmp_path / "values.ts").write_text("\n".join(lines), encoding="utf-8")

    wrong = complaints(tmp_path / "types.d.ts", tmp_path / "values.ts")
    assert [(file, lines[line - 1], code) for file, line, code in wrong] == []
    assert len(events) >= EVENTS
