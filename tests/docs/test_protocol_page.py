import re
from pathlib import Path

import msgspec
import pytest

from plugsock.errors import CODES
from plugsock.gateway.attendance import BATCH_S
from plugsock.gateway.hello import Greeting, Refresh, Welcome
from plugsock.gateway.topics import MOST_MISSED, Position, Refusal
from plugsock.model import Fault, Member
from plugsock.settings import MIB, SETTINGS
from plugsock.wire.codes import MEANINGS, may_come_back
from plugsock.wire.header import PARTS, SERVER_PARTS, Options, parse_client, parse_server
from plugsock.wire.session import NEXT

PAGE = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text(encoding="utf-8")
SAID = re.findall(r"^→ (.+)$", PAGE, re.MULTILINE)
ANSWERED = re.findall(r"^← (.+)$", PAGE, re.MULTILINE)

WELCOME = msgspec.defstruct(
    "WELCOME",
    [
        (each.name, dict if each.name == "topics" else each.type, *([] if each.required else [None]))
        for each in msgspec.structs.fields(Welcome)
    ],
)
"""What `welcome` says, to be read: what it says of a topic is one of two structs."""

TOLD = {
    b"presence": msgspec.defstruct("Presence", [("topic", str), ("joined", list[Member]), ("left", list[str])]),
    b"left": msgspec.defstruct("Left", [("topic", str), ("reason", Fault)]),
}
"""What notices about topics say."""


def section(title):
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def rows(text):
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in text.splitlines() if line[:3] == "| `"]


def first_words(text):
    return {row[0].strip("`").split()[0] for row in rows(text)}


def test_the_table_of_error_codes_is_the_one_in_the_code():
    page = {row[0].strip("`"): row[1] == "yes" for row in rows(section("Errors").partition("| code |")[2])}

    assert page == CODES


def test_the_table_of_close_codes_is_the_one_in_the_code():
    expected = [
        f"| {code:d} | {'yes' if may_come_back(code) else 'no'} | {meaning[0].upper()}{meaning[1:]}. |"
        for code, meaning in MEANINGS.items()
    ]

    assert [line for line in section("Closing").splitlines() if re.match(r"\| \d", line)] == expected


def test_the_verbs_are_those_that_the_server_takes():
    assert first_words(section("What a client sends")) == {verb.decode() for verb in PARTS}


def test_the_answers_are_those_that_a_client_takes():
    assert first_words(section("What the server sends")) == {verb.decode() for verb in SERVER_PARTS}


def test_the_options_are_those_that_the_server_reads():
    options = section("Calls").partition("### Options")[2].partition("### Streams")[0]
    of_no_effect = re.findall(r"`(\w+)`", options.partition("no effect yet:")[2].partition("\n")[0])

    assert {row[0].strip("`").split("=")[0] for row in rows(options)} | set(of_no_effect) == set(
        Options.__struct_fields__
    )


def test_the_picture_of_a_session_is_the_table_in_the_code():
    picture = set(re.findall(r"^ +(\w+ --> \w+: .+)$", section("Sessions"), re.MULTILINE))
    by_connection = {arrow for arrow in picture if "the connection" in arrow}
    steps = {}
    for state, verbs in NEXT.items():
        for verb, following in verbs.items():
            steps.setdefault(f"{state.value} --> {following.value}", []).append(verb.decode())

    assert len(by_connection) == 2
    assert picture - by_connection == {f"{arrow}: {', '.join(verbs)}" for arrow, verbs in steps.items()}


@pytest.mark.parametrize(("title", "struct"), [("of `hello`", Greeting), ("of `welcome`", Welcome)])
def test_the_fields_of_a_session_are_those_in_the_code(title, struct):
    table = section("Sessions").partition(f"| field {title} |")[2].partition("\n\n")[0]

    assert set(re.findall(r"`(\w+)`", " ".join(row[0] for row in rows(table)))) == set(struct.__struct_fields__)


@pytest.mark.parametrize(("title", "struct"), [("answer to `join`", Position), ("of a member", Member)])
def test_the_fields_about_topics_are_those_in_the_code(title, struct):
    table = section("Topics").partition(f"| {title} |")[2].partition("\n\n")[0]

    assert re.findall(r"`(\w+)`", " ".join(row[0] for row in rows(table))) == list(struct.__struct_fields__)


def test_the_numbers_about_views_and_topics_are_those_in_the_code():
    [limit] = [setting.default for setting in SETTINGS if setting.field == "max_watches"]

    assert f"A socket may watch {limit} views" in PAGE
    assert f"A socket may be in {limit} topics" in PAGE
    assert f"within {BATCH_S * 1000:.0f} ms" in section("Topics")
    assert f"{MOST_MISSED // MIB} MiB are not too much" in section("Topics")


def test_the_fields_of_an_error_are_those_in_the_code():
    table = section("Errors").partition("| code | retry |")[0]

    assert first_words(table) == set(Fault.__struct_fields__)


@pytest.mark.parametrize("frame", SAID)
def test_each_example_from_a_client_can_be_read(frame):
    parsed = parse_client(frame.encode())
    if parsed.payload:
        msgspec.json.decode(parsed.payload)
    if parsed.verb == b"hello":
        msgspec.json.decode(parsed.payload, type=Greeting)
    if parsed.verb == b"token":
        msgspec.json.decode(parsed.payload, type=Refresh)


@pytest.mark.parametrize("frame", ANSWERED)
def test_each_example_from_a_server_can_be_read(frame):
    parsed = parse_server(frame.encode())
    if parsed.payload:
        msgspec.json.decode(parsed.payload)
    if parsed.verb == b"error":
        msgspec.json.decode(parsed.payload, type=Fault)
    if parsed.verb == b"welcome":
        topics = msgspec.json.decode(parsed.payload, type=WELCOME).topics
        for answer in topics.values():
            msgspec.convert(answer, type=Refusal if "error" in answer else Position)
    if parsed.token in TOLD:
        msgspec.json.decode(parsed.payload, type=TOLD[parsed.token])
