"""Who is calling, by JSON Web Tokens: whoever connects must show one, as soon as a variable PLUGSOCK_JWT_* is set.

    SECRET    HS256: 32 bytes or more, which only the server and whoever makes the tokens know
    KEY       a PEM file with a public key: RS256, ES256 or EdDSA, whichever the key is for
    JWKS      a file with several such keys, as JSON Web Key Set; a token names its own by `kid`
    AUDIENCE  what `aud` must be or contain; without it, a token that has an `aud` is for somebody else
    ISSUER    what `iss` must be
    COOKIE    the cookie that has the token, where neither a frame nor the Authorization header brings one
    LEEWAY    seconds that clocks may differ, 0 by default

One of the first three is needed; keys need the package cryptography (`plugsock pip install cryptography`). `sub` is the user's id, `exp` ends the identity, and `permissions` (a list) or `scope` (a
text) says what the user may do. A file is read again when it changes; while it is broken or gone, the last one counts.
"""

import json
import logging
import math
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from plugsock import Hello, User, authenticate

PREFIX = "PLUGSOCK_JWT_"
SOURCES = ("SECRET", "KEY", "JWKS")
NAMES = (*SOURCES, "AUDIENCE", "ISSUER", "COOKIE", "LEEWAY")

SHORTEST_SECRET = 32
"""Bytes: as long as the hash, as RFC 7518 (3.2) has it; a shorter one can be guessed from a single token."""
SHORTEST_RSA = 2048
"""Bits, RFC 7518 (3.3)."""
MOST_LEEWAY_S = 300.0

PERMISSION = re.compile(r"[A-Za-z0-9_.:/-]{1,128}|([A-Za-z0-9_.:/-]{0,126}[.:])?\*")
"""What a user can hold; what else stands in a scope is for others."""

SAID = {name.removeprefix(PREFIX): value for name, value in os.environ.items() if name.startswith(PREFIX)}

log = logging.getLogger("plugsock.tokens")


class Key(NamedTuple):
    """A key, and the one algorithm that it is for: a token has no say in that."""

    algorithm: str
    key: Any


Keys = Mapping[str | None, Key]
"""By `kid`; a key that stands alone may have none."""


class KeyFile:
    """A file of keys, read when it has changed."""

    def __init__(self, path: Path, parse: Callable[[bytes], Keys]) -> None:
        self._path = path
        self._parse = parse
        self._stamp = self._look()
        self._keys = parse(path.read_bytes())

    def keys(self) -> Keys:
        """The keys that count now."""
        stamp = self._look()
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._keys = self._parse(self._path.read_bytes())
            except (OSError, ValueError) as error:
                log.warning("%s is not used, the keys stay as they are: %s", self._path, error)
        return self._keys

    def _look(self) -> tuple[int, ...] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino


class Tokens:
    """Checks tokens.

    Raises:
        ValueError: It can't be as the variables say.
    """

    def __init__(self, said: Mapping[str, str]) -> None:
        import jwt  # noqa: PLC0415 - 60 ms that a server without tokens does not wait for

        self._jwt = jwt
        for name, value in said.items():
            if name not in NAMES:
                raise ValueError(f"{PREFIX}{name} is none of {', '.join(PREFIX + known for known in NAMES)}")
            if not value.strip():
                raise ValueError(f"{PREFIX}{name} is empty: give it a value or remove it")
        self._keys = _keys(said)
        self._audience = said.get("AUDIENCE")
        self._issuer = said.get("ISSUER")
        self._cookie = said.get("COOKIE")
        self._leeway_s = _leeway(said.get("LEEWAY", "0"))

    def user(self, hello: Hello) -> User | None:
        """Whose token it is; None if there is none, or anything is wrong with it."""
        token = hello.token
        if token is None and self._cookie is not None:
            token = hello.cookies.get(self._cookie)
        if token is None:
            return None
        try:
            return self._user(self._claims(token))
        except Exception as error:  # whatever a stranger sends: all get the same answer, and the log no word of it
            log.debug("a token is refused: %s", type(error).__name__)
            return None

    def _claims(self, token: str) -> dict[str, Any]:
        key = _named(self._keys(), self._jwt.get_unverified_header(token).get("kid"))
        return self._jwt.decode(
            token,
            key.key,
            algorithms=[key.algorithm],
            audience=self._audience,
            issuer=self._issuer,
            leeway=self._leeway_s,
            options={"require": ["sub", *(["iss"] if self._issuer else [])]},
        )

    def _user(self, claims: Mapping[str, Any]) -> User:
        id, expires = claims["sub"], claims.get("exp")
        if not (isinstance(id, str) and id):
            raise ValueError("sub is no text")
        if expires is not None:
            expires = float(expires) + self._leeway_s
            if not math.isfinite(expires):
                raise ValueError("exp is no time")
        return User(id, _permissions(claims), expires)


def _named(keys: Keys, kid: str | None) -> Key:
    """The key that a token names; where there is one key only, it need not."""
    if len(keys) == 1 and (kid is None or None in keys):
        return next(iter(keys.values()))
    return keys[kid]


def _permissions(claims: Mapping[str, Any]) -> frozenset[str]:
    said = claims.get("permissions")
    if said is None:
        scope = claims.get("scope", "")
        if not isinstance(scope, str):
            raise ValueError("scope is no text")
        said = scope.split()
    if not (isinstance(said, list) and all(isinstance(each, str) for each in said)):
        raise ValueError("permissions is no list of texts")
    return frozenset(each for each in said if PERMISSION.fullmatch(each))


def _keys(said: Mapping[str, str]) -> Callable[[], Keys]:
    given = [name for name in SOURCES if name in said]
    if len(given) != 1:
        wanted = ", ".join(PREFIX + name for name in SOURCES)
        raise ValueError(f"one of {wanted} must be set, and there {'are more' if given else 'is none'}")
    name = given[0]
    try:
        if name == "SECRET":
            keys = _secret(said[name].encode())
            return lambda: keys
        import cryptography  # noqa: F401, PLC0415 - where it is missing, this says how to get it

        return KeyFile(Path(said[name]).absolute(), _pem if name == "KEY" else _jwks).keys
    except OSError as error:
        raise ValueError(f"{PREFIX}{name}: {said[name]} can't be read: {error.strerror}") from error
    except ValueError as error:
        raise ValueError(f"{PREFIX}{name}: {error}") from error


def _leeway(text: str) -> float:
    try:
        if 0 <= (leeway_s := float(text)) <= MOST_LEEWAY_S:
            return leeway_s
    except ValueError:
        pass
    raise ValueError(f"{PREFIX}LEEWAY={text} must be seconds, {MOST_LEEWAY_S:g} at most")


def _secret(secret: bytes) -> Keys:
    if len(secret) < SHORTEST_SECRET:
        raise ValueError(f"a secret has at least {SHORTEST_SECRET} bytes: `openssl rand -base64 32` makes one")
    return {None: Key("HS256", secret)}


def _pem(data: bytes) -> Keys:
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - as in `Tokens`
    from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415

    try:
        key = load_pem_public_key(data)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ValueError("the file holds no public key: it begins with `-----BEGIN PUBLIC KEY-----`") from error
    return {None: Key(_algorithm(key), key)}


def _algorithm(key: Any) -> str:
    """What a public key is for."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa  # noqa: PLC0415 - as in `Tokens`

    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= SHORTEST_RSA:
        return "RS256"
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return "ES256"
    if isinstance(key, ed25519.Ed25519PublicKey):
        return "EdDSA"
    raise ValueError(f"a public key is RSA (of {SHORTEST_RSA} bits or more), P-256 or Ed25519")


def _jwks(data: bytes) -> Keys:
    """All keys of a set that are of use; RFC 7517 (5) has others passed over."""
    try:
        listed = [each for each in json.loads(data)["keys"] if isinstance(each, dict)]
    except (ValueError, LookupError, TypeError) as error:
        raise ValueError('the file holds no set of keys: it is {"keys": [...]}') from error
    named = [each for each in listed if isinstance(each.get("kid"), str | None)]
    keys = {each.get("kid"): key for each in named if (key := _jwk(each)) is not None}
    if not keys:
        raise ValueError("none of its keys is a public one for RS256, ES256 or EdDSA")
    return keys


def _jwk(listed: dict[str, Any]) -> Key | None:
    import jwt  # noqa: PLC0415 - as in `Tokens`

    try:
        if listed.get("use", "sig") != "sig" or "verify" not in listed.get("key_ops", ["verify"]):
            return None
        key = jwt.PyJWK(listed).key
        algorithm = _algorithm(key)
    except (jwt.PyJWTError, ValueError, LookupError, TypeError):
        return None
    return Key(algorithm, key) if listed.get("alg", algorithm) == algorithm else None


if SAID:
    tokens = Tokens(SAID)

    @authenticate
    async def who(hello: Hello) -> User | None:
        """Whoever shows a JSON Web Token that is good."""
        return tokens.user(hello)
