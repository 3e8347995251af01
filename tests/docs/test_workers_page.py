"""The page on workers says what the code says."""

import re
from pathlib import Path

import pytest

from plugsock.errors import CODES
from plugsock.pool import crew, sizes
from plugsock.pool.life import MEANING, NEXT, State

PAGE = (Path(__file__).parents[2] / "docs" / "workers.md").read_text(encoding="utf-8")


def test_each_state_has_its_meaning():
    assert re.findall(
        r"^\| `(\w+)` \| (.+) \|$", PAGE.partition("| state |")[2].partition("```mermaid")[0], re.MULTILINE
    ) == [(state.value, meaning) for state, meaning in MEANING.items()]


def test_the_picture_is_the_table_in_the_code():
    picture = re.findall(r"^    (\w+) --> (\w+): (.+)$", PAGE, re.MULTILINE)
    assert re.findall(r"^    \[\*\] --> (\w+)$|^    (\w+) --> \[\*\]$", PAGE, re.MULTILINE) == [
        (next(iter(State)).value, ""),
        ("", State.GONE.value),
    ]
    arrows = {(state, following, event) for state, following, events in picture for event in events.split("; ")}

    assert arrows == {
        (state.value, following.value, event.value)
        for state, events in NEXT.items()
        for event, following in events.items()
    }


def test_the_errors_are_codes_of_the_server():
    named = re.findall(r"^\| `(\w+)` \|", PAGE.partition("### Errors")[2].partition("## Commands")[0], re.MULTILINE)

    assert named
    assert set(named) <= set(CODES)


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("A worker takes {} calls of `async def` at once", sizes.ASYNC_PLACES),
        ("they wait: up to {:,} calls", crew.MOST_WAITING),
        ("or {} MiB of payloads", crew.MOST_BYTES // 2**20),
    ],
)
def test_its_numbers_are_those_of_the_code(said, number):
    assert said.format(number) in PAGE
