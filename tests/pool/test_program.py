"""The end of a process in which plugsock itself runs."""

import asyncio

import pytest

from plugsock.frozen import executable
from plugsock.pool import program as module
from plugsock.pool.output import Output
from plugsock.pool.program import Lifeline, Program

IS_FAST_S = 5.0
"""Only bounds a test that has failed already."""


class Immortal(Program):
    """As if it hung in a driver: no signal does anything."""

    def send(self, number: int) -> None:
        pass


@pytest.fixture
def lifeline():
    made = Lifeline()
    yield made
    made.close()


@pytest.mark.fault("K15")
async def test_one_that_not_even_a_kill_ends_is_given_up(lifeline, monkeypatch, capsys):
    monkeypatch.setattr(module, "END_S", 0.01)
    program = await Immortal.start(["sleep", "60"], lifeline, Output(None, None), {})

    await asyncio.wait_for(program.end(0.01), IS_FAST_S)

    assert f"a process was killed and does not end, it is left behind  pid={program.pid}" in capsys.readouterr().err
    await asyncio.wait_for(program.closed, IS_FAST_S)  # closing its transport ends it after all


async def test_one_that_does_not_end_by_itself_is_killed(lifeline):
    program = await Program.start(["sleep", "60"], lifeline, Output(None, None), {})

    await program.end(0.01)

    assert program.ended.result() == -module.KILL
    assert program.closed.done()


@pytest.mark.fault("F5")
async def test_nothing_is_started_from_an_executable_that_was_replaced(lifeline, monkeypatch):
    monkeypatch.setattr(executable, "is_replaced", lambda: True)

    with pytest.raises(executable.Replaced, match="restart plugsock"):
        await Program.start(["sleep", "60"], lifeline, Output(None, None), {})
