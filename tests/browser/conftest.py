"""A real browser: Debian's chromium, driven by Playwright, which never downloads one of its own.

It takes a second to start, so that all tests of a file share one, and the event loop on which Playwright lives. Each
has a tab of its own that knows nothing of the others.
"""

import re
import shutil

import pytest
import pytest_asyncio
from playwright.async_api import async_playwright

from support.cutting import Proxy

CHROMIUM = shutil.which("chromium")

FLAGS = (
    "--no-sandbox",  # as root in a container there is none
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


NOBODY_THERE = re.compile(r"WebSocket connection to .* failed|net::ERR_|status of 503")
"""What it says of a server that has ended, or loads its plugs: that is no fault of a page."""


def is_complaint(said):
    return said.type in ("error", "warning") and not NOBODY_THERE.search(said.text)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def chromium():
    if CHROMIUM is None:
        pytest.skip("needs a browser: apt-get install chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


@pytest.fixture
def complaints():
    """What the browser finds wrong with a page, violations of its policy included."""
    return []


@pytest_asyncio.fixture(loop_scope="module")
async def proxy(server):
    """What stands between a page and the server of its file, and can be cut."""
    proxy = Proxy(server.port)
    await proxy.open()
    yield proxy
    proxy.close()


@pytest_asyncio.fixture(loop_scope="module")
async def page(chromium, complaints):
    """A tab, about which the browser must have nothing to complain at the end."""
    tab = await chromium.new_page()
    tab.on("console", lambda said: complaints.append(said.text) if is_complaint(said) else None)
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    yield tab
    await tab.close()
    assert complaints == []
