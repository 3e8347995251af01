import json

from websockets.sync.client import connect

from plugsock.shapes.schema import DIALECT
from support.folder_shapes import fits


def test_it_prints_the_schema_of_the_folder_and_of_the_default_plugs(plugsock):
    status, out, err = plugsock("schema")

    schema = json.loads(out)
    assert (status, err, schema["$schema"]) == (0, "", DIALECT)
    assert {"greet", "greet.count", "math.add"} <= set(schema["properties"])
    assert fits(schema, "/properties/greet/properties/payload", {"name": "Ada", "times": 2})
    assert not fits(schema, "/properties/greet/properties/payload", {"name": 3})


def test_only_the_events_that_are_named_are_shown(plugsock):
    status, out, _ = plugsock("schema", "greet", "chat.send")

    schema = json.loads(out)
    assert (status, list(schema["properties"]), list(schema["$defs"])) == (0, ["chat.send", "greet"], ["Message"])
    assert schema["x-plugsock"]["shapes"] == json.loads(plugsock("schema")[1])["x-plugsock"]["shapes"]


def test_the_hash_is_the_one_that_the_server_says(server, plugsock):
    out = plugsock("schema")[1]

    with connect(server.url) as socket:
        socket.send('hello 1 plugsock {"v":1}')
        welcome = json.loads(socket.recv(timeout=10).split(" ", 2)[2])
    assert json.loads(out)["x-plugsock"]["shapes"] == welcome["shapes"]


def test_asyncapi_says_where_the_server_is(home, plugsock):
    (home / "plugsock.toml").write_text("port = 9000\n")

    status, out, err = plugsock("schema", "--format", "asyncapi", "greet")

    document = json.loads(out)
    assert (status, err, document["asyncapi"]) == (0, "", "3.0.0")
    assert document["servers"]["plugsock"] == {"host": "127.0.0.1:9000", "protocol": "ws"}
    assert list(document["channels"]) == ["greet"]


def test_a_broken_file_is_said_and_the_rest_is_shown(home, plugsock):
    (home / "plugs" / "broken.py").write_text("x = (\n")

    status, out, err = plugsock("schema")

    assert status == 1
    assert err.startswith("plugs/broken.py:1: ")
    assert "greet" in json.loads(out)["properties"]
    assert plugsock("schema", "greet")[0] == 0


def test_an_event_that_has_no_schema_is_a_problem_at_its_line(home, plugsock):
    text = "import msgspec\nfrom plugsock import plug\n\n\nclass Odd(msgspec.Struct):\n"
    text += '    it: msgspec.Raw = msgspec.Raw(b"1")\n\n\n@plug\ndef odd(it: Odd): ...\n'
    (home / "plugs" / "odd.py").write_text(text)

    status, out, err = plugsock("schema", "odd", "greet")

    assert status == 1
    assert err.startswith("plugs/odd.py:10: `odd` can't be described as JSON Schema: ")
    assert list(json.loads(out)["properties"]) == ["greet"]


def test_what_plugs_print_is_not_taken_for_the_schema(home, plugsock):
    (home / "plugs" / "loud.py").write_text('print("hello")\n')

    status, out, err = plugsock("schema")

    assert status == 0
    assert "greet" in json.loads(out)["properties"]
    assert err == "hello\n"


def test_an_event_that_is_not_there_is_said(plugsock):
    status, out, err = plugsock("schema", "nosuch")

    assert (status, json.loads(out)["properties"]) == (1, {})
    assert err == "plugsock: nosuch: no plug in plugs answers this event\n"
