from plugsock.client.greeting import Greeting


async def ask():
    return "s3cret"


async def test_a_token_may_be_a_value_or_come_from_a_function_of_either_kind():
    for token in ("s3cret", lambda: "s3cret", ask):
        assert await Greeting("json", token).show() == "s3cret"


async def test_nobody_has_no_token():
    for token in (None, lambda: None):
        assert await Greeting("json", token).show() is None


def test_a_first_hello_says_no_more_than_it_must():
    assert Greeting("msgpack").hello(None, {}) == {"v": 1, "format": "msgpack"}


def test_a_hello_says_who_comes_back_and_what_is_wanted():
    greeting = Greeting("json", mock=["orders.*"], shapes="5d41402abc4b")

    assert greeting.hello("s3cret", {"resume": "k"}) == {
        "v": 1,
        "format": "json",
        "token": "s3cret",
        "mock": ["orders.*"],
        "shapes": "5d41402abc4b",
        "resume": "k",
    }
