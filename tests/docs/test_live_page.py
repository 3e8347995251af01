"""Every example of the page is loaded, and its test run; what it says in numbers and names is what the code has."""

import asyncio
import re
import sys
from pathlib import Path
from typing import get_args

import pytest

from plugsock.cli.main import main, plugsock
from plugsock.client import Status, Topic, View
from plugsock.gateway.attendance import BATCH_S
from plugsock.gateway.live import FIRST_RETRY_S, LONGEST_RETRY_S
from plugsock.hub.history import MAX_BYTES, MAX_TOPIC_BYTES
from plugsock.hub.rights import VALUE
from plugsock.loader.options import LONGEST_S, OFTEN_S
from plugsock.model import KEY, LONGEST_KEY, MOMENTS, TOPIC, Member, TopicRule
from plugsock.settings import KIB, MIB
from plugsock.testing import client
from plugsock.worker.checks import MOST_DATA
from support.page import files_of, lay_out, run_tests
from support.server import running

PAGE = (Path(__file__).parents[2] / "docs" / "live.md").read_text(encoding="utf-8")
FILES = files_of(PAGE)


def section(title):
    return re.split(r"\n##+ ", PAGE.partition(f"# {title}\n")[2])[0]


def first_cells(text):
    return re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)


@pytest.fixture
def place(tmp_path, monkeypatch):
    lay_out(FILES, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_example_is_a_plug_without_problems(place, capsys):
    assert main(["check", str(place / "plugs")]) == 0, capsys.readouterr()


def test_the_example_of_a_test_passes(place):
    run = run_tests(place)

    assert run.returncode == 0, run.stdout


@pytest.mark.end_to_end
async def test_the_client_for_python_prints_what_the_page_shows(place):
    (place / "plugs" / "auth.py").write_text(
        "from plugsock import Hello, User, authenticate\n\n@authenticate\ndef who(hello: Hello) -> User | None:\n"
        "    return User('ada', frozenset({'rooms.*'})) if hello.token == '5ecret-of-ada' else None\n"
    )
    shown = section("From Python").partition("$ python3 visitor.py\n")[2].partition("```")[0]
    async with running(place / "plugs") as server:
        program = FILES["visitor.py"].replace("ws://127.0.0.1:8765", server.url)
        run = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE)
        printed, _ = await run.communicate()

    assert printed.decode().splitlines() == shown.splitlines()


@pytest.mark.parametrize(("name", "kind"), [("result", View), ("kitchen", Topic)])
def test_what_a_client_has_is_what_the_page_says(name, kind):
    said = re.findall(rf"^\| `{name}\.(\w+)", section("From Python"), re.MULTILINE)

    assert said
    assert all(f"    {word}: " in kind.__doc__ or hasattr(kind, word) for word in said)


def test_the_states_of_a_view_are_named():
    row = section("From Python").partition("`result.status`")[2].partition("\n")[0]
    assert tuple(re.findall(r"`(\w+)`", row)) == get_args(Status)


async def test_the_first_view_is_for_everybody_and_the_others_for_whom_the_page_says(place):
    async with client("plugs") as c:
        views = {name: each.view for name, each in c.events.items() if each.view is not None}

    assert {name: view.audience for name, view in views.items()} == {
        "office.colleagues": "user",
        "poll.result": "everybody",
        "shelf.stock": "everybody",
    }
    assert views["poll.result"].on == ("votes",)
    assert views["shelf.stock"].throttle_s == 0.2


async def test_a_view_that_depends_on_its_arguments_can_be_called(place):
    async with client("plugs") as c:
        await c.call("shelf.put", {"shop": "berlin", "sku": "tea", "count": 3})
        await c.call("shelf.put", {"shop": "berlin", "sku": "milk", "count": 1})
        await c.call("shelf.put", {"shop": "paris", "sku": "tea", "count": 7})

        assert await c.call("shelf.stock", {"shop": "berlin"}) == {"milk": 1, "tea": 3}


async def test_the_rules_are_those_that_the_page_explains(place):
    async with client("plugs") as c:
        rules = {each.topic: each.requires for each in c.events.values() if each.topic is not None}

    assert rules == {
        TopicRule("room.*", history=100, ttl_s=600.0): (("rooms.read:{*}",),),
        TopicRule("office", presence=True): (("office.read",),),
    }


def test_the_moments_are_those_that_there_are():
    assert first_cells(section("Moments")) == [f"@{MOMENTS[at]}" for at in (0, 2, 3, 1)]


def test_a_member_is_described_whole():
    assert tuple(first_cells(section("Who is there"))) == Member.__struct_fields__


def test_the_defaults_of_a_rule_are_those_in_the_code():
    rule = TopicRule("room.*")

    assert (rule.history, rule.ttl_s, rule.presence) == (0, 60.0, False)
    assert f"ttl={rule.ttl_s}" in first_cells(section("Rules"))


@pytest.mark.parametrize("key", ["orders/42", "orders", "orders/*", "orders/43"])
def test_keys_on_the_page_are_keys(key):
    assert f"`{key}`" in PAGE
    assert KEY.fullmatch(key)


def test_signs_and_lengths_are_those_in_the_code():
    assert f"up to {LONGEST_KEY} characters" in PAGE
    assert "1 to 128 of the signs `A-Z a-z 0-9 _ . : / -`" in section("Topics")
    assert TOPIC.fullmatch("a" * 128)
    assert not TOPIC.fullmatch("a" * 129)


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("`data` is up to {} KiB of JSON", MOST_DATA // KIB),
        ("by {} MiB a topic", MAX_TOPIC_BYTES // MIB),
        ("by {} MiB for all of them", MAX_BYTES // MIB),
        ("at most every {:.0f} ms", BATCH_S * 1000),
        ("from {} to a day", OFTEN_S),
        ("up to every {:.0f} seconds", LONGEST_RETRY_S),
    ],
)
def test_its_numbers_are_those_of_the_code(said, number):
    assert said.format(number) in PAGE


def test_a_second_is_a_second_and_a_day_a_day():
    assert (FIRST_RETRY_S, LONGEST_S) == (1.0, 86_400)
    assert "is tried again after a second" in PAGE


def test_what_a_wildcard_stands_for_in_a_permission_is_what_the_page_says():
    assert "1 to 64 of the signs `A-Z a-z 0-9 _ / -`" in PAGE
    assert VALUE.fullmatch("aZ9_/-" + "a" * 58)
    assert not VALUE.fullmatch("a" * 65)
    assert not VALUE.fullmatch("a.b")


@pytest.mark.parametrize("words", sorted(set(re.findall(r"`?(plugsock (?:watch|add view|list))\b", PAGE))))
def test_each_command_is_one_that_there_is(words):
    command = plugsock
    for name in words.split()[1:]:
        command = command.commands[name]
