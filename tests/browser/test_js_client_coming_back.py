"""The JavaScript client behind a network that is cut: it comes back by itself, and every promise settles."""

import asyncio
import signal

import pytest
import pytest_asyncio

from support.cutting import Cut
from support.js_client import is_open, open_client
from support.server import running

WORK = '''import asyncio
from collections.abc import AsyncIterator
from collections import defaultdict
from pathlib import Path
from plugsock import Socket, plug

RUNS = Path(__file__).parent.parent / "runs"
may_end = defaultdict(asyncio.Event)

def note(token: str) -> None:
    with RUNS.open("a") as runs:
        runs.write(f"{token}\\n")

@plug
async def at_once(token: str) -> str:
    """Work that is done at once."""
    note(token)
    return token

@plug
async def held(token: str) -> str:
    """Work that lasts until it may end."""
    note(token)
    try:
        await may_end[token].wait()
    except asyncio.CancelledError:
        note(f"{token}-cancelled")
        raise
    return token

@plug
async def let_end(token: str) -> None:
    """Let held work end."""
    may_end[token].set()

@plug
async def count() -> AsyncIterator[int]:
    """Count slowly."""
    for number in range(100):
        yield number
        await asyncio.sleep(0.05)

@plug
async def leave(socket: Socket) -> None:
    """Throw the caller out."""
    socket.kick(reason="Enough.")

@plug
async def send_back(socket: Socket, code: int) -> None:
    """Close the caller's connection with a code."""
    socket.kick(code=code)
'''

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def server(tmp_path_factory):
    async with running(tmp_path_factory.mktemp("work") / "plugs", "--workers", "1", work=WORK) as started:
        yield started


@pytest_asyncio.fixture(loop_scope="module")
async def page(page, proxy):
    await open_client(page, proxy.port)
    await is_open(page)
    return page


def runs(server):
    path = server.folder.parent / "runs"
    return path.read_text().split() if path.exists() else []


def cut(proxy, **how):
    proxy.links[-1].arm(Cut(**how))


async def came_back(page, times=1):
    await page.evaluate(f"until(() => states.filter(([state]) => state === 'open').length === {times} + 1)")


async def has_begun(page, server, token):
    """Wait until something has begun, which is seen in a file."""
    async with asyncio.timeout(15):
        while token not in runs(server):
            await page.evaluate("new Promise((done) => setTimeout(done, 10))")


async def test_a_call_that_runs_while_the_connection_goes_gets_its_one_answer(page, server, proxy):
    await page.evaluate("globalThis.call = settled(client.call('work.held', {token: 'a'})), 0")
    await has_begun(page, server, "a")
    cut(proxy)
    await came_back(page)
    await page.evaluate("client.call('work.let_end', {token: 'a'})")

    assert await page.evaluate("call") == ["ok", "a"]
    assert runs(server).count("a") == 1
    assert [state for state, *_ in await page.evaluate("states")] == ["open", "waiting", "connecting", "open"]


async def test_a_call_that_was_not_received_is_sent_again(page, server, proxy):
    cut(proxy, up=1, far="fin")
    assert await page.evaluate("settled(client.call('work.at_once', {token: 'b'}))") == ["ok", "b"]
    assert runs(server).count("b") == 1
    await came_back(page)


async def test_an_answer_that_was_lost_comes_again(page, server, proxy):
    cut(proxy, up=None, down=1)
    assert await page.evaluate("settled(client.call('work.at_once', {token: 'c'}))") == ["ok", "c"]
    assert runs(server).count("c") == 1


@pytest.mark.parametrize("near", ["fin", "rst"])
async def test_of_many_calls_cut_anywhere_each_settles_and_none_runs_twice(page, server, proxy, near):
    outcomes = []
    for up, down in ((500, None), (None, 500), (1, None), (2000, 900), (None, 1), (None, 3000)):
        cut(proxy, up=up, down=down, near=near)
        begun = len(outcomes)
        outcomes += await page.evaluate(
            f"""Promise.all(Array.from({{length: 60}}, (_, n) =>
              settled(client.call('work.at_once', {{token: `{near}${{n + {begun}}}`}}))))"""
        )
        await page.evaluate("until(() => client.state === 'open')")

    ran = [token for token in runs(server) if token.startswith(near)]
    assert len(set(ran)) == len(ran)
    for n, (how, what, *_) in enumerate(outcomes):
        assert (how, what) in {("ok", f"{near}{n}"), ("error", "unknown_outcome")}
        assert how == "error" or f"{near}{n}" in ran
    assert sum(how == "ok" for how, *_ in outcomes) > 300


async def test_a_stream_that_loses_its_connection_ends_and_is_not_begun_anew(page, proxy):
    said = """async () => {
      globalThis.seen = [];
      for await (const number of client.stream("work.count")) seen.push(number);
    }"""
    await page.evaluate(f"globalThis.loop = settled(({said})()), 0")
    await page.evaluate("until(() => seen.length > 2)")
    cut(proxy)

    assert (await page.evaluate("loop"))[:2] == ["error", "unknown_outcome"]
    seen = await page.evaluate("seen")
    assert seen == list(range(len(seen)))


async def test_what_is_aborted_while_there_is_no_connection_is_ended_when_there_is_one(page, server, proxy):
    said = """async () => {
      globalThis.controller = new AbortController();
      globalThis.call = settled(client.call("work.held", {token: "d"}, {signal: controller.signal}));
      client.onState((state) => { if (state === "waiting") controller.abort(new Error("gone")); });
    }"""
    await page.evaluate(said)
    await has_begun(page, server, "d")
    cut(proxy)

    assert await page.evaluate("call") == ["error", "Error", "gone"]
    await came_back(page)
    await has_begun(page, server, "d-cancelled")


async def test_what_is_called_while_there_is_no_connection_waits_for_it_or_for_its_time_limit(page, proxy):
    proxy.target, target = 1, proxy.target  # where nobody listens
    cut(proxy)
    await page.evaluate("until(() => client.state === 'waiting')")
    late = "client.call('math.add', {a: 1, b: 1}, {timeout: 0.05}).catch(({code, retry}) => [code, retry])"
    assert await page.evaluate(late) == ["timeout", True]
    await page.evaluate("globalThis.call = settled(client.call('math.add', {a: 1, b: 1})), 0")
    proxy.target = target

    assert await page.evaluate("call") == ["ok", 2]


async def test_close_codes_of_plugs_say_whether_it_comes_back(page):
    await page.evaluate("settled(client.call('work.send_back', {code: 4242})), 0")
    await came_back(page)
    assert ["waiting", 4242] in await page.evaluate("states")


async def test_who_is_thrown_out_stays_away_and_everything_is_rejected(page):
    said = """async () => {
      const held = settled(client.call("work.held", {token: "f"}));
      const left = settled(client.call("work.leave"));
      await until(() => client.state === "closed");
      return [(await held).slice(0, 2), (await settled(client.call("echo")))[2], states.at(-1)];
    }"""
    assert await page.evaluate(said) == [["error", "disconnected"], "Enough.", ["closed", 4502]]


async def test_of_a_call_whose_session_is_gone_nobody_knows(page, server, proxy, tmp_path):
    async with running(tmp_path / "second" / "plugs", "--workers", "1", work=WORK) as second:
        await page.evaluate("globalThis.call = settled(client.call('work.held', {token: 'g'})), 0")
        await has_begun(page, server, "g")
        proxy.target = second.port
        cut(proxy)

        assert (await page.evaluate("call"))[:2] == ["error", "unknown_outcome"]
        assert await page.evaluate("client.call('math.add', {a: 1, b: 1})") == 2


async def test_a_server_that_says_goodbye_is_come_back_to_in_its_slot(page, server, proxy, tmp_path):
    async with running(tmp_path / "first" / "plugs", "--workers", "1", "--drain", "1", work=WORK) as first:
        proxy.target = first.port
        await open_client(page, proxy.port)
        await is_open(page)
        await page.evaluate(
            """client.onNotice((name, data) => { if (name === "goodbye") globalThis.slot = data.retry_ms; }),
            client.onState((state, why) => { if (state === "waiting") globalThis.waited ??= why.retryMs; }),
            globalThis.call = settled(client.call('work.held', {token: 'h'})), 0"""
        )
        await has_begun(page, first, "h")
        first.send(signal.SIGTERM)
        await page.evaluate("until(() => globalThis.slot)")
        # what is asked now is not refused: it waits for the next connection
        await page.evaluate("globalThis.next = settled(client.call('work.at_once', {token: 'i'})), 0")
        proxy.target = server.port
        await first.end()

        assert await page.evaluate("next") == ["ok", "i"]
        assert await page.evaluate("globalThis.waited === globalThis.slot")
        assert (await page.evaluate("call"))[0] == "error"
