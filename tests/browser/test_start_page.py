"""The start page as people use it: a real server, and a real browser."""

import re
import signal
import socket

import pytest
import pytest_asyncio
from playwright.async_api import expect

from support.server import running

GREET = '''from plugsock import Error, plug

@plug
async def greet(name: str, times: int = 1) -> list[str]:
    """Say hello."""
    if name == "moon":
        raise Error("out_of_stock", "We have no moon left.", data={"sku": "moon"})
    return [f"Hello, {name}!"] * times
'''

COUNT = '''from collections.abc import AsyncIterator
from plugsock import plug

stopped = []

@plug
async def count() -> AsyncIterator[int]:
    """Count as fast as somebody listens."""
    number = 0
    try:
        while True:
            yield number
            number += 1
    finally:
        stopped.append(number)

@plug
async def stops() -> list[int]:
    """Where it was stopped."""
    return stopped
'''

EVIL = '''from plugsock import plug

@plug
async def evil(name: str = "</code><script>document.title = 'evil'</script>") -> str:
    """<img src=x onerror="document.title='evil'"> says this."""
    return "<b onclick=alert(1)>bold</b><script>document.title = 'evil'</script>"
'''

LONG = '''from plugsock import plug

@plug
async def long() -> dict[str, object]:
    """What JavaScript's own numbers can't hold."""
    return {"number": 1234567890123456789, "price": 3.0, "text": 'a "b" \\\\ c: {d}'}
'''


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def server(tmp_path):
    async with running(tmp_path / "plugs", greet=GREET) as started:
        yield started


def address(server):
    return server.url.replace("ws://", "http://")


async def open_page(page, server, event=""):
    await page.goto(f"{address(server)}/{event and '#'}{event}")
    await expect(page.get_by_text("Connected", exact=True)).to_be_visible()


async def choose(page, event):
    await page.locator(f'nav button[value="{event}"]').click()
    await expect(page.get_by_role("heading", name=event, exact=True)).to_be_visible()


async def send(page, payload):
    await payload_of(page).fill(payload)
    await page.get_by_role("button", name="Call", exact=True).click()


def payload_of(page):
    return page.get_by_label("What to send, as JSON")


def outcome(page):
    return page.locator("#outcome")


def answer(page):
    return page.get_by_label("What came back")


async def test_it_lists_what_is_served_and_where_that_comes_from(page, server):
    await open_page(page, server)

    mine = page.get_by_role("list", name="In your folder")
    embedded = page.get_by_role("list", name="Comes with plugsock")
    await expect(mine.get_by_role("button")).to_have_text(["greet"])
    await expect(embedded.get_by_role("button")).to_have_text(["chat.send", "clock.ticksstream", "echo", "math.add"])
    await expect(page.get_by_text("Say hello.", exact=True)).to_be_visible()
    await expect(page.get_by_text("(name: str, times: int = 1)")).to_be_visible()
    await expect(page.locator("#first")).to_be_hidden()


async def test_a_developer_is_shown_where_all_of_it_is_told_to_machines(page, server, tmp_path):
    await open_page(page, server)
    await expect(page.get_by_role("link", name="TypeScript")).to_be_hidden()

    async with running(tmp_path / "more" / "plugs", "--dev", greet=GREET) as dev:
        await open_page(page, dev)
        for name, path in (
            ("JSON Schema", "/schema.json"),
            ("AsyncAPI", "/asyncapi.json"),
            ("TypeScript", "/types.d.ts"),
            ("plugsock.js", "/plugsock.js"),
        ):
            await expect(page.get_by_role("link", name=name)).to_have_attribute("href", path)


async def test_a_call_shows_its_answer_and_how_long_it_took(page, server):
    await open_page(page, server, "math.add")
    await expect(payload_of(page)).to_have_value('{\n  "a": 0,\n  "b": 0\n}')
    await send(page, '{"a": 1, "b": 2}')

    await expect(answer(page)).to_have_text("3.0")
    await expect(outcome(page)).to_have_text(page_time("Answered in"))


def page_time(begin):
    return re.compile(rf"^{begin} [\d.]+ m?s\.$")


async def test_it_can_be_used_with_the_keyboard_alone(page, server):
    await open_page(page, server, "greet")
    await page.get_by_role("button", name="greet").focus()
    for _ in range(4):
        await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="math.add")).to_be_visible()
    await page.keyboard.press("Tab")
    await expect(payload_of(page)).to_be_focused()
    await page.keyboard.press("Control+a")
    await page.keyboard.type('{"a": 20, "b": 22}')
    await page.keyboard.press("Control+Enter")

    await expect(answer(page)).to_have_text("42.0")


async def test_an_error_is_shown_with_its_code_and_what_else_it_says(page, server):
    await open_page(page, server, "greet")
    await send(page, '{"name": "moon"}')

    await expect(outcome(page)).to_contain_text("out_of_stock We have no moon left.")
    await expect(answer(page)).to_contain_text('"sku": "moon"')


async def test_what_does_not_fit_says_where(page, server):
    await open_page(page, server, "greet")
    await send(page, '{"name": 7}')

    await expect(outcome(page)).to_contain_text("bad_payload")
    await expect(answer(page)).to_contain_text('"path": "$.name"')


async def test_what_is_not_json_is_not_sent(page, server):
    await open_page(page, server, "greet")
    await send(page, '{"name": ')

    await expect(page.get_by_role("alert")).to_contain_text("This is not JSON")
    await expect(outcome(page)).to_be_hidden()
    await payload_of(page).fill('{"name": "Ada"}')
    await expect(page.get_by_role("alert")).to_be_empty()


async def test_numbers_and_texts_are_shown_as_they_came(page, server):
    server.save("long.py", LONG)
    await open_page(page, server)
    await choose(page, "long")
    await page.get_by_role("button", name="Call", exact=True).click()

    await expect(answer(page)).to_contain_text('"number": 1234567890123456789')
    await expect(answer(page)).to_contain_text('"price": 3.0')
    await expect(answer(page)).to_contain_text(r'"text": "a \"b\" \\ c: {d}"')


async def test_a_stream_runs_until_it_is_stopped(page, server):
    await open_page(page, server, "clock.ticks")
    await send(page, '{"every": 0.01}')
    await expect(answer(page).locator(".value")).not_to_have_count(0)
    await expect(page.get_by_role("button", name="Call", exact=True)).to_be_disabled()
    await page.get_by_role("button", name="Stop", exact=True).click()

    await expect(outcome(page)).to_contain_text("Stopped after")
    await expect(page.get_by_role("button", name="Stop", exact=True)).to_be_hidden()
    await expect(page.get_by_role("button", name="Call", exact=True)).to_be_enabled()


async def test_a_stream_that_ends_says_how_many_there_were(page, server):
    await open_page(page, server, "clock.ticks")
    await send(page, '{"every": 0.001, "times": 100}')

    await expect(outcome(page)).to_contain_text("Ended after 100 items")
    await expect(answer(page).locator(".value")).to_have_count(100)


async def test_a_stream_without_end_keeps_the_last_items_and_runs_no_faster_than_it_is_shown(page, server):
    server.save("endless.py", COUNT)
    await open_page(page, server)
    await choose(page, "endless.count")
    await page.get_by_role("button", name="Call", exact=True).click()
    await expect(page.get_by_text("The last 200 are shown.")).to_be_visible()
    await page.get_by_role("button", name="Stop", exact=True).click()
    await expect(outcome(page)).to_contain_text("Stopped after")
    await expect(answer(page).locator(".value")).to_have_count(200)
    last = int(await answer(page).locator(".value").last.inner_text())
    await choose(page, "endless.stops")
    await page.get_by_role("button", name="Call", exact=True).click()
    await expect(outcome(page)).to_contain_text("Answered in")
    stopped = int((await answer(page).inner_text()).strip("[]\n "))

    assert 0 <= stopped - last <= 32


async def test_choosing_another_event_ends_what_runs(page, server):
    server.save("endless.py", COUNT)
    await open_page(page, server)
    await choose(page, "endless.count")
    await page.get_by_role("button", name="Call", exact=True).click()
    await expect(answer(page).locator(".value")).not_to_have_count(0)
    await choose(page, "endless.stops")
    await expect(outcome(page)).to_be_hidden()
    await page.get_by_role("button", name="Call", exact=True).click()

    await expect(answer(page)).to_contain_text("[")
    await expect(outcome(page)).to_contain_text("Answered in")


async def test_a_plug_that_is_saved_appears_and_nothing_that_was_typed_is_lost(page, server):
    await open_page(page, server, "greet")
    await payload_of(page).fill('{"name": "half typ')
    server.save("late.py", GREET.replace("greet", "late"))

    await expect(page.get_by_role("button", name="late")).to_be_visible()
    await expect(page.get_by_role("heading", name="greet")).to_be_visible()
    await expect(payload_of(page)).to_have_value('{"name": "half typ')
    await expect(payload_of(page)).to_be_focused()
    await choose(page, "late")
    await choose(page, "greet")
    await expect(payload_of(page)).to_have_value('{"name": "half typ')


async def test_a_plug_that_changes_shows_its_new_shape(page, server):
    await open_page(page, server, "greet")
    await expect(payload_of(page)).to_have_value('{\n  "name": ""\n}')
    server.save("greet.py", GREET.replace("name: str,", "name: str, language: str,"))

    await expect(page.get_by_text("(name: str, language: str, times: int = 1)")).to_be_visible()
    await expect(payload_of(page)).to_have_value('{\n  "name": "",\n  "language": ""\n}')


async def test_a_plug_that_goes_is_said_to_be_gone(page, server):
    await open_page(page, server, "greet")
    (server.folder / "greet.py").unlink()

    await expect(page.get_by_text("This event has gone")).to_be_visible()
    await expect(page.get_by_role("button", name="Call", exact=True)).to_be_disabled()


async def test_an_empty_folder_is_told_how_to_begin_until_somebody_has(page, tmp_path):
    async with running(tmp_path / "plugs") as server:
        await open_page(page, server)
        await expect(page.get_by_role("heading", name="Write your first plug")).to_be_visible()
        await expect(page.get_by_role("heading", name="chat.send")).to_be_visible()
        assert str(tmp_path) not in await page.content()

        server.save("hello.py", await page.get_by_label("An example of a plug").inner_text())
        await expect(page.get_by_role("list", name="In your folder").get_by_role("button")).to_have_text(["hello"])
        await expect(page.get_by_role("heading", name="Write your first plug")).to_be_hidden()


async def test_many_events_can_be_filtered(page, server):
    await open_page(page, server)
    await expect(page.get_by_label("Filter the events")).to_be_hidden()
    server.save("many.py", "from plugsock import plug\n" + "".join(f"@plug\ndef e{n}(): ...\n" for n in range(9)))
    await page.get_by_label("Filter the events").fill("E7")
    await expect(page.locator("nav").get_by_role("button")).to_have_text(["many.e7"])
    await page.get_by_label("Filter the events").fill("nowhere")

    await expect(page.get_by_text("No event has this in it.")).to_be_visible()


@pytest.mark.fault("A18")
async def test_what_plugs_say_is_text_whatever_it_looks_like(page, server):
    server.save("evil.py", EVIL)
    await open_page(page, server)
    await choose(page, "evil")
    await expect(page.get_by_text('<img src=x onerror="document.title=')).to_be_visible()
    await page.get_by_role("button", name="Call", exact=True).click()
    await expect(answer(page)).to_contain_text("<b onclick=alert(1)>bold</b><script>")

    assert await page.title() == "plugsock"
    assert await page.locator("img[src=x], b, main script").count() == 0


@pytest.mark.fault("A18")
async def test_markup_could_not_be_written_even_by_mistake(page, server, complaints):
    await open_page(page, server)
    with pytest.raises(Exception, match="TrustedHTML"):
        await page.evaluate("document.body.innerHTML = '<p>no</p>'")

    complaints.clear()


async def test_it_survives_a_server_that_is_started_anew(page, tmp_path):
    folder = tmp_path / "plugs"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    async with running(folder, "--port", port, greet=GREET) as server:
        await open_page(page, server, "greet")
        await payload_of(page).fill('{"name": "Ada"}')
        server.send(signal.SIGTERM)
        await expect(page.get_by_text("Connection lost, trying again")).to_be_visible()
        await expect(page.get_by_role("button", name="Call", exact=True)).to_be_disabled()
        await server.end()
    async with running(folder, "--port", port, late=GREET.replace("greet", "late")):
        await expect(page.get_by_text("Connected", exact=True)).to_be_visible(timeout=20_000)
        await expect(page.get_by_role("button", name="late")).to_be_visible()
        await page.get_by_role("button", name="Call", exact=True).click()
        await expect(answer(page)).to_contain_text("Hello, Ada!")


ATTEMPTS = """async () => {
  const made = [];
  globalThis.WebSocket = class { constructor() { made.push(this); } };
  const { Connection } = await import("/connection.js");
  const connection = new Connection({ onState() {}, onNotice() {} });
  connection.open();
  made[0].onclose({ code: 1006 });
  while (made.length < 2) await new Promise((done) => setTimeout(done, 10));
  connection.hurry();
  return made.length;
}"""
"""How often it has tried, after it was told to hurry while its second try was under way."""


async def test_who_hurries_it_while_it_connects_does_not_make_it_connect_twice(page, server):
    await page.goto(address(server))

    assert await page.evaluate(ATTEMPTS) == 2


async def test_a_call_whose_connection_goes_is_told_so(page, tmp_path):
    async with running(tmp_path / "plugs") as server:
        await open_page(page, server, "clock.ticks")
        await send(page, '{"every": 20}')
        await expect(outcome(page)).to_contain_text("1 item so far")
        server.process.kill()
        await expect(outcome(page)).to_contain_text("The connection was lost before the answer came.")


SHAPES = {
    "()": {},
    "(name: str, times: int = 1)": {"name": ""},
    "Order(sku: str, count: int = 1, price: float)": {"sku": "", "price": 0},
    "(a: list[tuple[int, str]], b: dict[str, int], c: bool, d: str | None)": {"a": [], "b": {}, "c": False, "d": None},
    "(how: Literal['fast', 'slow'], level: Literal[3, 4])": {"how": "fast", "level": 3},
    "(text: str = 'a, b: (c', when: datetime)": {"when": ""},
    "(order: Order, anything: Any, raw: bytes)": {"order": {}, "anything": None, "raw": ""},
    "(text: str = 'cut off because it is so lo...": {},
    "dict[str, int]": {},
    "list[Order]": [],
    "raw": "hello",
}


async def test_what_is_typed_for_a_beginning_fits_the_shape(page, server):
    await open_page(page, server)
    example = "(shape) => import('/example.js').then((module) => JSON.parse(module.example(shape)))"

    assert {shape: await page.evaluate(example, shape) for shape in SHAPES} == SHAPES


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_it_can_be_read_by_day_and_by_night(chromium, server, scheme):
    page = await chromium.new_page(color_scheme=scheme)
    await open_page(page, server, "greet")
    await send(page, '{"name": "moon"}')
    await expect(outcome(page)).to_contain_text("out_of_stock")

    for text in ("#name", "#doc", "#outcome", "#state", "footer p", "#call", "nav h3", ".json-string", ".json-key"):
        assert await page.locator(text).first.evaluate(CONTRAST) >= 4.5, text
    await page.close()


CONTRAST = """(element) => {
  const channels = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  let ground = element;
  while (channels(getComputedStyle(ground).backgroundColor)[3] === 0) ground = ground.parentElement;
  const [one, other] = [getComputedStyle(element).color, getComputedStyle(ground).backgroundColor].map(channels).map(light);
  return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
}"""
"""How well a text stands out from what is behind it, as WCAG 2 counts it: 4.5 is what its level AA asks for."""
