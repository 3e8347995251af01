import json

import pytest

from plugsock.cli.ps import HEADER
from plugsock.gateway.admin import Admin
from plugsock.ops.datadir import DataDirectory
from support.scripted import Stage, row


def columns(out):
    return [dict(zip(HEADER, line.split("\t"), strict=True)) for line in out.splitlines()]


class Workers:
    """What a server knows of its workers when much has happened to them."""

    def rows(self):
        return [
            row(1, share=0.672, calls=3, lag_s=0.00312, memory=57 << 20, restarts=2, lost_threads=1),
            row(4, set="reports", state="draining", share=0, revision="", threads=2),
        ]


@pytest.fixture
async def reported(home):
    """The admin socket of a server with such workers."""
    stage = Stage()
    data = DataDirectory(home / ".plugsock")
    admin = Admin(stage.gateway, data, "ws://127.0.0.1:1", lambda: None, Workers())
    await admin.start()
    data.publish("ws://127.0.0.1:1", home / "plugs")
    yield
    await admin.close()
    data.close()


async def test_each_worker_is_a_line(reported, run_beside):
    status, out, err = await run_beside("ps")

    assert (status, err) == (0, "")
    assert columns(out) == [
        {
            "worker": "1",
            "set": "-",
            "pid": "4712",
            "state": "ready",
            "share": "67%",
            "calls": "3",
            "places": "100+6",
            "lost": "1",
            "revision": "5e0c1a22",
            "lag": "3.1 ms",
            "memory": "57 MiB",
            "restarts": "2",
        },
        {
            "worker": "4",
            "set": "reports",
            "pid": "4715",
            "state": "draining",
            "share": "0%",
            "calls": "0",
            "places": "100+2",
            "lost": "0",
            "revision": "-",
            "lag": "0.4 ms",
            "memory": "41 MiB",
            "restarts": "0",
        },
    ]


async def test_for_people_it_is_a_table(reported, run_beside):
    out = (await run_beside("ps", "--color", "always", NO_COLOR="1"))[1]

    assert all(title in out.splitlines()[1] for title in ("worker", "state", "places"))
    assert "reports" in out


async def test_for_machines_it_is_one_json_document_with_exact_numbers(reported, run_beside):
    first, second = json.loads((await run_beside("ps", "--format", "json"))[1])

    assert (first["share"], first["lag_s"], first["memory"]) == (0.672, 0.00312, 57 << 20)
    assert (second["set"], second["state"], second["served"]) == ("reports", "draining", 10)


def test_a_server_shows_what_runs_its_plugs(home, server, plugsock):
    status, out, err = plugsock("ps")

    assert (status, err) == (0, "")
    assert columns(out)
    assert all(line["pid"].isdigit() and line["state"] for line in columns(out))


def test_without_a_server_it_says_so(plugsock):
    status, out, err = plugsock("ps")

    assert (status, out, err.count("\n")) == (1, "", 1)
    assert "no server runs" in err
