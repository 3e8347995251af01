import re

import pytest

from plugsock.errors import PlugsockError
from plugsock.gateway.admin import Admin
from plugsock.ops.datadir import DataDirectory
from support.scripted import Stage


class Workers:
    """So many workers, which are replaced at once; none if there are no processes to replace."""

    def __init__(self, count):
        self.count = count

    async def reload(self):
        if not self.count:
            raise PlugsockError("the server runs inline: there are no workers to replace")
        return self.count


@pytest.fixture
async def reloaded(home, run_beside):
    """Have a server with so many workers reload."""
    stage = Stage()
    data = DataDirectory(home / ".plugsock")
    admin = Admin(stage.gateway, data, "ws://127.0.0.1:1", lambda: None, Workers(0))
    await admin.start()
    data.publish("ws://127.0.0.1:1", home / "plugs")

    async def reload(count):
        admin._workers.count = count
        return await run_beside("reload")

    yield reload
    await admin.close()
    data.close()


@pytest.mark.parametrize(("count", "said"), [(2, "2 workers replaced\n"), (1, "1 worker replaced\n")])
async def test_it_says_how_many_workers_were_replaced(reloaded, count, said):
    assert await reloaded(count) == (0, said, "")


async def test_where_there_are_no_workers_it_fails_with_one_line(reloaded):
    status, out, err = await reloaded(0)

    assert (status, out) == (1, "")
    assert err == "plugsock: the server refused: the server runs inline: there are no workers to replace\n"


def test_the_workers_of_a_server_are_other_processes_afterwards(serve, plugsock):
    serve("--workers", "2")
    before = {line.split("\t")[2] for line in plugsock("ps")[1].splitlines()}

    assert plugsock("reload") == (0, "2 workers replaced\n", "")

    after = {line.split("\t")[2] for line in plugsock("ps")[1].splitlines() if "\tready\t" in line}
    assert len(after) == 2
    assert not before & after


def test_an_inline_server_has_nothing_to_replace(serve, plugsock):
    serve("--workers", "0")

    status, out, err = plugsock("reload")

    assert (status, out) == (1, "")
    assert re.fullmatch(r"plugsock: the server refused: the server runs .*inline.*\n", err)
