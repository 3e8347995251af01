"""What a client says of itself, whenever it comes."""

import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

from plugsock.client.codec import Format

Token: TypeAlias = str | Callable[[], str | Awaitable[str | None] | None] | None
"""Who one is: a token, or a function, plain or async, that is asked for one whenever one is needed."""


class Greeting:
    """The words of `hello` that stay the same.

    Args:
        format: What pushes and the values of views come in.
        token: Who says it.
        mock: Patterns of events that a server in `--dev` is asked to answer with made-up values.
        shapes: The hash of the shapes that this client was built for; empty if nobody knows.
    """

    def __init__(self, format: Format, token: Token = None, mock: Sequence[str] = (), shapes: str = "") -> None:
        self.token = token
        self._words: dict[str, Any] = {"v": 1, "format": format}
        self._more: dict[str, Any] = {}
        if mock:
            self._more["mock"] = list(mock)
        if shapes:
            self._more["shapes"] = shapes

    async def show(self) -> str | None:
        """The token, asked for anew where it is a function's."""
        if not callable(self.token):
            return self.token
        token = self.token()
        return await token if inspect.isawaitable(token) else token

    def hello(self, token: str | None, earlier: dict[str, Any]) -> dict[str, Any]:
        """What is said.

        Args:
            token: What was shown.
            earlier: What takes up an earlier session, if there is one.
        """
        return self._words | ({} if token is None else {"token": token}) | self._more | earlier
