"""Results and what plugs send become payload bytes that every client can read, or a sentence that says why not.

A value must encode as JSON and as MessagePack: NaN, infinities, integers beyond 64 bits and keys that are no strings are
refused in both, so that a plug does not work for one client and fail for another. msgspec writes the first as `null`,
the second as more digits than JavaScript or MessagePack can hold, the last as strings in one format only; none is an
error to it. What a type rules out is not searched for.
"""

import math
from collections.abc import Callable, Iterable
from datetime import date
from types import CoroutineType
from typing import Any, Final, TypeAlias
from uuid import UUID

import msgspec

from plugsock.loader.signature import Signature
from plugsock.model import JSON, MSGPACK, Raw
from plugsock.settings import MIB

SMALLEST_INTEGER: Final = -(2**63)
LARGEST_INTEGER: Final = 2**64 - 1
"""The range of MessagePack's int64 and uint64."""

DIGITS: Final = 19
"""A payload shorter than this can't hold an integer beyond the range."""

LONGEST_TEXT: Final = 200
"""Characters of a value that a sentence shows."""

MOST_PUSHED: Final = 16 * MIB
"""Bytes of JSON that a push may have: as many as an answer if nothing else is set."""

Encode: TypeAlias = Callable[[Any, int], bytes]

Flaw: TypeAlias = tuple[str, str]
"""Where in a value (`$.prices[2]`), and what is there."""

encode_json = msgspec.json.Encoder().encode
encode_msgpack = msgspec.msgpack.Encoder().encode
ENCODE: Final = (encode_json, encode_msgpack)
"""By number of format."""


class Unsendable(ValueError):
    """A value can't be sent; its text says what in it, and why."""


class TooLarge(ValueError):
    """An encoded value is longer than an answer may be; its text is a sentence."""


class Results:
    """Encodes what one plug returns, or the items that it yields.

    Args:
        signature: What the plug says about its results.
        max_bytes: Length of an answer's payload, at most.
        check: Hold results against the declared type (`--dev`).
    """

    def __init__(self, signature: Signature, max_bytes: int, *, check: bool) -> None:
        output = signature.output
        self._max_bytes = max_bytes
        self._search_keys = signature.needs_key_walk
        self._may_hold_nan = signature.may_hold_nan
        self._may_hold_integer = signature.may_hold_integer
        self._is_raw = output is Raw
        self._may_be_bytes = output in (Raw, Any, object, str, bytes, bytearray, memoryview)
        self._declared = signature.output_text
        self._decode = msgspec.json.Decoder(output).decode if check and not self._is_raw else None

    @property
    def encode(self) -> Encode:
        """Encode a result in a call's format, by `encode(value, format)`; which function does that is up to the type.

        Raises:
            Unsendable: It does not encode, not in both formats, or (checked) is not what was declared.
            TooLarge: It is longer than an answer may be.
        """
        # To be looked up once: it is no attribute, for that would be a cycle that keeps a replaced plug's types.
        if self._search_keys or self._may_hold_nan or self._may_be_bytes or self._decode is not None:
            return self._searched
        return self._simple

    def _simple(self, value: Any, format: int) -> bytes:
        """Encode a result whose type leaves nothing to search for but integers beyond 64 bits."""
        # Once a call: as `_searched`, without a look at what does not apply, which costs 0.05 µs.
        try:
            payload = ENCODE[format](value)
            length = len(payload)
            if length >= DIGITS and self._may_hold_integer and format == JSON:
                encode_msgpack(value)
        except BaseException as error:  # as in `encoded`
            raise Unsendable(_why(value, error)) from error
        if length > self._max_bytes:
            raise self._too_large(length)
        return payload

    def _searched(self, value: Any, format: int) -> bytes:
        """Encode a result of any type."""
        if self._may_be_bytes and isinstance(value, _BYTES):
            if len(value) > self._max_bytes:
                raise self._too_large(len(value))
            if type(value) is Raw or (self._is_raw and type(value) is bytes):
                return raw(value, format)
        try:
            payload = ENCODE[format](value)
        except BaseException as error:  # as in `encoded`
            raise Unsendable(_why(value, error)) from error
        # NaN and infinities are `null` in JSON; in MessagePack a float64 whose exponent is all ones: 7f f_ or ff f_.
        if self._search_keys or (
            self._may_hold_nan
            and (b"null" in payload if format == JSON else b"\xcb\x7f" in payload or b"\xcb\xff" in payload)
        ):
            refuse_flaws(value)
        elif self._may_hold_integer and len(payload) >= DIGITS and format == JSON:
            encoded(value, MSGPACK)
        if len(payload) > self._max_bytes:
            raise self._too_large(len(payload))
        if self._decode is not None:
            self._check(value)
        return payload

    def _too_large(self, length: int) -> TooLarge:
        return TooLarge(f"The result has {length} bytes; an answer may have {self._max_bytes}.")

    def _check(self, value: Any) -> None:
        assert self._decode is not None
        try:
            self._decode(encode_json(value))
        except msgspec.ValidationError as error:
            raise Unsendable(f"`{self._declared}` is declared, {type(value).__name__} was returned: {error}") from error


def encoded(value: Any, format: int) -> bytes:
    """Encode, whatever the value does.

    Raises:
        Unsendable: It can't be encoded.
    """
    try:
        return ENCODE[format](value)
    except BaseException as error:  # a value's own code may run here: whatever that raises is about the value
        raise Unsendable(_why(value, error)) from error


def raw(value: bytes, format: int) -> bytes:
    """Pass on bytes as a payload: any in a binary frame, JSON in a text frame.

    Raises:
        Unsendable: They are no JSON, so no client could read the frame.
    """
    if format == JSON:
        try:
            value.decode()
            msgspec.json.decode(value, type=msgspec.Raw)
        except (ValueError, RecursionError) as error:
            raise Unsendable(f"Raw bytes in answer to a text frame must be JSON: {error}") from error
    return bytes(value)


def pushed(data: Any, *, msgpack: bool) -> tuple[bytes, bytes | None]:
    """Encode what a plug sends to sockets: as JSON, and as MessagePack only while somebody wants that.

    Raises:
        ValueError: It can't be sent; or it is longer than `MOST_PUSHED`, as JSON whoever gets it: who listens must not
            make a difference.
    """
    try:
        return _pushed(data, msgpack=msgpack)
    except Unsendable as wrong:  # no answer's fault: the line that pushes it is to be seen in the log
        raise ValueError(f"What is pushed can't be sent: {wrong}") from None


def _pushed(data: Any, *, msgpack: bool) -> tuple[bytes, bytes | None]:
    if type(data) is Raw:
        _refuse_long(data)
        return raw(data, JSON), (encoded(msgspec.json.decode(data), MSGPACK) if msgpack else None)
    json = encoded(data, JSON)
    _refuse_long(json)
    refuse_flaws(data)
    return json, encoded(data, MSGPACK) if msgpack else None


def _refuse_long(json: bytes) -> None:
    if len(json) > MOST_PUSHED:
        raise ValueError(f"What is pushed has {len(json)} bytes as JSON; it may have {MOST_PUSHED}.")


def refuse_flaws(value: Any) -> None:
    """Search a value that encodes for what does not come over.

    Raises:
        Unsendable: Something was found.
    """
    try:
        found = _flaw(value)
    except RecursionError:
        raise Unsendable("it is nested too deeply") from None
    if found is not None:
        where, what = found
        raise Unsendable(f"`${where[:LONGEST_TEXT]}` is {what}")


def _flaw(value: Any) -> Flaw | None:
    kind = type(value)
    if kind in _HARMLESS:
        return None
    if kind is int:
        return None if SMALLEST_INTEGER <= value <= LARGEST_INTEGER else ("", "an integer beyond 64 bits")
    if kind is float:
        return None if math.isfinite(value) else ("", f"{value}, which JSON has no word for")
    if kind is dict:
        return _flaw_in_dict(value)
    if kind in _SEQUENCES:
        return _first_flaw((f"[{n}]", member) for n, member in enumerate(value))
    if kind is msgspec.Raw:
        return "", "encoded already (msgspec.Raw), so nobody has checked it"
    plain = _plain(value)
    return None if type(plain) is kind else _flaw(plain)


def _flaw_in_dict(value: dict[Any, Any]) -> Flaw | None:
    for key in value:
        if not issubclass(type(key), _KEYS):
            return "", f"a dict with the key {shown(key)}, which is no string"
    return _first_flaw((f".{key}", member) for key, member in value.items())


def _first_flaw(members: Iterable[tuple[str, Any]]) -> Flaw | None:
    for name, member in members:
        if (found := _flaw(member)) is not None:
            where, what = found
            return name + where, what
    return None


def _plain(value: Any) -> Any:
    """A Struct, dataclass, enum or the like as plain values, as both formats write it."""
    return msgspec.to_builtins(value, builtin_types=(bytes, bytearray, memoryview), str_keys=False)


_BYTES: Final = (str, bytes, bytearray, memoryview)
_HARMLESS: Final = frozenset({*_BYTES, bool, type(None)})
_SEQUENCES: Final = frozenset({list, tuple, set, frozenset})
_KEYS: Final = (str, UUID, date)
"""What both formats write as a string where it is a key."""


def _why(value: Any, error: BaseException) -> str:
    kind = type(value)
    if kind is CoroutineType:
        value.close()
    if _has_await(kind):
        return f"it is a {kind.__name__} that nobody awaited: an `await` is missing"
    if isinstance(error, RecursionError):
        return "it contains itself, or is nested too deeply"
    if isinstance(error, OverflowError):
        return "an integer beyond 64 bits is in it"
    if isinstance(error, UnicodeEncodeError):
        return "half a surrogate pair is in one of its strings, which UTF-8 has no bytes for"
    if type(error) is TypeError:
        return str(error)[:LONGEST_TEXT]
    return f"encoding it raised {type(error).__name__}"


def _has_await(kind: type) -> bool:
    try:
        return bool(type.__getattribute__(kind, "__await__"))  # past what a metaclass would do instead
    except AttributeError:
        return False


def shown(value: Any) -> str:
    """A value for people: short, whatever its `repr` does."""
    try:
        text = repr(value)
    except BaseException:  # the value's own code
        text = f"<{type(value).__name__} without a repr>"
    return text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 3]}..."
