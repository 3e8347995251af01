"""What only spawning has: a process that is started from nothing, with what it needs in its environment."""

import json
import os
from pathlib import Path

import pytest

from plugsock.rpc.start import KEY, LIFELINE
from support.yard import has_ended, yard


@pytest.fixture
async def workers():
    async with yard("spawner") as made:
        yield made


async def test_nothing_is_prepared(workers):
    await workers.starter.open()

    assert workers.starter._open == set()


async def test_its_key_and_its_lifeline_are_told_in_the_environment(workers):
    pid = await workers.started("wait", "the key")

    variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    told = dict(variable.split(b"=", 1) for variable in variables if variable)
    assert told[KEY.encode()] == b"the key"
    assert told[LIFELINE.encode()] == b"stdin"


async def test_each_has_a_process_of_this_one(workers):
    await workers.started("report")

    assert json.loads(await workers.line())["parent"] == os.getpid()


@pytest.mark.fault("K13")
async def test_they_end_when_the_lifeline_does(workers):
    pid = await workers.started("compute")

    os.close(workers.starter._lifeline._write)

    assert has_ended(pid, 2.0)
    workers.starter._lifeline._write = os.dup(workers.starter._lifeline.end)
