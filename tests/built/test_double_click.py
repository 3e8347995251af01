"""The executable, double-clicked in a file manager: with no arguments, no terminal, and a display."""

import asyncio
import http.client
import json
import os
import sys
from contextlib import asynccontextmanager, closing

import pytest

from plugsock.cli.sample import SAMPLE
from plugsock.gateway.pages import STATIC
from support import executable
from support.browser import Browser
from support.executable import LIMIT_S, environment
from support.once import connect

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="each system has its own way to double-click")


@pytest.fixture
def folder(tmp_path):
    """Where somebody has downloaded it to. The port is a free one, so that it disturbs nobody who uses the default."""
    place = tmp_path / "Geöffnete Dateien (neu)"
    place.mkdir()
    executable.put(place)
    (place / "plugsock.toml").write_text("port = 0\n")
    return place


@pytest.fixture
def browser(tmp_path_factory):
    with closing(Browser(tmp_path_factory.mktemp("browser"))) as made:
        yield made


@pytest.fixture
def click(folder, browser, tmp_path):
    """Double-click it; it ends with the block, as when somebody logs out."""

    @asynccontextmanager
    async def click(*arguments, **environ):
        with (tmp_path / "out").open("ab") as out, (tmp_path / "err").open("ab") as err:
            process = await asyncio.create_subprocess_exec(
                str(folder / executable.EXE.name), *arguments,
                cwd=tmp_path,
                env=environment() | browser.environ | {"DISPLAY": ":99"} | environ,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )  # fmt: skip
        try:
            yield process
        finally:
            if process.returncode is None:
                process.terminate()
            status = await asyncio.wait_for(process.wait(), LIMIT_S)
            process._transport.close()
        assert status >= 0

    return click


def get(page, path):
    with closing(http.client.HTTPConnection(page.removeprefix("http://").rstrip("/"), timeout=10)) as connection:
        connection.request("GET", path)
        return connection.getresponse().read()


async def shown(browser):
    page = await asyncio.to_thread(browser.shown)
    assert page is not None
    return page


async def test_it_makes_a_folder_with_a_first_plug_and_opens_the_page(click, folder, browser, tmp_path):
    async with click():
        page = await shown(browser)

        assert "_MEI" not in browser.libraries
        assert (folder / "plugs" / "hello.py").read_text(encoding="utf-8") == SAMPLE
        assert not (tmp_path / "plugs").exists()
        assert await asyncio.to_thread(get, page, "/") == (STATIC / "start.html").read_bytes()
        events = json.loads(await asyncio.to_thread(get, page, "/events.json"))["events"]
        assert [each["event"] for each in events if each["origin"] == "folder"] == ["hello"]
        async with connect(page.replace("http://", "ws://")) as client:
            assert await client.call("hello", {"name": "Ada"}) == ["Hello, Ada!"]


async def test_a_second_click_opens_the_page_of_the_first(click, browser, tmp_path):
    async with click():
        first = await shown(browser)
        async with click() as second:
            assert await shown(browser) == first
            assert await asyncio.wait_for(second.wait(), LIMIT_S) == 0

    assert (tmp_path / "err").read_text() == ""


async def test_what_goes_wrong_is_said_in_a_window(click, folder, browser, tmp_path):
    (folder / "plugs").write_text("this is no folder")
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "zenity").write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > "{tmp_path}/window"\n')
    (programs / "zenity").chmod(0o755)

    async with click(PATH=f"{programs}:{os.environ['PATH']}") as process:
        assert await asyncio.wait_for(process.wait(), LIMIT_S) == 2

    said = f"plugsock: {folder / 'plugs'}: this folder of plugs can't be read: Not a directory"
    assert f"--text={said}" in (tmp_path / "window").read_text().splitlines()
    assert (tmp_path / "err").read_text() == f"{said}\n"


@pytest.mark.parametrize(
    ("arguments", "environ"),
    [
        (("--no-open",), {}),
        ((), {"DISPLAY": "", "WAYLAND_DISPLAY": ""}),
    ],
    ids=["with arguments", "without a display"],
)
async def test_what_is_no_double_click_serves_and_opens_nothing(click, folder, browser, tmp_path, arguments, environ):
    async with click(*arguments, **environ), asyncio.timeout(LIMIT_S):
        while " events: " not in (tmp_path / "out").read_text():  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.05)

    assert "start page" not in (tmp_path / "out").read_text()
    assert browser.shown(within_s=0) is None
    assert list((folder / "plugs").iterdir()) == []
