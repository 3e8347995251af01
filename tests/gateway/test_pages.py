"""The start page over real sockets: what is found where, for whom, and what it lets a browser do."""

import asyncio
import json
import re
from contextlib import asynccontextmanager

import pytest
from msgspec import structs

from plugsock.gateway.access import Access
from plugsock.gateway.deadlines import Deadlines
from plugsock.gateway.documents import PATHS, Documents
from plugsock.gateway.handshake import Handshake
from plugsock.gateway.limits import Limits
from plugsock.gateway.listener import Listener
from plugsock.gateway.pages import PUBLIC, STATIC, Pages, is_loopback
from plugsock.gateway.routes import Routes
from plugsock.model import AUTHENTICATE, Announcement, Kind
from plugsock.ops.ledger import Ledger
from plugsock.rpc.frames import Document, Group
from support.scripted import ScriptedLink
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

VITE = "http://localhost:5173"

PARTS = sorted({f"/{file.name}" for file in STATIC.iterdir() if file.suffix != ".html"} - PUBLIC)


def routes():
    table = Routes(Deadlines(), Ledger(), 30.0, lambda _: False)
    table.commit([Group(id="0a1b", events=[GREET, WHO, JOINED, ROOMS], gone=[], problems=[])])
    return table


@asynccontextmanager
async def showing(*, ready=True, everywhere=False, static=STATIC, documents=None, **limits):
    pages = Pages(
        routes(), ready=lambda: ready, secure=False, everywhere=everywhere, documents=documents, static=static
    )
    access = Access(HOST, secure=False, allow_host=("plugs.example",), allow_origin=(VITE,))
    handshake = Handshake(access, ready=lambda: ready, compression=False, pages=pages)
    listener = Listener(handshake, Limits(sweep_s=0.02, **limits), lambda wire: Recorder(wire, silent))
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
        scripts = "".join((STATIC / part[1:]).read_text(encoding="utf-8") for part in PARTS if part.endswith(".js"))
        named = {
            *re.findall(r'(?:src|href)="(/[^"]+)"', html),
            *(f"/{n}" for n in re.findall(r'from "\./(.+?)"', scripts)),
        }

        assert named == {*PARTS, *PATHS, "/plugsock.js"}
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
    for part in PARTS:
        text = (STATIC / part[1:]).read_text(encoding="utf-8")
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


@pytest.fixture
def static(tmp_path):
    """A folder in which the JavaScript client is, whatever the page's own has."""
    (tmp_path / "start.html").write_text("<!doctype html>", encoding="utf-8")
    for path in PUBLIC:
        (tmp_path / path[1:]).write_text(f"export const path = {path!r};\n", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("path", sorted(PUBLIC))
@pytest.mark.parametrize("fields", [{}, {"origin": "https://elsewhere.example"}])
async def test_pages_from_anywhere_may_load_the_client(static, path, fields):
    async with showing(static=static) as server:
        status, said, content = await got(server, path, **fields)

        assert (status, content) == (200, (static / path[1:]).read_bytes())
        assert said["Content-Type"] == "text/javascript; charset=utf-8"
        assert said["Access-Control-Allow-Origin"] == "*"
        assert said["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert said["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_browser_that_has_the_client_is_told_whether_it_is_still_the_same(static, method):
    async with showing(static=static) as server:
        _, fields, content = await got(server, "/plugsock.js")
        assert fields["Cache-Control"] == "no-cache"

        status, again, nothing = await got(server, "/plugsock.js", method=method, if_none_match=fields["ETag"])
        assert (status, again["ETag"], nothing) == (304, fields["ETag"], b"")
        weak = await got(server, "/plugsock.js", if_none_match=f'"other", W/{fields["ETag"]}')
        assert weak[0] == 304

    (static / "plugsock.js").write_text("export const is = 'newer';\n", encoding="utf-8")
    async with showing(static=static) as upgraded:
        status, after, newer = await got(upgraded, "/plugsock.js", if_none_match=fields["ETag"])
        assert status == 200
        assert after["ETag"] != fields["ETag"]
        assert newer != content


async def test_the_client_is_where_the_page_is(static):
    async with showing(static=static) as server:
        assert (await got(server, "/plugsock.js", host="plugs.example"))[0] == 404
        assert (await got(server, "/plugsock.js", host="evil.example"))[0] == 421
    async with showing(static=static, everywhere=True) as server:
        assert (await got(server, "/plugsock.js", host="plugs.example"))[0] == 200


@pytest.mark.fault("H8")
async def test_that_a_file_is_for_all_lets_nobody_connect(static):
    async with showing(static=static) as server:
        answer = await ask(server, upgrade(server.port, target="/plugsock.js", origin="https://evil.example"))
        assert answer.startswith(b"HTTP/1.1 403 ")


class Worker(ScriptedLink):
    """Tells of its plugs at once, or when it is told to."""

    def __init__(self, content=b"it"):
        super().__init__()
        self.documents = Documents(routes())
        self.documents.link = self
        self.content = content

    def document(self, number, name, url):
        super().document(number, name, url)
        if self.content is not None:
            self.documents.told(number, Document(self.content, []))


@pytest.mark.parametrize("path", sorted(PATHS))
async def test_developers_are_told_what_plugs_look_like(path):
    worker = Worker()
    async with showing(documents=worker.documents) as server:
        status, fields, content = await got(server, path)

        assert (status, content, fields["Content-Type"]) == (200, b"it", PATHS[path][1])
        assert "Access-Control-Allow-Origin" not in fields
        assert (await got(server, path, if_none_match=fields["ETag"]))[0] == 304
        assert (await got(server, path, method="HEAD"))[::2] == (200, b"")
        assert worker.said == [("document", 1, PATHS[path][0], f"ws://{HOST}:{server.port}")]


async def test_the_page_that_somebody_works_on_may_read_it_and_others_may_not():
    async with showing(documents=Worker().documents) as server:
        status, fields, _ = await got(server, "/types.d.ts", origin=VITE)
        assert (status, fields["Access-Control-Allow-Origin"], fields["Vary"]) == (200, VITE, "Origin")
        assert (await got(server, "/types.d.ts", origin="https://evil.example"))[0] == 403


@pytest.mark.parametrize("path", sorted(PATHS))
async def test_nobody_else_is_told(path):
    async with showing() as server:
        assert (await got(server, path))[0] == 404
        assert json.loads((await got(server, "/events.json"))[2])["has_documents"] is False
    async with showing(documents=Worker().documents) as server:
        assert (await got(server, path, host="plugs.example"))[0] == 404
        assert json.loads((await got(server, "/events.json"))[2])["has_documents"] is True


@pytest.mark.parametrize(("ready", "content"), [(False, b"it"), (True, b"")])
async def test_before_anything_is_loaded_there_is_nothing_to_tell(ready, content):
    async with showing(ready=ready, documents=Worker(content).documents) as server:
        status, fields, _ = await got(server, "/schema.json")
        assert (status, fields["Retry-After"]) == (503, "1")


async def test_what_is_told_late_is_shown_late():
    worker = Worker(content=None)
    async with showing(documents=worker.documents) as server, asyncio.TaskGroup() as group:
        early = group.create_task(got(server, "/schema.json"))
        await worker.hears("document", 1, "schema", f"ws://{HOST}:{server.port}")
        assert (await got(server, "/"))[0] == 200

        worker.documents.told(1, Document(b"it", []))
        assert (await early)[::2] == (200, b"it")


async def test_who_has_waited_for_too_long_is_told_so():
    worker = Worker(content=None)
    async with showing(documents=worker.documents, handshake_s=0.05) as server:
        assert (await got(server, "/schema.json"))[0] == 503
        worker.documents.told(1, Document(b"it", []))  # it comes for nobody


async def test_who_has_gone_is_shown_nothing():
    worker = Worker(content=None)
    async with showing(documents=worker.documents) as server:
        _, writer = await asyncio.open_connection(HOST, server.port)
        writer.write(page(server, "/schema.json"))
        await worker.hears("document", 1, "schema", f"ws://{HOST}:{server.port}")
        writer.write(b"and more that nobody has asked for")
        writer.close()
        await writer.wait_closed()
        assert (await got(server, "/"))[0] == 200
        worker.documents.told(1, Document(b"it", []))
        assert (await got(server, "/schema.json"))[::2] == (200, b"it")


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
