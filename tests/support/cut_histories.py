"""What tests share whose clients are cut off at random: what they draw, and how their histories are run."""

import asyncio
import os
import secrets

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from support.cut_world import World
from support.cutting import Cut

SEED = int(os.environ.get("PLUGSOCK_TEST_CUTS_SEED", "0")) or secrets.randbelow(2**32)
STEPS = 20
LIMIT_S = 20.0
KEYS = ("a", "b")

keys = st.sampled_from(KEYS)
bytes_left = st.none() | st.just(0) | st.integers(1, 60) | st.integers(1, 60) | st.integers(61, 900)
cuts = st.builds(
    Cut, bytes_left, bytes_left, st.sampled_from(("fin", "rst")), st.sampled_from(("fin", "rst", "nothing"))
)
calls = st.sampled_from(("once", "safe", "slow", "thread", "flow"))
views = st.tuples(st.sampled_from(("shared", "own")), keys, st.booleans())

stories = st.integers(0, 2**64 - 1)
"""The first thing that is drawn. No two histories begin alike: of those that do, hypothesis expects that they go on
alike, and here a real network and real processes have a say in what comes next."""


def shows(clients):
    """What each client watches, and the topics that it joins, before anything happens."""
    one = st.tuples(st.lists(views, max_size=2), st.sets(keys).map(sorted))
    return st.lists(one, min_size=clients, max_size=clients)


class CutHistory(RuleBasedStateMachine):
    """One history; each takes place in a part of the same world."""

    world: World
    loop: asyncio.AbstractEventLoop

    def do(self, step):
        """Take a step; what was said before something went wrong is shown with it."""

        async def run():
            async with asyncio.timeout(LIMIT_S):
                await step
                await self.world.turn()
            assert self.world.truth.wrong == []

        try:
            self.loop.run_until_complete(run())
        except Exception as error:
            error.add_note("\n".join(self.world.truth.story))
            raise


def happened(history, folder, clients, examples):
    """Run so many histories with a server over a folder; what has happened in them."""
    print(f"{examples} histories; PLUGSOCK_TEST_CUTS_SEED={SEED} does the same again")  # noqa: T201 - on failure
    with asyncio.Runner() as runner:
        world = World(folder, clients)
        try:
            runner.run(world.open())
            history.world, history.loop = world, runner.get_loop()
            run_state_machine_as_test(seed(SEED)(history), settings=_settings(examples))
            assert world.truth.last_look() == []
        finally:
            runner.run(world.close())
    assert [line for line in world.server.err if "Traceback" in line] == []
    print(dict(world.truth.told))  # noqa: T201 - `pytest -s` shows it
    return set(world.truth.told)


def _settings(examples):
    return settings(
        max_examples=examples,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        phases=[Phase.generate],  # time has a say, too: what is shorter may not fail, and the story is there
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
