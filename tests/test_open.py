"""`--open`: a server for somebody who wants to see a page."""

import asyncio
import http.client
import os
import signal
import socket
import sys
from contextlib import asynccontextmanager, closing

import pytest

from plugsock.cli.sample import SAMPLE
from support.browser import Browser
from support.executable import environment
from support.once import connect
from support.server import launched

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="its browser is a shell script")

COMMAND = [sys.executable, "-m", "plugsock"]
NO_DISPLAY = {"DISPLAY": "", "WAYLAND_DISPLAY": ""}


@pytest.fixture
def browser(tmp_path_factory):
    with closing(Browser(tmp_path_factory.mktemp("browser"))) as made:
        yield made


@pytest.fixture
def serve(tmp_path, browser):
    """Start a server in an empty folder, with a browser; it ends as Ctrl-C ends it."""

    @asynccontextmanager
    async def start(*flags, **environ):
        env = environment() | browser.environ | environ
        async with launched([*COMMAND, *flags], tmp_path / "plugs", env=env, cwd=tmp_path) as server:
            yield server
            if server.process.returncode is None:
                server.send(signal.SIGINT)
                assert await server.end() == 0

    return start


@pytest.fixture
def serving(serve):
    """Start one and wait until it answers."""

    @asynccontextmanager
    async def start(*flags, **environ):
        async with serve(*flags, **environ) as server:
            await server.answers()
            yield server

    return start


async def status(url):
    """What GET / answers at an address."""

    def get():
        with closing(http.client.HTTPConnection(url.removeprefix("http://").rstrip("/"), timeout=10)) as connection:
            connection.request("GET", "/")
            return connection.getresponse().status

    return await asyncio.to_thread(get)


async def test_the_page_that_is_opened_is_there(serving, browser):
    async with serving("--open", "--port", "0") as server:
        page = await asyncio.to_thread(browser.shown)

        assert page == server.url.replace("ws://", "http://") + "/"
        assert await status(page) == 200
        await server.says(f"^start page: {page}$")


async def test_a_browser_prints_nowhere_and_is_on_its_own(serving, browser):
    async with serving("--open", "--port", "0") as server:
        await asyncio.to_thread(browser.shown)
        assert browser.session != os.getsid(server.process.pid)
        async with connect(server.url) as client:
            await client.call("echo", 1)

        assert not any("this is what browsers print" in line or "and this" in line for line in server.out + server.err)


async def test_nothing_is_opened_unless_it_is_asked_for(serving, browser):
    async with serving("--port", "0") as server, connect(server.url) as client:
        await client.call("echo", 1)

        assert browser.shown(within_s=0) is None
        assert "start page" not in "".join(server.out)


async def test_a_browser_that_fails_is_said(serve, tmp_path_factory):
    broken = Browser(tmp_path_factory.mktemp("broken"), then="exit 1")
    with closing(broken):
        async with serve("--open", "--port", "0", **broken.environ) as server:
            await server.answers()
            await server.says("^no browser could be opened: type the address into one$")


async def test_without_a_display_the_address_is_said_and_the_terminal_left_alone(serving):
    async with serving("--open", "--port", "0", BROWSER="", **NO_DISPLAY) as server:
        await server.says("^start page: http://127.0.0.1")
        await server.says("^no browser could be opened")


async def test_a_folder_that_is_missing_is_made_with_a_plug_that_answers(serving, browser, tmp_path):
    async with serving("--open", "--port", "0") as server, connect(server.url) as client:
        assert (tmp_path / "plugs" / "hello.py").read_text(encoding="utf-8") == SAMPLE
        assert await client.call("hello") == ["Hello, world!"]
        assert await client.call("hello", {"name": "Ada", "times": 2}) == ["Hello, Ada!"] * 2


async def test_what_was_made_is_served_whatever_the_umask(serving, tmp_path):
    before = os.umask(0)
    try:
        async with serving("--open", "--port", "0") as server, connect(server.url) as client:
            assert await client.call("hello") == ["Hello, world!"]
    finally:
        os.umask(before)


async def test_a_folder_that_is_there_stays_as_it_is(serving, tmp_path):
    (tmp_path / "plugs").mkdir()
    async with serving("--open", "--port", "0"):
        assert list((tmp_path / "plugs").iterdir()) == []


async def test_without_open_the_folder_is_made_empty(serving, tmp_path):
    async with serving("--port", "0"):
        assert list((tmp_path / "plugs").iterdir()) == []


@pytest.mark.fault("D9")
async def test_a_port_that_was_chosen_is_never_replaced(serve, browser):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with serve("--open", "--port", str(port)) as server:
            assert await server.end() == 1

    assert server.err == [f"plugsock: 127.0.0.1:{port} is in use; choose another --port"]
    assert browser.shown(within_s=0) is None


async def test_of_a_folder_that_is_served_already_the_page_is_shown(serving, serve, browser, tmp_path):
    async with serving("--port", "0") as first, serve("--open") as second:
        assert await asyncio.to_thread(browser.shown) == first.url.replace("ws://", "http://") + "/"
        assert await second.end() == 0

    assert second.out[0] == f"plugsock serves {tmp_path / 'plugs'} already (process {first.process.pid})"
    assert second.err == []


async def test_two_clicks_are_one_server(serve, browser):
    async with serve("--open", "--port", "0") as one, serve("--open", "--port", "0") as other:
        pages = {await asyncio.to_thread(browser.shown), await asyncio.to_thread(browser.shown)}
        assert len(pages) == 1

        waits = {asyncio.get_running_loop().create_task(each.end()) for each in (one, other)}
        ended, serves = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        assert [each.result() for each in ended] == [0]
        assert len(serves) == 1
        serves.pop().cancel()


@pytest.mark.fault("D9")
async def test_another_folder_with_the_same_data_is_told_who_has_it(serving, serve, tmp_path):
    (tmp_path / "others").mkdir()
    async with serving("--port", "0") as first, serve("--open", "--plugs", "others") as second:
        assert await second.end() == 1

    assert f"is in use by another plugsock (process {first.process.pid})" in second.err[0]


@pytest.mark.parametrize(
    ("flags", "expected"),
    [(("--host", "0.0.0.0"), 426), (("--host", "0.0.0.0", "--dev"), 200), (("--host", "0.0.0.0", "--open"), 200)],
)
async def test_what_other_machines_can_reach_has_a_page_only_if_somebody_wants_it(serving, flags, expected):
    async with serving("--port", "0", *flags) as server:
        assert await status(f"http://127.0.0.1:{server.port}/") == expected


async def test_what_listens_everywhere_is_shown_by_an_address_that_a_browser_can_go_to(serving, browser):
    async with serving("--port", "0", "--host", "0.0.0.0", "--open") as server:
        assert await asyncio.to_thread(browser.shown) == f"http://127.0.0.1:{server.port}/"
