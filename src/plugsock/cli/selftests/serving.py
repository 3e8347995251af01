"""A server of its own, in a folder of its own: it starts, a plug answers, another is saved and swapped, it stops."""

import asyncio
import re
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from plugsock.cli import saving
from plugsock.cli.selftests.findings import Finding
from plugsock.client import Client, connect
from plugsock.errors import Error, PlugsockError
from plugsock.frozen import executable

LIMIT_S: Final = 30.0
"""For all of it, which takes one second; so much is for slow machines that do other things too."""

LOOK_S: Final = 0.02
"""Between two looks whether what was saved is served."""

SAID: Final = {"is": ["anybody", "there"]}

PLUG: Final = """\
from plugsock import plug

@plug
async def selftest() -> int:
    return {version}
"""


class _Unexpected(Exception):
    pass


def check() -> Finding:
    """Do all of it; a problem names the step that failed, and what the server had to say."""
    done: list[str] = []
    with tempfile.TemporaryDirectory(prefix="plugsock-selftest-", ignore_cleanup_errors=True) as folder:
        plugs = Path(folder, "plugs")
        plugs.mkdir()
        try:
            asyncio.run(_within_limit(plugs, done))
        except (_Unexpected, PlugsockError, Error, OSError) as wrong:
            after = f"after `{done[-1]}`" if done else "at its beginning"
            return Finding("server", ", ".join(done), [f"{after}: {wrong}"])
    return Finding("server", ", ".join(done))


async def _within_limit(plugs: Path, done: list[str]) -> None:
    try:
        async with asyncio.timeout(LIMIT_S):
            await _try(plugs, done)
    except TimeoutError:
        raise _Unexpected(f"nothing has happened within {LIMIT_S:g} s") from None


async def _try(plugs: Path, done: list[str]) -> None:
    async with _server(plugs) as (process, url):
        done.append("starts")
        async with connect(url, reconnect=False) as client:
            if (answer := await client.call("echo", SAID)) != SAID:
                raise _Unexpected(f"echo has answered {answer!r}")
            done.append("answers")
            for version, step in enumerate(("serves what is saved", "swaps it"), 1):
                saving.replace(plugs / "selftest.py", PLUG.format(version=version))
                await _until(version, client)
                done.append(step)
        process.terminate()
        status = await process.wait()
        if status and sys.platform != "win32":  # where it means to kill
            raise _Unexpected(f"it has stopped with status {status}")
        done.append("stops")


@asynccontextmanager
async def _server(plugs: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """A server that runs, and where it listens; it is ended in the end, whatever happened."""
    variables = {name: value for name, value in executable.environment().items() if not name.startswith("PLUGSOCK_")}
    with tempfile.TemporaryFile() as errors:
        process = await asyncio.create_subprocess_exec(
            *(*executable.command(), "serve", "--plugs", str(plugs), "--port", "0", "--workers", "1"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=variables,
        )
        try:
            yield process, await _address(process)
        except (_Unexpected, TimeoutError, PlugsockError, Error) as wrong:
            errors.seek(0)
            said = " ".join(errors.read().decode(errors="replace").split())
            raise _Unexpected(f"{wrong or type(wrong).__name__}; the server says: {said or 'nothing'}") from wrong
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def _address(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    while line := await process.stdout.readline():
        if found := re.search(r"listens on (\S+)", line.decode(errors="replace")):
            return found[1]
    raise _Unexpected(f"it has ended with status {await process.wait()}")


async def _until(version: int, client: Client) -> None:
    while await _answer(client) != version:  # noqa: ASYNC110 - a client is not told of swaps
        await asyncio.sleep(LOOK_S)


async def _answer(client: Client) -> Any:
    try:
        return await client.call("selftest")
    except Error as wrong:
        if wrong.code != "not_found":  # it is not there yet
            raise
    return None
