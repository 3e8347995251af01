import pytest

from plugsock.model import KEY
from plugsock.rpc.views import MEMBERS, Asked, Told, encode, read_asked, read_told


@pytest.mark.parametrize("asked", [Asked(b""), Asked(b"{}", only_named=True), Asked(b"\xff", msgpack=True, base=b"{}")])
def test_what_is_asked_reads_back_as_itself(asked):
    assert read_asked(encode(asked)) == asked


@pytest.mark.parametrize(
    "told",
    [
        Told(name=b"\0\xff"),
        Told(json=b"1"),
        Told(json=b"1", msgpack=b"\x01", reads=["orders"]),
        Told(json=b"{}", patch=b"{}", msgpack_patch=b"\x80"),
        Told(fault=b"{}", reads=["orders", "@members/room"]),
    ],
)
def test_what_is_told_reads_back_as_itself(told):
    assert read_told(encode(told)) == told


def test_no_plug_can_name_the_key_of_who_is_in_a_topic():
    assert KEY.fullmatch("members/room")
    assert not KEY.fullmatch(MEMBERS + "room")
