"""What `examples=` can say: payloads that a plug is called with, and what it then answers."""

from typing import Any, Final

from msgspec import Struct

from plugsock.errors import DeclareError

PAIR: Final = 2


class Example(Struct, frozen=True, eq=False):
    """One of an event's examples, as its author wrote it: nobody has checked yet whether it fits."""

    payload: Any
    """As a client would send it: a dict of the parameters, a Struct, bytes where the payload is `Raw`; None for none."""
    answer: Any = None
    """What comes back; of a stream a list of items."""
    has_answer: bool = False


def checked_examples(examples: Any) -> tuple[Example, ...]:
    """Everything that can stand behind `examples=`, as one form.

    Args:
        examples: A list of payloads and of pairs `(payload, answer)`. A named tuple is a payload.

    Raises:
        DeclareError: It is no list, or a tuple in it is no pair.
    """
    if not isinstance(examples, list):
        raise DeclareError(
            f"examples= must be a list, not a {type(examples).__name__}, of payloads and of pairs (payload, answer), "
            'as [{"name": "Ada"}] or [({"name": "Ada"}, "Hello, Ada!")]'
        )
    return tuple(_example(number, each) for number, each in enumerate(examples, start=1))


def _example(number: int, given: Any) -> Example:
    if type(given) is not tuple:
        return Example(given)
    if len(given) != PAIR:
        raise DeclareError(
            f"example {number} is a tuple of {len(given)}: it must be a payload, or a pair of it and the answer"
        )
    return Example(given[0], given[1], has_answer=True)
