import re
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from plugsock.cli.main import plugsock
from plugsock.gateway.clocks import GRACE_S, HELLO_S
from plugsock.gateway.exposure import NO_AUTHENTICATOR
from plugsock.gateway.hello import Greeting, Refresh, Refreshed
from plugsock.gateway.swaps import DELETED_S
from plugsock.hub.grants import MAX_PERMISSIONS, MAX_USERS
from plugsock.settings import SETTINGS
from plugsock.wire.header import parse_client, parse_server

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "identity.md").read_text(encoding="utf-8")


def section(title):
    return re.split(r"\n##+ ", PAGE.partition(f" {title}\n")[2])[0]


def first_cells(text):
    return re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)


def test_the_modes_are_those_of_the_setting():
    [auth] = [setting for setting in SETTINGS if setting.field == "auth"]

    assert first_cells(section("Who has to say who they are"))[1:] == list(get_args(auth.type))


def test_each_command_is_one_that_there_is():
    for words in first_cells(section("Commands")):
        _, name, *rest = words.replace("'", "").split()
        command = plugsock.commands[name]
        options = {name for parameter in command.params for name in parameter.opts}
        assert {word for word in rest if word.startswith("--")} <= options


def test_what_is_said_of_the_last_lock_is_what_is_said():
    assert NO_AUTHENTICATOR in section("When the last lock is taken away")


def test_times_and_limits_are_those_in_the_code():
    assert (HELLO_S, GRACE_S, DELETED_S) == (10, 30, 3)
    assert "closed after 10 seconds" in PAGE
    assert "has 30 seconds to show another" in PAGE
    assert "good for three seconds more" in PAGE
    assert f"At most {MAX_USERS:,} users and {MAX_PERMISSIONS:,} permissions" in PAGE


@pytest.mark.parametrize("frame", re.findall(r"^→ (.+)$", PAGE, re.MULTILINE))
def test_each_example_from_a_client_can_be_read(frame):
    parsed = parse_client(frame.encode())
    msgspec.json.decode(parsed.payload, type={b"hello": Greeting, b"token": Refresh}[parsed.verb])


@pytest.mark.parametrize("frame", re.findall(r"^← (.+)$", PAGE, re.MULTILINE))
def test_each_example_from_a_server_can_be_read(frame):
    parsed = parse_server(frame.encode())
    msgspec.json.decode(parsed.payload, type=Refreshed if parsed.verb == b"ok" else dict)


def test_each_link_leads_somewhere():
    for target in re.findall(r"\]\(([^)]+)\)", PAGE):
        path, _, anchor = target.partition("#")
        titles = re.findall(r"^#+ (.+)$", (DOCS / path).read_text(encoding="utf-8"), re.MULTILINE)
        anchors = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
        assert not anchor or anchor in anchors, target
