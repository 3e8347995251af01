import pytest

from plugsock.client.permissions import Permissions


@pytest.mark.parametrize(
    ("held", "permission", "has"),
    [
        ([], "orders.read", False),
        (["orders.read"], "orders.read", True),
        (["orders.read"], "orders.reads", False),
        (["orders.*"], "orders.read", True),
        (["orders.*"], "orders.read:7", True),
        (["orders.*"], "orders", False),
        (["orders.read:*"], "orders.read:7", True),
        (["orders.read:*"], "orders.read", False),
        (["*"], "anything", True),
        (["orders.*", "!orders.delete"], "orders.delete", False),
        (["orders.*", "!orders.delete"], "orders.read", True),
        (["orders.delete", "!orders.*"], "orders.delete", False),
        (["*", "!*"], "orders.read", False),
    ],
)
def test_what_is_held_and_not_denied_is_had(held, permission, has):
    assert Permissions(held).has(permission) is has
