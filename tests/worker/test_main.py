import asyncio
import signal
import sys
from contextlib import asynccontextmanager

import pytest

from plugsock import __version__
from plugsock.rpc import page as pages
from plugsock.rpc.join import Turned
from plugsock.worker.joining import join_gateway
from plugsock.worker.main import DONE, FAILED, run, serve
from support.front import front

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the door is a Unix socket, and there are signals")

GREET = """
    from plugsock import on_unload, plug

    @plug
    async def greet(name: str) -> str:
        return f"Hello, {name}!"

    @on_unload
    def bye():
        print("unloaded", flush=True)
"""


@asynccontextmanager
async def working(folder, *, settings=None, variables=None, **files):
    """A worker in a process of its own that has loaded its plugs."""
    async with front(folder, **files) as gateway:
        gateway.settings = settings or {}
        process = await gateway.process(key="the key", **(variables or {}))
        try:
            await gateway.loaded()
            yield gateway, process
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()
            process._transport.close()


async def ended(process):
    """How a process has ended, and what it had to say."""
    stdout, stderr = await process.communicate()
    return process.returncode, stdout.decode(), stderr.decode()


@asynccontextmanager
async def serving(tmp_path):
    """The same in this very process, as far as that goes."""
    async with front(tmp_path / "plugs", greet=GREET) as gateway:
        connection, welcome = await asyncio.to_thread(join_gateway, gateway.door.address, "", version=__version__)
        task = asyncio.get_running_loop().create_task(serve(connection, welcome))
        await gateway.loaded()
        yield gateway, task


async def test_it_runs_plugs_until_the_gateway_says_stop(tmp_path, capsys):
    async with serving(tmp_path) as (gateway, task):
        assert (await gateway.call("greet", '{"name":"Ada"}')).value == "Hello, Ada!"
        gateway.link.stop()

        assert await task == DONE
        assert capsys.readouterr().out == "unloaded\n"


async def test_without_a_gateway_it_ends_at_once(tmp_path, capsys):
    async with serving(tmp_path) as (gateway, task):
        gateway.link.close()

        assert await task == FAILED
        assert capsys.readouterr().out == ""


async def test_it_marks_on_the_page_what_it_has_begun(tmp_path):
    async with serving(tmp_path) as (gateway, task):
        answer = await gateway.call("greet", '{"name":"Ada"}')

        assert gateway.page.view[pages.STARTED] == answer.sequence
        assert pages.running(gateway.page.view) == set()
        gateway.link.stop()
        await task


async def test_in_a_process_of_its_own_it_ends_with_status_0_when_it_is_told_to_stop(tmp_path):
    async with working(tmp_path / "plugs", greet=GREET) as (gateway, process):
        gateway.link.stop()
        status, out, err = await ended(process)

        assert (status, out, err) == (0, "unloaded\n", "")


async def test_it_says_who_it_is(tmp_path):
    async with working(tmp_path / "plugs", greet=GREET) as (gateway, process):
        (said,) = gateway.registered

        assert (said.plugsock, said.pid, said.key) == (__version__, process.pid, "the key")


async def test_in_a_process_of_its_own_it_ends_when_the_gateway_has_gone(tmp_path):
    async with working(tmp_path / "plugs", greet=GREET) as (gateway, process):
        gateway.link.close()

        assert (await ended(process))[0] == FAILED


async def test_what_plugs_have_started_does_not_keep_it_from_ending(tmp_path):
    forever = """
        import asyncio, threading, time
        from plugsock import on_load, plug

        @on_load
        async def start():
            threading.Thread(target=time.sleep, args=(3600,)).start()
            asyncio.get_running_loop().run_in_executor(None, time.sleep, 3600)

        @plug
        async def ready(): ...
    """
    async with working(tmp_path / "plugs", forever=forever) as (gateway, process):
        gateway.link.stop()

        assert (await ended(process))[0] == 0


async def test_asked_to_end_it_tells_the_gateway_and_goes_on(tmp_path):
    async with working(tmp_path / "plugs", greet=GREET) as (gateway, process):
        process.send_signal(signal.SIGTERM)
        await gateway.owner.until(lambda: gateway.owner.left)

        assert (await gateway.call("greet", '{"name":"Ada"}')).ok


@pytest.mark.fault("S20")
async def test_ctrl_c_is_the_gateways_business(tmp_path):
    async with working(tmp_path / "plugs", greet=GREET) as (gateway, process):
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        await gateway.owner.until(lambda: gateway.owner.left)

        assert (await gateway.call("greet", '{"name":"Ada"}')).ok
        gateway.link.stop()
        assert (await ended(process))[2] == ""


SEEN = """
    import os
    import signal
    from plugsock import plug

    @plug
    async def variable(name: str) -> str | None:
        return os.environ.get(name)

    @plug
    async def library() -> str:
        import shelf
        return shelf.NAME

    @plug
    async def child() -> bool:
        return signal.getsignal(signal.SIGINT) == signal.SIG_IGN
"""


async def test_plugs_find_the_folders_variables_and_libraries_but_not_the_key(tmp_path):
    folder = tmp_path / "plugs"
    async with front(folder, seen=SEEN) as gateway:
        (folder / ".env").write_text("GREETING=hello\n")
        (folder / "site-packages").mkdir()
        (folder / "site-packages" / "shelf.py").write_text("NAME = 'shelf'\n")
        process = await gateway.process(key="the key")
        await gateway.loaded()

        assert (await gateway.call("seen.variable", '{"name":"GREETING"}')).value == "hello"
        assert (await gateway.call("seen.variable", '{"name":"PLUGSOCK_WORKER_KEY"}')).value is None
        assert (await gateway.call("seen.library")).value == "shelf"
        assert (await gateway.call("seen.child")).value is False
        gateway.link.stop()
        await ended(process)


async def test_a_change_that_only_a_new_process_can_take_over_is_told(tmp_path):
    async with working(tmp_path / "plugs", greet=GREET) as (gateway, _process):
        (tmp_path / "plugs" / ".env").write_text("GREETING=hello\n")
        await gateway.owner.until(lambda: gateway.owner.reasons)

        assert gateway.owner.reasons == [".env has changed"]


async def test_each_line_of_its_log_names_it(tmp_path):
    source = "import logging\nfrom plugsock import plug\n@plug\nasync def say():\n    logging.warning('hello')\n"
    async with working(tmp_path / "plugs", settings={"log_format": "json"}, loud=source) as (gateway, process):
        await gateway.call("loud.say")
        gateway.link.stop()

        assert '"msg": "hello", "logger": "root", "worker": 3}' in (await ended(process))[2]


async def test_what_an_unload_raises_is_logged(tmp_path):
    source = "from plugsock import on_unload, plug\n@plug\nasync def say(): ...\n@on_unload\ndef bye():\n    1 / 0\n"
    async with working(tmp_path / "plugs", loud=source) as (gateway, process):
        gateway.link.stop()

        assert "division by zero" in (await ended(process))[2]


async def test_a_worker_that_is_turned_away_says_why_and_ends(tmp_path):
    async with front(tmp_path / "plugs") as gateway:
        gateway.answer = Turned("Nobody has started you.")
        process = await gateway.process()

        assert await ended(process) == (FAILED, "", "plugsock worker: Nobody has started you.\n")


def test_where_no_server_is_it_says_so_and_ends(tmp_path, capsys):
    before = signal.getsignal(signal.SIGINT)
    try:
        assert run(str(tmp_path / "workers"), "", version="1.0") == FAILED
    finally:
        signal.signal(signal.SIGINT, before)

    assert capsys.readouterr().err.startswith("plugsock worker: no server lets workers in at ")


async def test_a_worker_of_another_version_says_so_and_ends(tmp_path):
    async with front(tmp_path / "plugs") as gateway:
        gateway.door._plugsock = "9.9"
        process = await gateway.process()
        status, _, err = await ended(process)

        assert status == FAILED
        assert f"The server is plugsock 9.9 (rpc 1), the worker is plugsock {__version__} (rpc 1)" in err
