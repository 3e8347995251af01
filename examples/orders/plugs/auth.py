"""Who is staff: whoever knows the key that hangs behind the counter. All others are guests."""

import hmac
import os

from plugsock import Hello, User, authenticate

KEY = os.environ.get("ORDERS_KEY", "earl-grey")
"""For trying it out; a shop of yours has a key of its own, or tokens."""


@authenticate
async def who(hello: Hello) -> User | None:
    """Staff may do all that has to do with orders."""
    is_staff = hmac.compare_digest((hello.token or "").encode(), KEY.encode())
    return User("staff", frozenset({"orders.*"})) if is_staff else None
