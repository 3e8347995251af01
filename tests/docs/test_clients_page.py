"""The programs of the page print what it shows, and what it says in names and numbers is what the code has."""

import asyncio
import inspect
import re
import sys
from pathlib import Path
from typing import get_args

import pytest

from plugsock.client import Client, State, blocking, connect
from plugsock.client.backoff import FIRST_S, LONGEST_S
from plugsock.client.opening import PING_S, PONG_S
from support.page import files_of
from support.server import running

PAGE = (Path(__file__).parents[2] / "docs" / "clients.md").read_text(encoding="utf-8")
FILES = files_of(PAGE)


def section(title):
    return re.split(r"\n## ", PAGE.partition(f"## {title}\n")[2])[0]


def words_in(rows):
    """The names in the first cells of a table."""
    cells = re.findall(r"^\| (`[^|]+`) \|", rows, re.MULTILINE)
    return [word for cell in cells for word in re.findall(r"`(\w+)", cell)]


@pytest.mark.end_to_end
@pytest.mark.parametrize("name", sorted(FILES))
async def test_a_program_prints_what_the_page_shows(tmp_path, name):
    shown = PAGE.partition(f"$ python3 {name}\n")[2].partition("```")[0]
    async with running(tmp_path / "plugs") as server:
        program = FILES[name].replace("ws://127.0.0.1:8765", server.url)
        run = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE)
        printed, _ = await run.communicate()

    year = re.compile(r"^20\d\d$", re.MULTILINE)
    assert year.sub("YEAR", printed.decode()) == year.sub("YEAR", shown)


def test_both_clients_have_the_words_of_the_page():
    words = words_in(section("The words").partition("Arguments are")[0])

    assert len(words) > 10
    for kind in (Client, blocking.Client):
        assert [word for word in words if not hasattr(kind, word) and f"{word}: " not in inspect.getdoc(Client)] == []


def test_every_option_is_named():
    options = words_in(section("The words").partition("option of `connect`")[2])

    assert set(options) == set(inspect.signature(connect).parameters) - {"url"}


def test_the_states_are_those_of_the_client():
    assert tuple(words_in(section("When the connection goes").partition("`on_state`")[0])[1:]) == get_args(State)


def test_its_numbers_are_those_of_the_code():
    text = section("When the connection goes")

    assert f"up to {FIRST_S:g} s, which doubles with each failure up to {LONGEST_S:g} s" in text
    assert f"noticed after {PING_S + PONG_S:g} s" in text
