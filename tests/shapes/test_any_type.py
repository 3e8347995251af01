"""For any types: what is encoded fits the schema, and what the plug would refuse the schema refuses too."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from plugsock.loader.signature import Mode
from plugsock.model import Kind
from plugsock.shapes.describe import describe
from plugsock.shapes.events import Event, Shapes
from plugsock.shapes.schema import document
from support.any_type import TEXT, TYPES, structs
from support.folder_shapes import validator

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-200, 200) | st.sampled_from([-1.5, 0.25]) | TEXT | st.just("red"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=4,
)


def event(input, output):
    return Event("e", Kind.CALL, "", Mode.WHOLE, input, output, False, (), None, "p.py:1", "")


def mutated(data, value):
    """The same JSON with something else in one place of it."""
    if isinstance(value, dict) and value and data.draw(st.booleans()):
        key = data.draw(st.sampled_from(sorted(value)))
        rest = {name: each for name, each in value.items() if name != key}
        return rest if data.draw(st.booleans()) else {**value, key: mutated(data, value[key])}
    if isinstance(value, list) and value and data.draw(st.booleans()):
        index = data.draw(st.integers(0, len(value) - 1))
        return [*value[:index], mutated(data, value[index]), *value[index + 1 :]]
    if isinstance(value, dict) and data.draw(st.booleans()):
        return {**value, "unknown": data.draw(ANY_JSON)}
    return data.draw(ANY_JSON)


def is_decoded(value, type):
    try:
        msgspec.json.decode(msgspec.json.encode(value), type=type)
    except msgspec.ValidationError:
        return False
    return True


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_what_is_encoded_fits_and_what_is_refused_does_not(data):
    input, values = data.draw(structs(TYPES))
    output, results = data.draw(TYPES)
    described = describe([event(input, output)])
    assert described.problems == []
    whole = document(Shapes((event(input, output),), (), ""), described)
    Draft202012Validator.check_schema(whole)

    for type, drawn, side in ((input, values, "payload"), (output, results, "result")):
        fits = validator(whole, f"/properties/e/properties/{side}")
        encoded = msgspec.json.decode(msgspec.json.encode(data.draw(drawn)))
        assert [error.message for error in fits.iter_errors(encoded)] == []
        other = mutated(data, encoded)
        assert is_decoded(other, type) or not fits.is_valid(other)
