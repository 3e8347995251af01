import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugsock.model import JSON, MSGPACK
from plugsock.rpc.fields import Template, parse, reader

ENCODE = (msgspec.json.encode, msgspec.msgpack.encode)
FORMATS = pytest.mark.parametrize("format", [JSON, MSGPACK], ids=["json", "msgpack"])
VALUES = st.text() | st.integers(-(1 << 63), (1 << 64) - 1)


@pytest.mark.parametrize(
    ("text", "template"),
    [
        ("socket", Template("socket", None)),
        ("user", Template("user", None)),
        ("{room}", Template("", "room")),
        ("room-{room}", Template("room-", "room")),
        ("orders.read:{shop}!", Template("orders.read:", "shop", "!")),
        ("{a field}", Template("", "a field")),
        ("{r.name}", Template("", "r.name")),
    ],
)
def test_a_template_names_one_field_or_who_calls(text, template):
    assert parse(text) == template


@pytest.mark.parametrize("text", ["", "room", "Socket", "{}", "{a}{b}", "{{a}}", "{a", "a}", "{a}}"])
def test_what_names_no_field_or_two_is_refused(text):
    with pytest.raises(ValueError, match="neither socket, user nor a text with one field"):
        parse(text)


@pytest.mark.parametrize("value", [None, True, 1.0, b"a", ["a"], {}], ids=repr)
def test_only_texts_and_whole_numbers_are_rendered(value):
    with pytest.raises(ValueError, match="neither a text nor a whole number"):
        parse("{room}").render(value)


def test_who_calls_can_not_be_read_from_a_payload():
    with pytest.raises(ValueError, match="socket is no field"):
        reader(parse("socket"))


@FORMATS
@given(value=VALUES, others=st.dictionaries(st.text(), st.recursive(VALUES, lambda inner: st.lists(inner, max_size=3))))
def test_a_reader_finds_the_field_whatever_else_there_is(format, value, others):
    template = parse("in {room} now")
    payload = ENCODE[format]({**others, "room": value})
    assert reader(template)(payload, format) == template.render(value) == f"in {value} now"


@FORMATS
@pytest.mark.parametrize("value", [None, True, 1.5, ["a"], {"a": 1}], ids=repr)
def test_a_field_of_another_kind_is_refused(format, value):
    with pytest.raises(ValueError, match=r"Expected `int \| str`"):
        reader(parse("{room}"))(ENCODE[format]({"room": value}), format)


@FORMATS
@pytest.mark.parametrize("value", [{}, {"rooms": "a"}, [], "room", None], ids=repr)
def test_a_payload_without_the_field_is_refused(format, value):
    with pytest.raises(ValueError, match=r"missing required field|Expected `object`"):
        reader(parse("{room}"))(ENCODE[format](value), format)


@pytest.mark.parametrize(
    "payload",
    [b"", b"{", b'{"room":"a"} x', b'{"room":"\xff"}', b'{"a":' + b"[" * 100_000, b'{"room":' + b"9" * 5000 + b"}"],
    ids=["empty", "cut", "more", "no UTF-8", "nested", "huge"],
)
def test_a_payload_that_can_not_be_read_is_refused(payload):
    with pytest.raises(ValueError):
        reader(parse("{room}"))(payload, JSON)


def test_of_a_field_that_is_there_twice_the_last_counts_as_it_does_for_the_plug():
    payload = b'{"room":"a","r\\u006fom":"b"}'
    assert reader(parse("{room}"))(payload, JSON) == "b"
    assert msgspec.json.decode(payload) == {"room": "b"}
