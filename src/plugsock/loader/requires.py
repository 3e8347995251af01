"""What `requires=` can say: one permission, several of which all are needed, and choices of them."""

from collections.abc import Iterator
from typing import Any, Final

from plugsock.errors import DeclareError
from plugsock.model import ORDER_FIELD, PERMISSION, PERMISSION_FORM, AnyOf, Requires

STAR: Final = "{*}"
"""In what a rule for topics requires: what the `*` of its pattern stands for."""


def any_of(*permissions: str) -> AnyOf:
    """Require one of several permissions: `@plug(requires=any_of("orders.read", "audit"))`.

    Args:
        permissions: Each as in `@plug(requires=...)`.
    """
    if not permissions:
        raise DeclareError('any_of() must be given the permissions of which one is enough: any_of("a", "b")')
    return AnyOf(tuple(_permission(each, f"any_of({_listed(permissions)})") for each in permissions))


def normalised(requires: Any) -> Requires:
    """Everything that can stand behind `requires=` as one form; nothing is required where it is None.

    Raises:
        DeclareError: It is no permission; one sentence says what would be right.
    """
    needed = _normalised(requires)
    if any(field == STAR for field in _fields(needed)):
        raise DeclareError(
            f'requires={_shown(requires)} can have a field of the payload in braces, as "orders.read:{{shop}}": only '
            "in a rule for topics is there a `*`"
        )
    return needed


def normalised_for_topics(requires: Any, pattern: str) -> Requires:
    """The same for a rule: the one field that it may have is what the `*` of the rule's pattern stands for.

    Raises:
        DeclareError: As in `normalised`.
    """
    needed = _normalised(requires)
    for field in _fields(needed):
        if field != STAR:
            raise DeclareError(
                f"requires={_shown(requires)} names a field, and who joins a topic sends none: what the `*` of the "
                f'pattern stands for is "{STAR}"'
            )
        if not pattern.endswith("*"):
            raise DeclareError(
                f"requires={_shown(requires)} has {STAR} in it, and {pattern!r} has no `*` that it could stand for"
            )
    return needed


def _fields(requires: Requires) -> Iterator[str]:
    """What stands in braces, with these."""
    for any_of in requires:
        for text in any_of:
            if named := ORDER_FIELD.fullmatch(text):
                yield f"{{{named[1]}}}"


def _normalised(requires: Any) -> Requires:
    if requires is None:
        return ()
    shown = f"requires={_shown(requires)}"
    if isinstance(requires, list | tuple):
        if not requires:
            raise DeclareError(f"{shown} asks for nothing: name a permission, or leave it out if everybody may call")
        return tuple(_alternatives(each, shown) for each in requires)
    return (_alternatives(requires, shown),)


def _alternatives(requires: Any, shown: str) -> tuple[str, ...]:
    if isinstance(requires, AnyOf):
        return requires.permissions
    return (_permission(requires, shown),)


def _permission(said: Any, shown: str) -> str:
    """Check one permission; an enum's member, say, would be no text any more where it leaves the process."""
    if not isinstance(said, str):
        raise DeclareError(f'{shown} must be a permission as "orders.read", a list of them, or any_of("a", "b")')
    text: str = str.__str__(said)
    if "*" in text.replace(STAR, "", 1):
        raise DeclareError(f"{shown} must name what is needed in full: only what a user holds can have a `*` in it")
    named = ORDER_FIELD.fullmatch(text)
    if named is None and ("{" in text or "}" in text):
        raise DeclareError(f'{shown} can have one field of the payload in braces, as "orders.read:{{shop}}"')
    if PERMISSION.fullmatch(text if named is None else text[: named.start(1) - 1] + "_" + text[named.end(1) + 1 :]):
        return text
    raise DeclareError(f'{shown} must be made of permissions of {PERMISSION_FORM}, as "orders.read"')


def _shown(requires: Any) -> str:
    if isinstance(requires, AnyOf):
        return f"any_of({_listed(requires.permissions)})"
    if isinstance(requires, list | tuple):
        return f"[{', '.join(map(_shown, requires))}]"
    return repr(requires)


def _listed(permissions: tuple[Any, ...]) -> str:
    return ", ".join(map(_shown, permissions))
