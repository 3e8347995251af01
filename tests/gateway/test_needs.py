"""What a call must be allowed to, read from its payload where a permission has a field of it."""

import msgspec
import pytest

from plugsock.gateway.needs import Needs
from plugsock.gateway.refusal import Refused

SHOP = Needs((("orders.read:{shop}",),))


def test_what_names_no_field_is_the_same_for_every_payload():
    requires = (("a",), ("b", "c"))
    assert Needs(requires).of(b"not even read", 0) is requires


@pytest.mark.parametrize("encode", [msgspec.json.encode, msgspec.msgpack.encode])
@pytest.mark.parametrize("value", ["berlin", "a_b-c/d", 7, -7])
def test_a_field_is_put_in(encode, value):
    format = int(encode is msgspec.msgpack.encode)
    assert SHOP.of(encode({"x": [1], "shop": value}), format) == ((f"orders.read:{value}",),)


@pytest.mark.parametrize("payload", [b"", b"{}", b'{"shop":1.5}', b'{"shop":null}', b"[", b"[" * 100_000])
def test_a_payload_without_the_field_does_not_fit(payload):
    with pytest.raises(Refused) as refused:
        SHOP.of(payload, 0)
    assert (refused.value.reason.code, refused.value.reason.path) == ("bad_payload", "$.shop")


@pytest.mark.fault("A12")
@pytest.mark.parametrize("value", ["*", "a.b", "a:b", "", "b\u0435rlin", "x" * 65, "a b", "a\n"])
def test_what_could_be_several_parts_or_none_is_nobodys(value):
    with pytest.raises(Refused) as refused:
        SHOP.of(msgspec.json.encode({"shop": value}), 0)
    assert refused.value.reason.code == "forbidden"


def test_what_no_permission_can_be_about_is_still_somebodys_who_has_another_one():
    needs = Needs((("admin", "orders.read:{shop}"), ("b",)))
    assert needs.of(b'{"shop":"a.b"}', 0) == (("admin",), ("b",))
