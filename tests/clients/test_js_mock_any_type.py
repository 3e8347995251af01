"""For any types: what the mock of the JavaScript client makes up fits its schema and is what msgspec reads."""

import json

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plugsock.loader.signature import Mode
from plugsock.model import Kind
from plugsock.shapes.describe import describe
from plugsock.shapes.events import Event, Shapes
from plugsock.shapes.schema import OUTPUT, document
from support.any_type import TYPES, structs
from support.folder_shapes import validator
from support.js_build import needs_build
from support.js_mock import run

EVENTS = 300
PAYLOADS = 3
"""For each event."""
KINDS = [Kind.CALL, Kind.STREAM, Kind.VIEW]

ASK = """
  await open();
  for (const [id, verb, name, payload] of given.asked) {
    await say(`${verb} ${id} ${name}?credit=9999 ${payload}`);
  }
  await pass(25);
  return heard;
"""

pytestmark = needs_build


def event(name, kind, input, output):
    return Event(name, kind, "", Mode.WHOLE, input, output, False, (), None, "p.py:1", "")


@pytest.fixture(scope="module")
def generated():
    """Events of all kinds, with JSON of payloads for each, of which the last is that of another event."""
    events, payloads = [], []

    @settings(max_examples=EVENTS, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def gather(data):
        input, values = data.draw(structs(TYPES))
        output, _ = data.draw(TYPES)
        drawn = [msgspec.json.encode(data.draw(values)).decode() for _ in range(PAYLOADS)]
        events.append(event(f"e{len(events)}", KINDS[len(events) % 3], input, output))
        payloads.append(drawn)

    gather()
    others = [payloads[-1], *payloads[:-1]]
    return events, [[*own, other[0]] for own, other in zip(payloads, others, strict=True)]


@pytest.fixture(scope="module")
def shapes(generated):
    events, _ = generated
    described = describe(events)
    assert described.problems == []
    return document(Shapes(tuple(events), (), ""), described)


@pytest.fixture(scope="module")
def asked(generated):
    """All calls and watches, by id: (event, payload)."""
    events, payloads = generated
    pairs = [(event, payload) for event, each in zip(events, payloads, strict=True) for payload in each]
    return dict(enumerate(pairs, start=1))


def answered(mock, shapes, asked):
    """What was heard, by id: verbs with what came."""
    verbs = {Kind.VIEW: "watch"}
    frames = [[id, verbs.get(event.kind, "call"), event.name, payload] for id, (event, payload) in asked.items()]
    found = {id: [] for id in asked}
    for frame in run(mock, ASK, shapes=shapes, asked=frames):
        verb, id, *said = frame.split(" ", 2)
        found[int(id)].append((verb, *said))
    return found


@pytest.fixture(scope="module")
def answers(mock, shapes, asked):
    return answered(mock, shapes, asked)


def test_values_fit_the_schema_and_are_what_msgspec_reads(shapes, asked, answers):
    values = 0
    for id, (event, _) in asked.items():
        fits = validator(shapes, f"/properties/{event.name}/properties/{OUTPUT[event.kind]}")
        for verb, *said in answers[id]:
            if verb == "item" or (verb == "ok" and event.kind is Kind.CALL):
                assert [error.message for error in fits.iter_errors(json.loads(said[0]))] == []
                msgspec.json.decode(said[0], type=event.output)
                values += 1
    assert values > EVENTS * PAYLOADS


def test_payloads_that_fit_are_taken_and_no_others(shapes, asked, answers):
    for id, (event, payload) in asked.items():
        fits = validator(shapes, f"/properties/{event.name}/properties/payload").is_valid(json.loads(payload))
        refused = [json.loads(said[0])["code"] for verb, *said in answers[id] if verb == "error"]
        assert refused == ([] if fits else ["bad_payload"]), (event.name, payload)


def test_streams_have_5_to_20_items_and_an_end_and_views_go_on(shapes, asked, answers):
    for id, (event, _) in asked.items():
        verbs = [verb for verb, *_ in answers[id]]
        if verbs == ["error"]:
            continue
        if event.kind is Kind.STREAM:
            assert verbs[-1] == "ok"
            assert 5 <= verbs.count("item") == len(verbs) - 1 <= 20
        else:
            assert set(verbs) == {"ok" if event.kind is Kind.CALL else "item"}


def test_everything_is_the_same_in_another_process(mock, shapes, asked, answers):
    assert answered(mock, shapes, asked) == answers
