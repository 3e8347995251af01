from pathlib import Path

import pytest

from plugsock.testing import client

PLUGS = Path(__file__).parents[2] / "plugs"


@pytest.fixture
async def c():
    """A client of the default plugs."""
    async with client(PLUGS) as c:
        yield c
