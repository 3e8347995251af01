"""What `@plug(requires=...)` can say: one permission, several of which all are needed, and choices of them."""

from typing import Any

from msgspec import Struct

from plugsock.errors import DeclareError
from plugsock.model import ORDER_FIELD, PERMISSION, PERMISSION_FORM, Requires


class AnyOf(Struct, frozen=True):
    """Permissions of which one is enough; see `any_of`."""

    permissions: tuple[str, ...]


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
    if "*" in text:
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
