"""The header of a frame, taken apart and built."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugsock.wire.header import (
    MAX_HEADER,
    NO_OPTIONS,
    PARTS,
    BadFrame,
    ClientFrame,
    Options,
    ServerFrame,
    client_frame,
    parse_client,
    parse_server,
)

names = st.from_regex(rb"[A-Za-z0-9_.:/-]{1,128}", fullmatch=True)
ids = st.integers(min_value=1, max_value=10**16 - 1).map(lambda n: b"%d" % n)


@pytest.mark.parametrize(
    ("message", "frame"),
    [
        (b'call 7 chat.send {"a": 1}', ClientFrame(b"call", b"7", b"chat.send", NO_OPTIONS, b'{"a": 1}')),
        (b"call 7 clock", ClientFrame(b"call", b"7", b"clock", NO_OPTIONS, b"")),
        (b"call 7 clock\n", ClientFrame(b"call", b"7", b"clock", NO_OPTIONS, b"")),
        (b"call 7 clock ", ClientFrame(b"call", b"7", b"clock", NO_OPTIONS, b"")),
        (b"call 0 log.hit {}", ClientFrame(b"call", b"0", b"log.hit", NO_OPTIONS, b"{}")),
        (b"call 7 raw \x00\xff ", ClientFrame(b"call", b"7", b"raw", NO_OPTIONS, b"\x00\xff ")),
        (b"more 8 32", ClientFrame(b"more", b"8", b"32", NO_OPTIONS, b"")),
        (b"more 8 32\n", ClientFrame(b"more", b"8", b"32", NO_OPTIONS, b"")),
        (b"cancel 8", ClientFrame(b"cancel", b"8", b"", NO_OPTIONS, b"")),
        (b"ping", ClientFrame(b"ping", b"", b"", NO_OPTIONS, b"")),
        (b"ping\n", ClientFrame(b"ping", b"", b"", NO_OPTIONS, b"")),
        (b"leave 3 room:a/b", ClientFrame(b"leave", b"3", b"room:a/b", NO_OPTIONS, b"")),
        (b"join 3 room?at=e3.118", ClientFrame(b"join", b"3", b"room", Options(at="e3.118"), b"")),
        (b'hello 1 plugsock {"v":1}', ClientFrame(b"hello", b"1", b"plugsock", NO_OPTIONS, b'{"v":1}')),
    ],
)
def test_a_frame_has_the_parts_of_its_verb(message, frame):
    assert parse_client(message) == frame


def test_every_known_option_is_read_and_unknown_ones_are_ignored():
    options = b"timeout=2.5&key=ab12&explain&mock&patch=0&trace=00-af-b7-01&credit=5&at=e.1&colour=red"
    assert parse_client(b"call 7 a?" + options).options == Options(
        timeout=2.5, key="ab12", explain=True, mock=True, patch=False, trace="00-af-b7-01", credit=5, at="e.1"
    )


@pytest.mark.fault("W23", "W24")
@pytest.mark.parametrize(
    ("message", "id"),
    [
        (b"", None),
        (b" ", None),
        (b"call", None),
        (b"call 7", b"7"),
        (b"call  7 a {}", None),
        (b"call 07 a {}", None),
        (b"call -1 a {}", None),
        (b"call 1e3 a {}", None),
        (b"call [1] a {}", None),
        (b"call 12345678901234567 a {}", None),
        (b"call " + b"9" * 10_240 + b" a {}", None),
        (b"cancel 0", None),
        (b"cancel 7 8", b"7"),
        (b"more 8 32 {}", b"8"),
        (b"more 8", b"8"),
        (b"ping 1", None),
        (b"CALL 7 a {}", None),
        (b"call\t7 a {}", None),
        (b"ok 7 {}", None),
        (b"welcome 1 {}", None),
        (b"push - a {}", None),
        (b"\xff\xfe", None),
        (b"call 7 a?timeout=x", b"7"),
        (b"call 7 a?timeout=-1", b"7"),
        (b"call 7 a?timeout=nan", b"7"),
        (b"call 7 a?credit=1.5", b"7"),
        (b"call 7 a?credit=-1", b"7"),
        (b"call 7 a?key=a%20b", b"7"),
        (b"call 7 a?&", b"7"),
        (b"call 7 a?" + b"x" * MAX_HEADER, b"7"),
    ],
)
def test_a_malformed_frame_is_refused_with_the_id_that_can_be_told(message, id):
    with pytest.raises(BadFrame) as caught:
        parse_client(message)
    assert caught.value.id == id
    assert caught.value.message


@pytest.mark.fault("W22")
@pytest.mark.parametrize(
    "name",
    [b"a b"[:1] + b"\x00", b"caf\xc3\xa9", b"\xe2\x80\xaea", b"a\\b", b"", b"n" * 129, b"a%2e", b"*", b"a\nb"],
)
def test_a_name_is_made_of_plain_characters(name):
    with pytest.raises(BadFrame):
        parse_client(b"call 7 " + name + b" {}")


@given(st.sampled_from(sorted(PARTS)), ids, names, st.binary(max_size=50))
def test_what_is_built_is_what_is_parsed(verb, id, name, payload):
    count, has_payload = PARTS[verb]
    built = client_frame(verb, *(id, name)[: count - 1], **({"payload": payload} if has_payload else {}))
    frame = parse_client(built)
    assert (frame.verb, frame.id, frame.name) == (verb, id if count > 1 else b"", name if count > 2 else b"")
    assert frame.payload == (payload if has_payload else b"")


@given(
    st.one_of(st.binary(max_size=600), st.tuples(st.sampled_from(sorted(PARTS)), st.binary(max_size=80)).map(b" ".join))
)
def test_arbitrary_bytes_parse_or_are_refused(message):
    try:
        frame = parse_client(message)
    except BadFrame:
        return
    assert message.startswith(frame.verb)
    assert message.endswith(frame.payload)


@pytest.mark.parametrize(
    ("frame", "parsed"),
    [
        (b"ok 7 [1, 2]", ServerFrame(b"ok", b"7", b"", b"[1, 2]")),
        (b"ok 7", ServerFrame(b"ok", b"7", b"", b"")),
        (b"push - chat.message {}", ServerFrame(b"push", b"-", b"chat.message", b"{}")),
        (b'notice plugs {"changed": []}', ServerFrame(b"notice", b"plugs", b"", b'{"changed": []}')),
        (b"pong", ServerFrame(b"pong", b"", b"", b"")),
    ],
)
def test_a_server_frame_has_the_tokens_of_its_verb(frame, parsed):
    assert parse_server(frame) == parsed


@pytest.mark.parametrize("frame", [b"", b"call 7 a", b"ok", b"push -"])
def test_a_server_frame_with_too_little_is_refused(frame):
    with pytest.raises(BadFrame):
        parse_server(frame)
