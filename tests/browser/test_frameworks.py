"""The ten lines that show a view with React, Vue, Svelte and without any of them, each against a real server."""

import asyncio
import shutil
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect

from plugsock import connect
from support.server import LIMIT_S, running
from support.site import CLIENT, build, install, needs_vite, served

HERE = Path(__file__).parent / "frameworks"
EXAMPLES = CLIENT / "examples"
WAYS = {each.parent.name: each for each in sorted(EXAMPLES.glob("*/*"))}

SHELF = """from plugsock import Server, plug, view

shops = {"berlin": {"milk": 1, "tea": 2}, "paris": {"bread": 9}}

@plug
async def put(server: Server, shop: str, sku: str, count: int) -> None:
    shops[shop][sku] = count
    server.changed(f"shelf/{shop}")

@view
async def stock(server: Server, shop: str) -> dict[str, int]:
    server.reads(f"shelf/{shop}")
    return dict(sorted(shops[shop].items()))
"""

pytestmark = [needs_vite, pytest.mark.asyncio(loop_scope="module")]


CLIENT_OF_THE_PAGE = """import { connect } from "plugsock";

export const client = connect(new URLSearchParams(location.search).get("server"));
"""


@pytest.fixture(scope="module")
def origin(tmp_path_factory):
    """Where all of them are, built into one page, which is told the server by its address."""
    folder = tmp_path_factory.mktemp("frameworks")
    shutil.copytree(HERE, folder / "page")
    shutil.copytree(EXAMPLES, folder / "examples")
    (folder / "examples/client.js").write_text(CLIENT_OF_THE_PAGE)
    install(folder)
    with served(build(folder / "page")) as origin:
        yield origin


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def server(tmp_path_factory, origin):
    plugs = tmp_path_factory.mktemp("shelf") / "plugs"
    async with running(plugs, "--workers", "0", "--allow-origin", origin, shelf=SHELF) as started:
        yield started


class Said:
    """What a page has said on its connection."""

    def __init__(self, page):
        self._frames = []
        self._grown = asyncio.Event()
        page.on("websocket", lambda found: found.on("framesent", self._add))

    def _add(self, frame):
        self._frames.append(frame.split(" ", 2))
        self._grown.set()

    async def watches(self, count):
        """Wait until it watches so many views: one is let go a moment after nobody shows it any more."""
        async with asyncio.timeout(LIMIT_S):
            while len(self._of("watch") - self._of("cancel")) != count:
                self._grown.clear()
                await self._grown.wait()

    def _of(self, verb):
        return {frame[1] for frame in self._frames if frame[0] == verb}


@pytest.mark.parametrize("way", WAYS)
async def test_it_shows_what_is_there_follows_it_and_lets_go(page, origin, server, way):
    said = Said(page)
    await page.goto(f"{origin}/?server={server.url}")
    lines = page.get_by_role("listitem")
    async with connect(server.url) as other:
        await other.call("shelf.put", {"shop": "berlin", "sku": "tea", "count": 2})
        await page.evaluate("([way, shop]) => start(way, shop)", [way, "berlin"])
        await expect(lines).to_have_text(["milk: 1", "tea: 2"])

        await other.call("shelf.put", {"shop": "berlin", "sku": "tea", "count": 3})
        await expect(lines).to_have_text(["milk: 1", "tea: 3"])

        await page.evaluate("other('paris')")
        await expect(lines).to_have_text(["bread: 9"])
        await said.watches(1)

        await page.evaluate("end()")
        await expect(lines).to_have_count(0)
        await said.watches(0)
