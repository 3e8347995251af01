"""A folder that is loaded where its plugs run."""

from plugsock.hot.loading import serving

LOOP = """
import asyncio
from plugsock import on_load, plug

loop = None


@on_load
async def begin():
    global loop
    loop = asyncio.get_running_loop()


@plug
async def same() -> bool:
    return loop is asyncio.get_running_loop()
"""


async def test_its_hooks_run_on_the_event_loop_of_its_plugs(tmp_path):
    (tmp_path / "it.py").write_text(LOOP)

    async with serving(tmp_path, trust=True) as (catalog, problems):
        assert problems == ()
        assert await catalog["it.same"].function()


async def test_what_is_wrong_with_it_is_told_and_the_rest_is_there(tmp_path):
    (tmp_path / "it.py").write_text(LOOP)
    (tmp_path / "broken.py").write_text("x = (\n")

    async with serving(tmp_path, trust=True) as (catalog, problems):
        assert "it.same" in catalog
        assert [problem.line for problem in problems] == [1]
