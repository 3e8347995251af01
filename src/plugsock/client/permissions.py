"""What somebody may do, as the server has said it last."""


class Permissions(list[str]):
    """What is held, and then, each after a `!`, what of that is denied: `["orders.*", "!orders.delete"]`.

    It is for menus: the server checks each call.
    """

    def has(self, permission: str) -> bool:
        """Is something held and not denied? `orders.*` is all that begins with `orders.`, and `*` is everything."""
        denied = any(_covers(each[1:], permission) for each in self if each.startswith("!"))
        return not denied and any(_covers(each, permission) for each in self if not each.startswith("!"))


def _covers(pattern: str, permission: str) -> bool:
    return permission.startswith(pattern[:-1]) if pattern.endswith("*") else permission == pattern
