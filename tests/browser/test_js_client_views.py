"""The JavaScript client and live views: what is shown is current, or says that it is not."""

import pytest
import pytest_asyncio

from support.cutting import Cut
from support.js_client import open_client
from support.server import running

STOCK = '''from plugsock import Error, Server, plug, view

held = {"tea": 3, "milk": 1}

@plug
async def begin(server: Server) -> None:
    """Have what there is at the beginning."""
    held.clear()
    held.update(tea=3, milk=1)
    server.changed("stock")

@plug
async def put(server: Server, sku: str, count: int | None) -> None:
    """Say how much there is."""
    held[sku] = count
    if count is None:
        del held[sku]
    server.changed("stock")

@view
async def all(server: Server, factor: int = 1) -> dict[str, int]:
    """All that there is, and what does not change so that patches are shorter."""
    server.reads("stock")
    if "bad" in held:
        raise Error("spoilt", "Something is bad.")
    return {sku: count * factor for sku, count in sorted(held.items())} | {f"filler {n}": n for n in range(20)}
'''
FIXED = '''from plugsock import view

@view
async def number() -> int:
    """Always the same."""
    return 1
'''
SHOWN = "Object.fromEntries(Object.entries(view.value ?? {}).filter(([key]) => !key.startsWith('filler')))"

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stock") / "plugs"
    async with running(folder, "--workers", "1", stock=STOCK, swapped=FIXED, passing=FIXED) as started:
        yield started


@pytest_asyncio.fixture(loop_scope="module")
async def page(page, proxy):
    await open_client(page, proxy.port)
    await page.evaluate("client.call('stock.begin')")
    await page.evaluate(
        f"""globalThis.view = client.view("stock.all"),
        globalThis.seen = [],
        globalThis.stop = view.subscribe((value, status) => seen.push([value?.tea, status])),
        globalThis.shown = () => {SHOWN}, 0"""
    )
    return page


async def shows(page, tea, status="live"):
    """Wait until the view shows so much tea."""
    await page.evaluate(f"until(() => view.value?.tea === {tea} && view.status === '{status}', JSON.stringify(seen))")


async def test_a_view_is_loading_and_then_live_and_follows_what_changes(page):
    await shows(page, 3)
    await page.evaluate("client.call('stock.put', {sku: 'tea', count: 4})")
    await shows(page, 4)

    assert await page.evaluate("seen") == [[None, "loading"], [3, "live"], [4, "live"]]
    assert await page.evaluate("view.error") is None


RECORDING = """{WebSocket: class extends WebSocket {
  constructor(...args) {
    super(...args);
    globalThis.verbs = new Set();
    this.addEventListener("message", ({data}) => verbs.add(data.split(" ")[0]));
  }
}}"""


async def test_changes_come_as_patches_and_what_is_taken_away_is_gone(page, proxy):
    await open_client(page, proxy.port, options=RECORDING)
    await page.evaluate(f"globalThis.view = client.view('stock.all'), globalThis.shown = () => {SHOWN}, 0")
    await page.evaluate("view.subscribe(() => {}), view.first()")
    await page.evaluate("client.call('stock.put', {sku: 'milk', count: null})")
    await page.evaluate("until(() => !('milk' in view.value))")
    await page.evaluate("client.call('stock.put', {sku: 'jam', count: 9})")
    await page.evaluate("until(() => 'jam' in view.value)")

    assert await page.evaluate("shown()") == {"tea": 3, "jam": 9}
    assert await page.evaluate("verbs.has('patch')")


async def test_a_snapshot_is_the_same_object_until_something_is_different(page):
    await shows(page, 3)
    said = """async () => {
      const one = view.snapshot(), two = view.snapshot();
      await client.call("stock.put", {sku: "tea", count: 5});
      await until(() => view.value.tea === 5);
      return [one === two, view.snapshot() !== one, one.value.tea, view.snapshot().value.tea];
    }"""
    assert await page.evaluate(said) == [True, True, 3, 5]


async def test_a_view_runs_on_when_its_code_is_swapped(page, server):
    await page.evaluate("globalThis.view = client.view('swapped.number'), view.subscribe(() => {}), view.first()")
    server.save("swapped.py", FIXED.replace("return 1", "return 2"))
    await page.evaluate("until(() => view.value === 2 && view.status === 'live')")

    assert await page.evaluate("states.length") == 1


async def test_a_view_that_fails_keeps_its_value_and_gets_well_again(page):
    await shows(page, 3)
    await page.evaluate("client.call('stock.put', {sku: 'bad', count: 1})")
    await shows(page, 3, "error")
    assert await page.evaluate("view.error.code") == "spoilt"
    await page.evaluate("client.call('stock.put', {sku: 'bad', count: null})")

    # the value is the one before: nothing comes, unless it is another one
    await page.evaluate("client.call('stock.put', {sku: 'tea', count: 8})")
    await shows(page, 8)
    assert await page.evaluate("view.error") is None


async def test_a_view_is_stale_while_there_is_no_connection_and_current_when_there_is(page, proxy):
    await shows(page, 3)
    proxy.links[-1].arm(Cut())
    await page.evaluate("until(() => states.length > 1 && client.state === 'open')")
    await shows(page, 3)
    await page.evaluate("client.call('stock.put', {sku: 'tea', count: 6})")
    await shows(page, 6)

    assert [3, "stale"] in await page.evaluate("seen")


async def test_what_changes_while_there_is_no_connection_is_seen_afterwards(page, proxy, server):
    await shows(page, 3)
    proxy.links[-1].arm(Cut(up=None, down=1))  # the answer is lost, the change is made
    await page.evaluate("client.call('stock.put', {sku: 'tea', count: 7})")
    await shows(page, 7)


async def test_a_view_whose_session_is_gone_is_watched_anew(page, proxy, tmp_path):
    await shows(page, 3)
    other = STOCK.replace('"tea": 3', '"tea": 30')
    async with running(tmp_path / "second" / "plugs", "--workers", "1", stock=other) as second:
        proxy.target = second.port
        proxy.links[-1].arm(Cut())
        await shows(page, 30)


async def test_a_view_that_goes_ends_with_the_reason(page, server):
    await page.evaluate("globalThis.view = client.view('passing.number'), view.subscribe(() => {}), view.first()")
    (server.folder / "passing.py").unlink()
    await page.evaluate("until(() => view.status === 'error')")

    assert await page.evaluate("[view.error.code, view.value === undefined]") == ["gone", True]


async def test_a_view_that_is_not_there_says_so(page):
    failed = "client.view('stock.none').first().catch(({code}) => code)"
    assert await page.evaluate(failed) == "not_found"


async def test_the_first_value_can_be_awaited_or_given_up(page):
    assert (await page.evaluate("client.view('stock.all', {factor: 2}, {patch: false}).first()"))["tea"] == 6
    aborted = "settled(client.view('stock.all').first(AbortSignal.abort(new Error('no'))))"
    assert await page.evaluate(aborted) == ["error", "Error", "no"]


async def test_a_view_is_closed_when_nobody_looks_and_opened_again_for_the_next(page, server):
    await shows(page, 3)
    said = """async () => {
      stop();
      await new Promise((done) => setTimeout(done, 400));
      await client.call("stock.put", {sku: "tea", count: 11});
      const before = [view.value.tea, view.status];
      stop = view.subscribe(() => {});
      await until(() => view.value.tea === 11 && view.status === "live");
      return before;
    }"""
    assert await page.evaluate(said) == [3, "stale"]


async def test_who_closes_the_client_ends_the_view(page):
    await shows(page, 3)
    await page.evaluate("client.close()")
    assert await page.evaluate("[view.status, view.error.code, view.value.tea]") == ["error", "disconnected", 3]
