"""The signatures of what no client calls: who says who somebody is, what happens to a socket, and rules for topics."""

import inspect
from collections.abc import Callable
from typing import Any, Final

from msgspec import structs

from plugsock.errors import DeclareError
from plugsock.loader import shape
from plugsock.loader.annotations import union_members
from plugsock.loader.binding import Argument
from plugsock.loader.signature import Signature, arguments_of, fields, kind_of, made, output_of
from plugsock.model import AUTHENTICATE, Hello, Kind, TopicRule, User

_TOPIC: Final = Argument("topic", "field", keyword_only=False, annotation=str, default=inspect.Parameter.empty)
"""What is said of a join or leave."""


def read_authenticator(function: Callable[..., Any]) -> Signature:
    """Read the signature of the function that is marked `@authenticate`; its payload is `{"hello": {...}}`.

    Raises:
        DeclareError: It can't work; one sentence says why and what would be right.
    """
    kind, is_async = kind_of(function)
    if kind is not Kind.CALL:
        raise DeclareError("@authenticate says once who somebody is: `return` it, it can't `yield`")
    arguments = arguments_of(function)
    _check_hello(arguments)
    output = output_of(function, kind, is_async=is_async)
    if output is not Any and not all(member in (User, type(None)) for member in union_members(output)):
        raise DeclareError(
            f"@authenticate says who somebody is: its result is `User | None`, not `{shape.text(output)}`"
        )
    payload = fields([structs.replace(a, name="hello") for a in arguments if a.source == "field"], AUTHENTICATE)
    return made(kind, arguments, payload, output, is_async=is_async)


def _check_hello(arguments: list[Argument]) -> None:
    for argument in arguments:
        if argument.source in ("socket", "user"):
            raise DeclareError(f"`{argument.name}` can't be handed in: @authenticate is asked before there is a caller")
    taken = [argument for argument in arguments if argument.source == "field"]
    if len(taken) != 1 or taken[0].annotation is not Hello or taken[0].default is not inspect.Parameter.empty:
        raise DeclareError(
            "@authenticate takes what somebody shows of themselves, as `hello: Hello`, and nothing else but a `Server`"
        )


def read_moment(function: Callable[..., Any], moment: str, event: str) -> Signature:
    """Read the signature of a function that is marked `@on_join`, say.

    The payload of joins and leaves is `{"topic": "room.kitchen"}`, whether it takes that or not; others have none.

    Raises:
        DeclareError: It can't work; one sentence says why and what would be right.
    """
    kind, is_async = kind_of(function)
    if kind is not Kind.CALL:
        raise DeclareError(f"@{moment} is run, not iterated: it can't `yield`")
    arguments = arguments_of(function)
    has_topic = moment in ("on_join", "on_leave")
    for argument in arguments:
        _check_moment(argument, moment, has_topic=has_topic)
    payload = fields([_TOPIC] if has_topic else [], event)
    signature = made(Kind.MOMENT, arguments, payload, Any, is_async=is_async)
    takes = "(topic: str)" if any(argument.source == "field" for argument in arguments) else "()"
    return structs.replace(signature, input_text=takes, output_text="")


def _check_moment(argument: Argument, moment: str, *, has_topic: bool) -> None:
    if argument.source != "field":
        return
    if not has_topic:
        raise DeclareError(
            f"`{argument.name}` can't be handed in: @{moment} takes a `Socket`, `User` and `Server`, as it likes"
        )
    if argument.name != _TOPIC.name or argument.annotation not in (str, Any):
        raise DeclareError(
            f"`{argument.name}` can't be handed in: @{moment} takes `topic: str`, a `Socket`, `User` and `Server`, as it "
            "likes"
        )


async def ruled() -> None:
    """Stand for a rule where there are functions: nobody calls it, because the gateway routes no call to it."""


def rule_signature(rule: TopicRule, event: str) -> Signature:
    """The signature of a rule, which shows what it says; without `requires`, which is announced by itself."""
    signature = made(Kind.TOPIC, [], fields([], event), None, is_async=True)
    said = [f"history={rule.history}", f"ttl={rule.ttl_s:g}"] if rule.history else []
    if rule.presence:
        said.append("presence=True")
    return structs.replace(signature, input_text=f"({', '.join(said)})", output_text="")
