"""A stream: a function that yields answers as often as it likes, and as often as somebody listens."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from itertools import count
from typing import Annotated

from msgspec import Meta

from plugsock import plug

Seconds = Annotated[float, Meta(ge=0.001, le=20)]
Times = Annotated[int, Meta(ge=1)]


@plug
async def ticks(every: Seconds = 1.0, times: Times | None = None) -> AsyncIterator[datetime]:
    """Tell the time, now and then again every so many seconds."""
    for tick in count(1):
        yield datetime.now(UTC)
        if tick == times:
            break
        await asyncio.sleep(every)
