"""The example as its users have it: built once, and served as files; without a server, with a mocked and with a real one."""

import re
import shutil
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio
from playwright.async_api import expect

from plugsock import connect
from support import executable
from support.server import launched, running
from support.site import EXAMPLE, build, install, needs_vite, served

KEY = "earl-grey"
SOON_MS = 20_000
"""Views that are made up change after some seconds."""

pytestmark = [needs_vite, pytest.mark.asyncio(loop_scope="module")]


@pytest.fixture(scope="module")
def origin(tmp_path_factory):
    """Where the page is."""
    folder = tmp_path_factory.mktemp("orders") / "page"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("node_modules", "dist", "plugs", "orders.db*"))
    install(folder)
    with served(build(folder)) as origin:
        yield origin


@pytest.fixture
def shop(tmp_path):
    """The folder of plugs, with the settings beside it and books of its own."""
    shutil.copytree(EXAMPLE / "plugs", tmp_path / "plugs", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(EXAMPLE / "plugsock.toml", tmp_path)
    return tmp_path / "plugs"


@asynccontextmanager
async def mocked(folder, origin):
    """`plugsock mock`."""
    command = [*executable.command(), "mock", "--plugs", str(folder), "--port", "0", "--allow-origin", origin]
    async with launched(command, folder, env=executable.environment(), cwd=folder.parent) as server:
        await server.answers()
        yield server


@asynccontextmanager
async def nowhere(*_):
    """No server at all."""
    yield None


def real(folder, origin):
    """The plugs as they are."""
    return running(folder, "--allow-origin", origin)


@pytest_asyncio.fixture(loop_scope="module")
async def server(shop, origin):
    async with real(shop, origin) as server:
        yield server


async def open_page(page, origin, server):
    await page.goto(origin if server is None else f"{origin}/?server={server.url}")
    await expect(page.locator("#state")).to_have_attribute("data-state", "open")


async def order(page, name="Ada"):
    """Order the first tea that there is; the row of that order."""
    orders = page.get_by_role("list", name="Your orders").get_by_role("listitem")
    before = await orders.count()
    await page.get_by_label("Your name").fill(name)
    await page.locator("#teas button:enabled").first.click(timeout=SOON_MS)
    await expect(orders).to_have_count(before + 1)
    return orders.first


async def sign_in(page, key=KEY):
    await page.get_by_label("Key of the staff").fill(key)
    async with page.expect_navigation():
        await page.get_by_role("button", name="Sign in").click()
    await expect(page.locator("#state")).to_have_attribute("data-state", "open")


async def go_to(page, screen):
    await page.get_by_role("link", name=screen).click()
    await expect(page.get_by_role("link", name=screen)).to_have_attribute("aria-current", "page")


@pytest.mark.parametrize("start", [nowhere, mocked, real])
async def test_the_same_page_works_whoever_answers(page, origin, shop, start):
    async with start(shop, origin) as server:
        await open_page(page, origin, server)
        teas = page.get_by_role("list", name="Teas").get_by_role("listitem")
        await expect(teas).not_to_have_count(0)
        await expect(teas.first).to_have_text(re.compile(r"^.+€[\d,]+\.\d\d(\d+ left|all gone)Order$"))

        placed = await order(page)
        await expect(placed).to_have_text(
            re.compile(r"^Order \d+ ?1 cup of .+, €[\d,]+\.\d\d(You are next|\d+ before you|Ready!)$")
        )
        await expect(page.locator("#trouble")).to_be_empty()

        await sign_in(page)
        await go_to(page, "Back office")
        await expect(page.locator("#cents")).to_have_text(re.compile(r"^€[\d,]+\.\d\d$"))
        await expect(page.locator("#served")).to_have_text(re.compile(r"^\d+$"))
        before = await page.locator("#cents").inner_text()

        await go_to(page, "Shop")
        await expect(page.locator("#office-screen")).to_be_hidden()
        await expect(page.locator("#cents")).to_be_empty()
        await order(page, "Grace")
        await go_to(page, "Back office")
        await expect(page.locator("#cents")).not_to_have_text(before, timeout=SOON_MS)
        await expect(page.locator("#cents")).not_to_be_empty()

        waiting = page.get_by_role("list", name="Waiting").get_by_role("listitem")
        await expect(waiting.first).to_contain_text(re.compile(r"^Order \d+ ?\d+ cups? of .+ for .+"), timeout=SOON_MS)
        await waiting.get_by_role("button").first.click(timeout=SOON_MS)
        await expect(page.locator("#office-trouble")).to_be_empty()

        history = page.get_by_role("list", name="All orders").get_by_role("listitem")
        await page.get_by_role("button", name="Look through").click()
        await expect(history.last).to_contain_text(re.compile(r"^Order \d+ ?\d+ cups? of .+ for .+"), timeout=SOON_MS)
        await expect(page.locator("#looked")).to_have_text(re.compile(r"^\d+ (so far|in all)$"))


@pytest.mark.parametrize("start", [nowhere, mocked])
async def test_a_long_stream_is_stopped(page, origin, shop, start):
    async with start(shop, origin) as server:
        await open_page(page, origin, server)
        await sign_in(page)
        await go_to(page, "Back office")
        await page.get_by_role("button", name="Look through").click()
        await expect(page.get_by_role("list", name="All orders").get_by_role("listitem")).not_to_have_count(0)
        await page.get_by_role("button", name="Stop").click()

        await expect(page.locator("#looked")).to_have_text(re.compile(r"^Stopped after \d+$"))
        await expect(page.get_by_role("button", name="Look through")).to_be_visible()


async def test_a_customer_and_the_back_office_see_each_other_at_once(page, chromium, origin, server):
    await open_page(page, origin, server)
    staff = await chromium.new_page()
    await open_page(staff, origin, server)
    await expect(staff.get_by_role("link", name="Back office")).to_be_hidden()
    await sign_in(staff)
    await go_to(staff, "Back office")
    await expect(staff.locator("#here")).to_have_text("1")
    await page.get_by_label("Cups").fill("2")

    placed = await order(page)
    await expect(placed).to_have_text("Order 12 cups of Assam, €5.80You are next")
    await expect(page.get_by_text("38 left")).to_be_visible()
    await expect(staff.locator("#news")).to_have_text("Just in: order 1, 2 cups of Assam")
    await expect(staff.get_by_role("list", name="Waiting")).to_contain_text("Order 12 cups of Assam for Ada")
    await expect(staff.locator("#cents")).to_have_text("€5.80")

    await staff.get_by_role("button", name="Order 1 is served").click()
    await expect(placed).to_have_text("Order 12 cups of Assam, €5.80Ready!")
    await expect(staff.get_by_role("list", name="Waiting").get_by_role("listitem")).to_have_count(0)
    await expect(staff.locator("#served")).to_have_text("1")
    await staff.close()


async def test_what_is_gone_can_not_be_ordered(page, origin, server):
    await open_page(page, origin, server)

    await expect(page.get_by_role("button", name="Order Moon")).to_be_disabled()
    async with connect(server.url) as other:
        for _ in range(3):
            await other.call("shop.order", {"sku": "assam", "name": "Grace", "count": 12})
    await expect(page.get_by_text("4 left", exact=True)).to_be_visible()
    await page.get_by_label("Cups").fill("5")
    await page.get_by_label("Your name").fill("Ada")
    await page.get_by_role("button", name="Order Assam").click()
    await expect(page.get_by_role("alert")).to_have_text("There is not enough of this tea left.")


async def test_saved_code_is_on_the_screen_without_a_reload(page, origin, server):
    await open_page(page, origin, server)
    await expect(page.get_by_text("Sencha")).to_be_visible()
    await page.get_by_label("Your name").fill("half typ")
    source = (server.folder / "shop.py").read_text()
    server.save("shop.py", source.replace("SELECT sku, name,", "SELECT sku, 'Fine ' || name,"))

    await expect(page.get_by_text("Fine Sencha")).to_be_visible()
    await expect(page.get_by_label("Your name")).to_have_value("half typ")


async def test_a_revoked_right_takes_the_screen_away(page, origin, server):
    (server.folder / "desk.py").write_text(DESK)
    await server.says(r"desk")
    await open_page(page, origin, server)
    await order(page)
    await sign_in(page)
    await go_to(page, "Back office")
    await expect(page.get_by_role("list", name="Waiting")).to_contain_text("Assam for Ada")
    async with connect(server.url) as other:
        await other.call("desk.revoke")

        await expect(page.locator("#office-screen")).to_be_hidden()
        await expect(page.get_by_role("link", name="Back office")).to_be_hidden()
        await expect(page.get_by_text("This key does not open the back office.")).to_be_visible()
        assert "for Ada" not in await page.locator("#office-screen").inner_html()

        await other.call("desk.grant")
        await expect(page.get_by_role("list", name="Waiting")).to_contain_text("Assam for Ada")


DESK = """from plugsock import Server, plug

@plug
async def revoke(server: Server) -> None:
    await server.revoke("staff", "orders.*")

@plug
async def grant(server: Server) -> None:
    await server.grant("staff", "orders.*")
"""


async def test_a_wrong_key_opens_nothing(page, origin, server):
    await open_page(page, origin, server)
    await sign_in(page, "green")

    await expect(page.get_by_text("This key does not open the back office.")).to_be_visible()
    await expect(page.get_by_role("link", name="Back office")).to_be_hidden()
    async with page.expect_navigation():
        await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_label("Key of the staff")).to_be_visible()


async def test_a_link_can_not_send_the_key_to_a_stranger(page, origin, complaints):
    await page.goto(f"{origin}/?server=wss://example.org")
    await page.wait_for_function("() => document.readyState === 'complete'")

    await expect(page.locator("#teas li")).to_have_count(0)
    assert "it may not use: example.org" in complaints.pop()
