"""Made-up answers: what calls with `frames.MOCK` get in place of what their plugs would say.

They are runs like any other: bound, given credit, cancelled and encoded in the same places. Only what is run is not the
plug.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, Iterator
from itertools import count
from typing import Any, Final

import msgspec

from plugsock.errors import Error
from plugsock.loader import fitting
from plugsock.loader.catalog import Plug
from plugsock.mock import faults, pace
from plugsock.mock.seeds import seed
from plugsock.model import JSON, Kind, Raw
from plugsock.rpc.frames import Call, Kick
from plugsock.worker.mouth import Mouth
from plugsock.worker.table import Served
from plugsock.worker.views import ViewCall, fingerprint

MADE_UP: Final = "made up by --fault"

CUT: Final = 1011
"""What a connection is closed with that `drop` cuts, "the server failed": the client should come back."""


class Mocking:
    """Answers in the place of plugs.

    Args:
        mouth: Where it is said that a connection is to be cut.
        fault: The setting.
    """

    def __init__(self, mouth: Mouth, fault: str) -> None:
        self._mouth = mouth
        self._faults = faults.parse(fault)

    async def answer(self, call: Call, served: Served, value: Any) -> Any:
        """What a call gets, or a run of a view.

        Args:
            call: The call.
            served: Its plug.
            value: Its payload, as it was bound.

        Raises:
            Error: A fault was asked for, or nothing that fits can be made up.
        """
        arguments = fingerprint(served, value)
        number = 0
        if isinstance(call, ViewCall):
            number = call.asked.number
            call.again_s = pace.changes_after(seed(call.event, arguments, number))
        await self._meet(call)
        shown = _shown(served, arguments)
        return next(_made_up(call, served, arguments, number)) if shown is None else shown[0]

    async def items(self, call: Call, served: Served, value: Any) -> AsyncGenerator[Any, None]:
        """What a stream yields, one now and then; otherwise as `answer`."""
        arguments = fingerprint(served, value)
        shown = _shown(served, arguments)
        items = _made_up(call, served, arguments) if shown is None else iter(shown[0])
        pauses = pace.pauses(seed(call.event, arguments), None if shown is None else len(shown[0]))
        for wait_s in pauses:
            await asyncio.sleep(wait_s)
            await self._meet(call)
            yield next(items)

    async def _meet(self, call: Call) -> None:
        """Let go wrong what is to go wrong."""
        wrong = self._faults
        if wrong.latency_s:
            await asyncio.sleep(wrong.latency_s)
        if wrong.error and random.random() < wrong.error:  # noqa: S311 - no secret
            raise Error("plug_error", f"This error was {MADE_UP}.")
        if wrong.drop and call.socket and random.random() < wrong.drop:  # noqa: S311 - no secret
            # What is answered after it reaches nobody, or a client that comes back: as with a network that fails.
            self._mouth.declare(Kick(call.socket, CUT, MADE_UP, 0))


def _shown(served: Served, arguments: bytes) -> tuple[Any] | None:
    """The answer of the first example with these arguments that has one, if there is such an example."""
    plug = served.plug
    for example in plug.examples:
        if not example.has_answer:
            continue
        try:
            value = plug.signature.bind(fitting.payload_json(plug, example), JSON)
            if fingerprint(served, value) == arguments:
                return (_decoded(plug, fitting.answer_json(plug, example)),)
        except Exception:  # noqa: S112 - it does not fit, as `plugsock check` says; the author's types raise what they like
            continue
    return None


def _decoded(plug: Plug, answer: bytes) -> Any:
    """An example's answer; of a stream a list of items."""
    if plug.signature.output is not Raw:
        return msgspec.json.decode(answer, type=fitting.answer_type(plug))
    if plug.signature.kind is Kind.STREAM:
        return [Raw(each) for each in msgspec.json.decode(answer, type=list[msgspec.Raw])]
    return Raw(answer)


def _made_up(call: Call, served: Served, arguments: bytes, first: int = 0) -> Iterator[Any]:
    """The made-up values of a call, from one number on.

    Raises:
        Error: There are none.
    """
    # Imported with the first call that needs it: it takes some tenths of a second, which most servers never need.
    from plugsock.mock.leaves import CantMakeUp  # noqa: PLC0415
    from plugsock.mock.values import Maker  # noqa: PLC0415

    try:
        maker = Maker(served.signature.output)
        for number in count(first):
            yield maker.make(seed(call.event, arguments, number))
    except CantMakeUp as wrong:
        raise Error("plug_error", f"{call.event}: {wrong}.") from wrong
