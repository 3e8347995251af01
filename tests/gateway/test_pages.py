"""The start page over real sockets: what is found where, for whom, and what it lets a browser do."""

import json
import re
from contextlib import asynccontextmanager

import pytest
from msgspec import structs

from plugsock.gateway.access import Access
from plugsock.gateway.deadlines import Deadlines
from plugsock.gateway.handshake import Handshake
from plugsock.gateway.limits import Limits
from plugsock.gateway.listener import Listener
from plugsock.gateway.pages import STATIC, Pages, is_loopback
from plugsock.gateway.routes import Routes
from plugsock.model import AUTHENTICATE, Announcement, Kind
from plugsock.ops.ledger import Ledger
from plugsock.rpc.frames import Group
from support.wires import HOST, Recorder, Server, ask, silent, upgrade

GREET = Announcement(
    event="greet",
    revision="5e0c1a22",
    kind=Kind.CALL,
    input="(name: str)",
    output="list[str]",
    doc="Say <b>hello</b>.",
    place="/home/ada/plugs/greet.py:5",
    shape="0a1b2c3d",
)

WHO = structs.replace(GREET, event=AUTHENTICATE, input="(hello: Hello)", output="User | None", doc="")
JOINED = structs.replace(GREET, event="@on_join:chat.joined", kind=Kind.MOMENT)
ROOMS = structs.replace(GREET, event="@topic:room.*", kind=Kind.TOPIC)

PARTS = sorted(f"/{file.name}" for file in STATIC.iterdir() if file.suffix != ".html")


def routes():
    table = Routes(Deadlines(), Ledger(), 30.0)
    table.commit([Group(id="0a1b", events=[GREET, WHO, JOINED, ROOMS], gone=[], problems=[])])
    return table


@asynccontextmanager
async def showing(*, ready=True, everywhere=False):
    pages = Pages(routes(), ready=lambda: ready, secure=False, everywhere=everywhere)
    access = Access(HOST, secure=False, allow_host=("plugs.example",), allow_origin=())
    handshake = Handshake(access, ready=lambda: ready, compression=False, pages=pages)
    listener = Listener(handshake, Limits(sweep_s=0.02), lambda wire: Recorder(wire, silent))
    await listener.start(HOST, 0)
    try:
        yield Server(listener, [], None)
    finally:
        await listener.close(1001)


def page(server, target, **fields):
    return upgrade(server.port, target=target, without=("upgrade", "connection"), **fields)


async def got(server, target, **fields):
    """The status, the header fields and the content of a page."""
    answer = await ask(server, page(server, target, **fields))
    head, _, content = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    return int(status.split(" ")[1]), dict(line.split(": ", 1) for line in lines), content


@pytest.mark.parametrize("target", ["/", "/?from=somewhere"])
async def test_a_browser_at_the_root_gets_the_page(target):
    async with showing() as server:
        status, fields, content = await got(server, target)

        assert (status, fields["Content-Type"]) == (200, "text/html; charset=utf-8")
        assert content == (STATIC / "start.html").read_bytes()


async def test_every_part_that_the_page_names_is_there_with_its_type():
    async with showing() as server:
        html = (STATIC / "start.html").read_text(encoding="utf-8")
        scripts = "".join(file.read_text(encoding="utf-8") for file in STATIC.glob("*.js"))
        named = {
            *re.findall(r'(?:src|href)="(/[^"]+)"', html),
            *(f"/{n}" for n in re.findall(r'from "\./(.+?)"', scripts)),
        }

        assert named == set(PARTS)
        for part in PARTS:
            status, fields, content = await got(server, part)
            assert (status, content) == (200, (STATIC / part[1:]).read_bytes())
            assert fields["Content-Type"].startswith(("text/javascript", "text/css", "image/svg+xml"))


async def test_nothing_else_of_the_folder_is_found():
    async with showing() as server:
        for target in ("/start.html", "/static/start.js", "/start.js/", "/..%2fpages.py", "/pages.py", "/index.html"):
            assert (await got(server, target))[0] == 404


async def test_the_events_are_listed_without_the_paths_of_the_machine():
    async with showing() as server:
        status, fields, content = await got(server, "/events.json")

        assert (status, fields["Content-Type"]) == (200, "application/json")
        assert json.loads(content)["events"] == [
            {
                "event": "greet",
                "kind": "call",
                "input": "(name: str)",
                "output": "list[str]",
                "doc": "Say <b>hello</b>.",
                "origin": "folder",
                "revision": "5e0c1a22",
            }
        ]
        assert b"/home/ada" not in content


async def test_what_no_client_can_call_is_not_listed():
    async with showing() as server:
        listed = json.loads((await got(server, "/events.json"))[2])["events"]

        assert [each["event"] for each in listed] == ["greet"]


async def test_the_list_waits_for_the_plugs_and_the_page_does_not():
    async with showing(ready=False) as server:
        assert (await got(server, "/events.json"))[0] == 503
        assert (await got(server, "/"))[0] == 200


@pytest.mark.parametrize("target", ["/", "/start.js", "/events.json"])
async def test_head_gets_the_same_head_and_no_body(target):
    async with showing() as server:
        _, whole, content = await got(server, target)
        status, fields, nothing = await got(server, target, method="HEAD")

        assert (status, nothing) == (200, b"")
        assert fields | {"Date": ""} == whole | {"Date": ""}
        assert int(fields["Content-Length"]) == len(content)


@pytest.mark.parametrize("target", ["/", "/start.css", "/events.json", "/healthz", "/missing"])
async def test_pages_say_who_built_them_and_are_neither_kept_nor_guessed_at(target):
    async with showing() as server:
        _, fields, _ = await got(server, target)

        assert fields["Server"] == "plugsock"
        assert fields["Cache-Control"] == "no-store"
        assert fields["X-Content-Type-Options"] == "nosniff"


@pytest.mark.fault("A18")
@pytest.mark.parametrize("secure", [False, True])
def test_the_page_may_load_its_own_files_and_talk_to_its_own_server_and_nothing_else(secure):
    pages = Pages(routes(), ready=lambda: True, secure=secure, everywhere=False)
    fields = dict(pages.find("/", "localhost:8765").fields)
    policy = dict(rule.split(" ", 1) for rule in fields["Content-Security-Policy"].split("; "))

    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self'",
        "connect-src": f"'self' {'wss' if secure else 'ws'}://localhost:8765",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
    }
    assert fields["Cross-Origin-Resource-Policy"] == "same-origin"


def test_an_ipv6_address_has_no_word_in_a_policy():
    fields = dict(Pages(routes(), ready=lambda: True, secure=False, everywhere=False).find("/", "[::1]:8765").fields)

    assert fields["Content-Security-Policy"].endswith("connect-src 'self'")


def test_the_page_has_no_script_style_or_handler_of_its_own():
    html = (STATIC / "start.html").read_text(encoding="utf-8")

    assert re.findall(r"<script(?![^>]*src=)|<style|\sstyle=|\son[a-z]+=|javascript:", html) == []


@pytest.mark.fault("A18")
def test_the_scripts_write_nothing_as_markup():
    for file in STATIC.glob("*.js"):
        text = file.read_text(encoding="utf-8")
        assert re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", text) == []


@pytest.mark.fault("H10")
@pytest.mark.parametrize("target", ["/", "/events.json", "/start.js"])
async def test_a_foreign_name_gets_no_page(target):
    async with showing() as server:
        assert (await got(server, target, host="evil.example"))[0] == 421


@pytest.mark.parametrize("host", ["plugs.example", "192.168.1.7", "[2001:db8::1]"])
async def test_who_comes_through_a_proxy_gets_a_page_only_if_somebody_has_said_so(host):
    async with showing() as server:
        assert [(await got(server, target, host=host))[0] for target in ("/", "/events.json")] == [426, 404]
    async with showing(everywhere=True) as server:
        assert [(await got(server, target, host=host))[0] for target in ("/", "/events.json")] == [200, 200]


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "[::1]"])
async def test_whoever_sits_at_this_machine_gets_the_page(host):
    async with showing() as server:
        assert (await got(server, "/", host=host))[0] == 200


@pytest.mark.fault("H8")
async def test_a_foreign_page_gets_no_list():
    async with showing() as server:
        assert (await got(server, "/events.json", origin="https://evil.example"))[0] == 403


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("::1", True),
        ("localhost", True),
        ("LocalHost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.7", False),
        ("box.lan", False),
        ("localhost.evil.example", False),
    ],
)
def test_which_hosts_only_this_machine_can_reach(host, expected):
    assert is_loopback(host) is expected
