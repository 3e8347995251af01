import msgspec
import pytest

from plugsock.client.codec import decode, decode_error, encode
from plugsock.model import Raw


@pytest.mark.parametrize("format", ["json", "msgpack"])
def test_a_value_comes_back_as_it_was(format):
    binary, payload = encode({"sku": "tea", "count": 2}, format)

    assert binary is (format == "msgpack")
    assert decode(payload, dict[str, object], binary=binary) == {"sku": "tea", "count": 2}


def test_none_is_no_payload_at_all():
    assert encode(None, "json") == (False, b"")
    assert decode(b"", object, binary=False) is None


def test_no_payload_does_not_pass_for_a_type_that_is_never_none():
    with pytest.raises(msgspec.ValidationError):
        decode(b"", int, binary=False)


def test_raw_goes_out_and_comes_in_untouched_in_its_own_format():
    assert encode(Raw(b"\x00\xff", "msgpack"), "json") == (True, b"\x00\xff")

    raw = decode(b"\x00\xff", Raw, binary=True)
    assert (raw, raw.format) == (b"\x00\xff", "msgpack")


def test_a_value_without_an_encoding_is_refused():
    with pytest.raises(TypeError):
        encode(object(), "json")


def test_an_error_carries_everything_that_the_server_said():
    error = decode_error(
        b'{"code":"overloaded","message":"Later.","retry":true,"after_ms":1500,'
        b'"ref":"r1","path":"$.count","data":{"queue":9}}',
        binary=False,
    )

    assert (error.code, error.message, error.retry, error.after) == ("overloaded", "Later.", True, 1.5)
    assert (error.ref, error.path, error.data) == ("r1", "$.count", {"queue": 9})
    assert str(error) == "overloaded: Later."
