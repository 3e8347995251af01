"""For any types: what is made up fits the schema that is published, and what msgspec takes."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from plugsock.loader.signature import Mode
from plugsock.mock.seeds import seed
from plugsock.mock.values import Maker
from plugsock.model import Kind
from plugsock.shapes.describe import describe
from plugsock.shapes.events import Event, Shapes
from plugsock.shapes.schema import document
from support.any_type import TYPES, structs
from support.folder_shapes import validator


def event(input, output):
    return Event("e", Kind.CALL, "", Mode.WHOLE, input, output, False, (), None, "p.py:1", "")


@settings(max_examples=300, deadline=None)
@given(structs(TYPES), TYPES, st.binary(max_size=4))
def test_what_is_made_up_fits(struct, type, arguments):
    shown = event(struct[0], type[0])
    whole = document(Shapes((shown,), (), ""), describe([shown]))

    for declared, side in ((shown.input, "payload"), (shown.output, "result")):
        encoded = msgspec.json.encode(Maker(declared).make(seed("e", arguments)))
        msgspec.json.decode(encoded, type=declared)
        fits = validator(whole, f"/properties/e/properties/{side}")
        assert [error.message for error in fits.iter_errors(msgspec.json.decode(encoded))] == []
        assert encoded == msgspec.json.encode(Maker(declared).make(seed("e", arguments)))
