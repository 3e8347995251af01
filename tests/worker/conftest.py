import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from support.working import Worker


@pytest.fixture
async def worker() -> AsyncIterator[Callable[..., Worker]]:
    """Make runners; each is stopped in the end, and must not have left anything open."""
    made: list[Worker] = []

    async def make(*functions: Callable[..., Any], **more: Any) -> Worker:
        made.append(Worker(*functions, **more))
        await asyncio.sleep(0)  # the first steps of what the starter keeps ready
        return made[-1]

    yield make
    for one in made:
        await one.runner.stop()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
