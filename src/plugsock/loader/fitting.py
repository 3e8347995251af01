"""An event's examples as they would go over the wire, and whether they fit its shape."""

from collections.abc import Iterator
from types import GenericAlias
from typing import Any

import msgspec

from plugsock.loader.catalog import Plug
from plugsock.loader.examples import Example
from plugsock.loader.signature import Mode
from plugsock.model import JSON, Kind, Raw


def payload_json(plug: Plug, example: Example) -> bytes:
    """An example's payload as a client would send it; empty where there is none.

    Raises:
        Exception: It can't be encoded; whatever the author's own types raise.
    """
    if example.payload is None:
        return b""
    return _encoded(example.payload, is_raw=plug.signature.input is Raw)


def answer_json(plug: Plug, example: Example) -> bytes:
    """An example's answer as a client would get it; a stream's is an array of its items.

    Raises:
        Exception: As in `payload_json`.
    """
    is_raw = plug.signature.output is Raw
    if plug.signature.kind is Kind.STREAM:
        return b"[" + b",".join(_encoded(item, is_raw=is_raw) for item in example.answer) + b"]"
    return _encoded(example.answer, is_raw=is_raw)


def answer_type(plug: Plug) -> Any:
    """What an answer is read as: of a stream a list of its items."""
    output = plug.signature.output
    return GenericAlias(list, (output,)) if plug.signature.kind is Kind.STREAM else output


def plain(plug: Plug) -> tuple[Example, ...]:
    """The examples that fit, as plain values that JSON has; those that have an answer come first."""
    found = (_plain(plug, each) for each in plug.examples if not any(_misfits(plug, each)))
    return tuple(sorted((each for each in found if each is not None), key=lambda each: not each.has_answer))


def _plain(plug: Plug, example: Example) -> Example | None:
    payload = payload_json(plug, example) or (b"{}" if plug.signature.mode is Mode.FIELDS else b"")
    try:
        answer = msgspec.json.decode(answer_json(plug, example)) if example.has_answer else None
        return Example(msgspec.json.decode(payload), answer, example.has_answer)
    except (msgspec.DecodeError, UnicodeDecodeError):  # no JSON: bytes that nobody decodes, or nothing at all
        return None


def misfits(plug: Plug) -> list[str]:
    """A sentence for each example that does not fit what the event takes, or answers."""
    return [f"example {number}: {why}" for number, each in enumerate(plug.examples, 1) for why in _misfits(plug, each)]


def _misfits(plug: Plug, example: Example) -> Iterator[str]:
    try:
        plug.signature.bind(payload_json(plug, example), JSON)
    except Exception as error:  # the author's types may raise what they like
        yield f"its payload does not fit: {_why(error)}"
    if not example.has_answer:
        return
    try:
        _check_answer(plug, example)
    except Exception as error:  # likewise
        yield f"its answer does not fit: {_why(error)}"


def _check_answer(plug: Plug, example: Example) -> None:
    signature = plug.signature
    if signature.kind is Kind.STREAM and not isinstance(example.answer, list):
        raise TypeError("that of a stream is a list of its items")
    if signature.output is not Raw:
        msgspec.json.decode(answer_json(plug, example), type=answer_type(plug))


def _encoded(value: Any, *, is_raw: bool) -> bytes:
    return bytes(value) if is_raw and isinstance(value, bytes) else msgspec.json.encode(value)


def _why(error: Exception) -> str:
    return (str(error) or type(error).__name__).partition("\n")[0]
