from plugsock import Raw


async def test_what_you_say_is_what_you_hear(c):
    assert await c.call("echo", {"any": ["thing", 1, None]}) == {"any": ["thing", 1, None]}


async def test_bytes_come_back_as_they_went(c):
    assert await c.call("echo", Raw(b"\x00\xff", "msgpack"), type=Raw) == b"\x00\xff"
