"""What somebody who connects shows of themselves."""

import pytest

from plugsock.gateway.handshake import Request
from plugsock.gateway.showing import shown_by


def shown(token=None, origin="http://127.0.0.1", **headers):
    return shown_by(Request("/", origin, None, headers), "127.0.0.1:5", token)


def test_what_hello_says_goes_before_the_header():
    assert shown(authorization="Bearer abc").token == "abc"
    assert shown("own", authorization="Bearer abc").token == "own"


@pytest.mark.parametrize("field", ["", "Bearer", "Bearer ", "Basic abc", "abc"])
def test_other_authorization_is_no_token(field):
    assert shown(authorization=field).token is None


def test_the_name_of_the_scheme_is_compared_without_case():
    assert shown(authorization="bEARER abc").token == "abc"


def test_the_cookies_of_a_page_are_taken_apart():
    assert shown(cookie='a=1; b="x y"; bad; c={"d":[1]}; path=/; a=2; =e').cookies == {
        "a": "1", "b": "x y", "c": '{"d":[1]}', "path": "/", "": "e",
    }  # fmt: skip


def test_what_is_no_browser_has_no_cookies():
    assert shown(origin=None, cookie="a=1").cookies == {}


def test_address_and_origin_come_along():
    hello = shown()
    assert (hello.address, hello.origin) == ("127.0.0.1:5", "http://127.0.0.1")
