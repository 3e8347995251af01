"""What a server in development tells of its plugs, over HTTP."""

import asyncio
import json
import urllib.error
import urllib.request

import pytest

from support.server import running

pytestmark = pytest.mark.end_to_end

COUNT = "from plugsock import plug\n\n\n@plug\ndef count(upto: {type}) -> int:\n    return 1\n"

VITE = "http://localhost:5173"


async def got(server, path, **fields):
    """The status, the header fields and the content of a page."""

    def fetch():
        request = urllib.request.Request(f"http://127.0.0.1:{server.port}{path}", headers=fields)
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, answer.headers, answer.read().decode()
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.headers, refused.read().decode()

    return await asyncio.to_thread(fetch)


@pytest.mark.parametrize("workers", ["0", "2"])
async def test_what_is_told_is_what_is_served_now(tmp_path, workers):
    flags = ("--dev", "--workers", workers, "--allow-origin", VITE)
    async with running(tmp_path / "plugs", *flags, count=COUNT.format(type="int")) as server:
        _, _, types = await got(server, "/types.d.ts")
        assert "upto: number;" in types
        status, fields, text = await got(server, "/schema.json", Origin=VITE)
        document = json.loads(text)
        assert (status, fields["Access-Control-Allow-Origin"], fields["Vary"]) == (200, VITE, "Origin")
        assert document["properties"]["count"]["properties"]["payload"]["properties"]["upto"]["type"] == "integer"
        assert (await got(server, "/schema.json", **{"If-None-Match": fields["ETag"]}))[0] == 304
        assert (await got(server, "/schema.json", Origin="http://localhost:4000"))[0] == 403
        _, _, asyncapi = await got(server, "/asyncapi.json")
        assert json.loads(asyncapi)["servers"]["plugsock"]["host"] == f"127.0.0.1:{server.port}"

        server.save("count.py", COUNT.format(type="str"))
        await server.says(r"swapped.*count|count.*swapped")
        _, _, types = await got(server, "/types.d.ts")
        assert "upto: string;" in types
        _, _, text = await got(server, "/schema.json")
        assert json.loads(text)["x-plugsock"]["shapes"] != document["x-plugsock"]["shapes"]


async def test_without_dev_there_is_nothing(tmp_path):
    async with running(tmp_path / "plugs", "--workers", "1", count=COUNT.format(type="int")) as server:
        for path in ("/schema.json", "/asyncapi.json", "/types.d.ts"):
            assert (await got(server, path))[0] == 404
