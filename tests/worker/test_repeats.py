import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugsock import Raw
from plugsock.loader.signature import read
from plugsock.worker.repeats import refuse_repeats, sure_fields

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text('a:"\\{}[],é', max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('ab:"', max_size=2), inner, max_size=3),
    max_leaves=10,
)


@given(VALUES)
def test_what_repeats_nothing_passes(value):
    refuse_repeats(msgspec.json.encode(value))


@given(
    st.dictionaries(st.text('ab:"', max_size=2), VALUES, min_size=1, max_size=3),
    VALUES,
    st.sampled_from(["", " ", "\n"]),
)
def test_a_field_that_is_given_twice_is_refused(value, again, space):
    fields = [f"{msgspec.json.encode(k).decode()}{space}:{msgspec.json.encode(v).decode()}" for k, v in value.items()]
    fields.append(f"{msgspec.json.encode(next(iter(value))).decode()}:{msgspec.json.encode(again).decode()}")
    with pytest.raises(msgspec.ValidationError, match="repeats field"):
        refuse_repeats(("{" + ",".join(fields) + "}").encode())


def test_a_name_with_an_escaped_colon_is_no_repeat():
    refuse_repeats(rb'{"\u003a":1,"b":2}')


def test_a_name_that_is_written_in_two_ways_is_given_twice():
    with pytest.raises(msgspec.ValidationError, match="repeats field `a`"):
        refuse_repeats(rb'{"a":1,"\u0061":2}')


def test_only_fields_that_must_be_there_are_sure():
    def place(sku: str, count: int, note: str = ""): ...

    assert sure_fields(read(place, "place")) == 2


def test_a_payload_that_may_be_anything_is_never_sure():
    class Line(msgspec.Struct):
        sku: str

    def place(line: Line | None): ...

    assert sure_fields(read(place, "place")) == 0


def test_a_raw_payload_is_never_looked_into():
    def keep(payload: Raw): ...

    assert sure_fields(read(keep, "keep")) > 2**40
