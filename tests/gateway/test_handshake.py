import re
import sys
import time
from base64 import b64encode
from hashlib import sha1

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugsock.gateway.access import Access
from plugsock.gateway.handshake import SUBPROTOCOL, Accepted, Handshake, Refused
from plugsock.gateway.head import MAX_FIELDS
from support.wires import KEY, upgrade

PORT = 8765


def handshake(*, secure=False, hosts=(), origins=(), compression=False, ready=True, host="127.0.0.1"):
    access = Access(host, secure=secure, allow_host=hosts, allow_origin=origins)
    return Handshake(access, ready=lambda: ready, compression=compression)


def status(request, **rules):
    """Answer a request and return the status; every refusal ends its connection."""
    answer = handshake(**rules).answer(request)
    found = int(answer.response.split(b" ", 2)[1])
    if isinstance(answer, Refused):
        assert found == answer.status
        assert b"\r\nConnection: close\r\n" in answer.response
        assert b"\r\nX-Content-Type-Options: nosniff\r\n" in answer.response
    return found


def asked(**fields):
    return upgrade(PORT, **fields)


def test_an_upgrade_is_accepted_with_the_right_key():
    answer = handshake().answer(asked())
    digest = b64encode(sha1(f"{KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest())
    assert answer.response.startswith(b"HTTP/1.1 101 ")
    assert b"Sec-WebSocket-Accept: " + digest + b"\r\n" in answer.response
    assert b"Sec-WebSocket-Protocol" not in answer.response


def test_what_is_kept_of_the_request():
    answer = handshake(origins=["https://app.example"]).answer(
        asked(target="/room?x=1", origin="https://app.example", sec_websocket_protocol=SUBPROTOCOL)
    )
    assert (answer.request.target, answer.request.origin, answer.request.subprotocol) == (
        "/room?x=1",
        "https://app.example",
        SUBPROTOCOL,
    )


@pytest.mark.parametrize(
    ("offered", "selected"),
    [("plugsock.v1", True), ("other, plugsock.v1", True), (["other", "plugsock.v1"], True), ("other", False)],
)
def test_our_subprotocol_is_selected_where_it_is_offered(offered, selected):
    answer = handshake().answer(asked(sec_websocket_protocol=offered))
    assert isinstance(answer, Accepted)
    assert (b"Sec-WebSocket-Protocol: plugsock.v1\r\n" in answer.response) is selected


def test_one_client_does_not_inherit_from_the_one_before():
    both = handshake(compression=True)
    first = both.answer(asked(sec_websocket_protocol=SUBPROTOCOL, sec_websocket_extensions="permessage-deflate"))
    second = both.answer(asked())
    assert (first.request.subprotocol, second.request.subprotocol) == (SUBPROTOCOL, None)
    assert first.deflate is not None
    assert second.deflate is None


@pytest.mark.parametrize("connection", ["keep-alive, Upgrade", "upgrade", ["keep-alive", "Upgrade"]])
def test_connection_may_say_more_than_upgrade(connection):
    assert status(asked(connection=connection)) == 101


# Pages.


@pytest.mark.parametrize(("ready", "expected"), [(True, 200), (False, 503)])
def test_healthz_says_whether_the_server_is_ready(ready, expected):
    request = asked(target="/healthz", without=("upgrade", "connection"))
    answer = handshake(ready=ready).answer(request)
    assert answer.status == expected
    assert answer.response.endswith(b"\r\n\r\nok\n") is ready


def test_a_refusal_names_the_host_and_origin_that_were_sent_for_the_log():
    answer = handshake().answer(asked(host="evil.example", origin="https://evil.example"))
    assert answer.about == {"host": f"evil.example:{PORT}", "origin": "https://evil.example"}


def test_nobody_connects_before_the_plugs_are_loaded():
    answer = handshake(ready=False).answer(asked())
    assert answer.status == 503
    assert b"\r\nRetry-After: 1\r\n" in answer.response


def test_head_gets_the_same_head_and_no_body():
    answer = handshake().answer(asked(method="HEAD", target="/healthz", without=("upgrade", "connection")))
    assert answer.status == 200
    assert b"Content-Length: 3\r\n" in answer.response
    assert answer.response.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("target", ["/", "/?x"])
def test_a_browser_at_the_root_is_told_to_upgrade(target):
    answer = handshake().answer(asked(target=target, without=("upgrade", "connection")))
    assert answer.status == 426
    assert b"\r\nUpgrade: websocket\r\n" in answer.response


@pytest.mark.fault("H13")
@pytest.mark.parametrize(
    "target",
    ["/..%2f..%2fetc/passwd", "//", "//etc/passwd", "/..\\..\\etc", "/healthz/", "/healthz%00", "/a/../healthz"],
)
def test_strange_paths_find_nothing_and_open_nothing(target):
    opened = []
    active = True
    sys.addaudithook(lambda event, arguments: active and event == "open" and opened.append(arguments))
    try:
        assert status(asked(target=target, without=("upgrade", "connection"))) == 404
    finally:
        active = False
    assert opened == []


@pytest.mark.parametrize("upgrade_to", ["h2c", "TLS/1.0"])
def test_an_upgrade_to_something_else_gets_the_page(upgrade_to):
    assert status(asked(upgrade=upgrade_to, target="/healthz")) == 200


# What HTTP allows and a WebSocket server must not.


@pytest.mark.fault("H3")
@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (asked(target="/" + "x" * 65_536), 414),
        (asked(x_long="x" * 65_536), 431),
        (asked(x_long="x" * 9_000), 431),
        (asked(x_many=["x"] * 300), 431),
        (asked(x_many=["x"] * (MAX_FIELDS - 5)), 101),
    ],
)
def test_large_heads_are_refused(request_, expected):
    assert status(request_) == expected


@pytest.mark.fault("H4")
@pytest.mark.parametrize(
    "key", ["", "dGhlIHNhbXBsZQ==", "not base64 at all!!!!!!=", "x" * 1_000, [KEY, KEY], "\xe9" * 24]
)
def test_a_bad_key_is_refused(key):
    assert status(asked(sec_websocket_key=key)) == 400


@pytest.mark.fault("H4")
def test_a_missing_key_is_refused():
    assert status(asked(without=("sec-websocket-key",))) == 400


@pytest.mark.fault("H5")
@pytest.mark.parametrize("version", ["12", "8", "14", "", "13, 8", "x"])
def test_another_version_is_told_ours(version):
    answer = handshake().answer(asked(sec_websocket_version=version))
    assert answer.status == 426
    assert b"\r\nSec-WebSocket-Version: 13\r\n" in answer.response


@pytest.mark.fault("H5")
@pytest.mark.parametrize("fields", [{"without": ("sec-websocket-version",)}, {"sec_websocket_version": ["13", "13"]}])
def test_a_missing_or_doubled_version_is_refused(fields):
    assert status(asked(**fields)) == 400


@pytest.mark.fault("H6")
@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (asked(version="HTTP/1.0"), 505),
        (asked(version="HTTP/2.0"), 505),
        (asked(version="HTTP/1.1x"), 400),
        (asked(version="HTTP/0.9"), 505),
        (asked(method="POST"), 405),
        (asked(method="OPTIONS", target="*"), 405),
        (asked(method="get"), 405),
        (asked(method="HEAD"), 405),
        (asked(method="G\xc9T"), 400),
        (asked(content_length="5"), 400),
        (asked(content_length="-0"), 400),
        (asked(content_length=["0", "5"]), 400),
        (asked(content_length="0"), 101),
        (asked(transfer_encoding="chunked"), 400),
        (asked(transfer_encoding="chunked", content_length="0"), 400),
        (asked(target="http://127.0.0.1:8765/"), 400),
        (asked(target="*"), 400),
        (asked(without=("connection",)), 426),
        (asked(connection="close"), 426),
        (asked(connection='"'), 400),
        (asked(upgrade="websocket, h2c"), 426),
        (b"GET /  HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost : 127.0.0.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n folded: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n: x\r\n\r\n", 400),
        (b"\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\r\n\r\n", 400),
    ],
)
def test_requests_that_two_readers_could_understand_differently(request_, expected):
    assert status(request_) == expected


@pytest.mark.fault("H12")
@pytest.mark.parametrize("junk", ["\r", "\n", "\0", "\x1b[31m", "\x7f", "\x08"])
@pytest.mark.parametrize("place", ["target", "value", "name"])
def test_control_characters_anywhere_are_refused(junk, place):
    request = {
        "target": asked(target=f"/a{junk}b"),
        "value": asked(x_value=f"a{junk}b"),
        "name": asked(**{f"x{junk}y": "z"}),
    }[place]
    assert status(request) == 400


@pytest.mark.fault("H12")
@pytest.mark.parametrize("target", ["/\xe9", "/a b", "/\t"])
def test_targets_are_plain_ascii(target):
    assert status(asked(target=target)) == 400


# Which pages may use this server.


@pytest.mark.fault("H8", "A18")
@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "null",
        "http://127.0.0.1:8765.evil.example",
        "http://evil127.0.0.1:8765",
        "https://127.0.0.1:8765",
        "http://127.0.0.1:8766",
        "http://127.0.0.1",
        "http://localhost:8765",
        "ws://127.0.0.1:8765",
        "127.0.0.1:8765",
        ["http://127.0.0.1:8765", "http://127.0.0.1:8765"],
        ["http://127.0.0.1:8765", "http://evil.example"],
    ],
)
def test_foreign_origins_are_refused(origin):
    assert status(asked(origin=origin)) == 403


@pytest.mark.fault("H8")
def test_the_servers_own_origin_may_connect():
    assert status(asked(origin="http://127.0.0.1:8765")) == 101
    assert status(asked(origin="https://127.0.0.1:8765"), secure=True) == 101
    assert status(asked(origin="HTTP://LocalHost:8765", host="localhost")) == 101


def test_default_ports_may_be_left_out():
    request = asked(origin="http://127.0.0.1").replace(b"127.0.0.1:8765", b"127.0.0.1:80")
    assert status(request) == 101


@pytest.mark.parametrize("listed", ["https://app.example", "https://APP.example/", "*"])
def test_listed_origins_may_connect(listed):
    assert status(asked(origin="https://app.example"), origins=[listed]) == 101


@pytest.mark.fault("H8")
@pytest.mark.parametrize("listed", ["https://app.example:444", "http://app.example", "app.example"])
def test_listing_one_origin_allows_no_other(listed):
    assert status(asked(origin="https://app.example"), origins=[listed]) == 403


@pytest.mark.fault("H9")
@pytest.mark.parametrize(
    "origin", ["http://[", "http://", "", "http://[::1", "http://a:b", "http://a:99999999", "\xff", "//"]
)
def test_a_malformed_origin_is_refused(origin):
    assert status(asked(origin=origin)) == 403


@pytest.mark.fault("H9")
@pytest.mark.parametrize(
    "host", ["http://[", "[", "[::1", "[zz]", "", "a b", "a:b", "a:99999999", "\xff", "a/b", "user@127.0.0.1", "a,b"]
)
def test_a_malformed_host_is_refused(host):
    assert status(upgrade(PORT).replace(b"127.0.0.1:8765", host.encode("latin-1"))) == 400


@pytest.mark.fault("H9")
@pytest.mark.parametrize("fields", [{"without": ("host",)}, {"x": "y", "without": ("host",)}])
def test_a_missing_host_is_refused(fields):
    assert status(asked(**fields)) == 400


@pytest.mark.fault("H9")
def test_two_hosts_are_refused():
    assert status(upgrade(PORT).replace(b"\r\nupgrade", b"\r\nHost: 127.0.0.1\r\nupgrade")) == 400


@pytest.mark.fault("H10")
@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "127.1", "0x7f.1", "2130706433"],
)
def test_foreign_hosts_are_refused(host):
    assert status(asked(host=host)) == 421
    assert status(asked(host=host, target="/healthz", without=("upgrade", "connection"))) == 421


@pytest.mark.parametrize("host", ["127.0.0.1", "192.168.1.7", "[::1]", "[fe80::1]", "localhost", "LOCALHOST"])
def test_addresses_and_localhost_are_always_fine(host):
    assert status(asked(host=host)) == 101


def test_listed_hosts_and_the_servers_own_are_fine():
    assert status(asked(host="Chat.example"), hosts=["chat.EXAMPLE"]) == 101
    assert status(asked(host="chat.example"), hosts=["chat.example:8765"]) == 101
    assert status(asked(host="chat.example"), hosts=["chat.example:80"]) == 421
    assert status(asked(host="box.lan"), host="box.lan") == 101


# Extensions.


def test_compression_is_off_unless_asked_for():
    answer = handshake().answer(asked(sec_websocket_extensions="permessage-deflate"))
    assert answer.deflate is None
    assert b"Sec-WebSocket-Extensions" not in answer.response


def test_compression_is_negotiated_when_asked_for():
    answer = handshake(compression=True).answer(
        asked(sec_websocket_extensions="permessage-deflate; client_max_window_bits")
    )
    assert answer.deflate is not None
    assert re.search(rb"Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=12", answer.response)


@pytest.mark.fault("W25")
@pytest.mark.parametrize(
    "offer",
    [
        "permessage-deflate; server_max_window_bits=7",
        "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; client_max_window_bits=7",
        "permessage-deflate; client_max_window_bits=16",
        "permessage-deflate; server_max_window_bits",
        "permessage-deflate; server_no_context_takeover=1",
        "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
        "permessage-deflate; unknown",
        "x-webkit-deflate-frame",
    ],
)
def test_offers_that_can_not_be_met_are_declined(offer):
    answer = handshake(compression=True).answer(asked(sec_websocket_extensions=offer))
    assert answer.response.startswith(b"HTTP/1.1 101 ")
    assert answer.deflate is None


@pytest.mark.fault("W25")
def test_the_first_offer_that_can_be_met_is_taken():
    offer = "permessage-deflate; unknown, permessage-deflate; client_max_window_bits=10, permessage-deflate"
    answer = handshake(compression=True).answer(asked(sec_websocket_extensions=offer))
    assert answer.deflate.remote_max_window_bits == 10


def cpu_s(function):
    """The shortest of several runs, so that a busy machine does not count."""
    times = []
    for _ in range(5):
        start = time.thread_time()
        function()
        times.append(time.thread_time() - start)
    return min(times)


@pytest.mark.fault("W25")
def test_1000_offers_are_declined_unread():
    both = handshake(compression=True)
    many = asked(sec_websocket_extensions=[", ".join(["permessage-deflate"] * 250)] * 4)
    assert both.answer(many).deflate is None
    assert cpu_s(lambda: both.answer(many)) < 0.005


@pytest.mark.fault("H14")
@pytest.mark.parametrize(
    "field", ["sec-websocket-protocol", "sec-websocket-extensions", "connection", "upgrade", "origin"]
)
@pytest.mark.parametrize(
    "value", [" " * 50_000, "a" + " " * 8_000 + "b", "a," * 4_000, 'a;b="' + "\\" * 8_000, "," * 8_000]
)
def test_no_field_costs_more_than_5_ms(field, value):
    both = handshake(compression=True)
    request = asked(**{field: value})
    both.answer(request)
    assert cpu_s(lambda: both.answer(request)) < 0.005


@pytest.mark.fault("H9", "H12")
@given(st.one_of(st.binary(), st.lists(st.sampled_from([*asked().split(b"\r\n"), b"", b"\0"]) | st.binary(max_size=9))))
def test_arbitrary_heads_are_answered(request_):
    data = request_ if isinstance(request_, bytes) else b"\r\n".join(request_)
    answer = handshake().answer(data + b"\r\n\r\n")
    assert answer.response.startswith(b"HTTP/1.1 ")
    assert isinstance(answer, Accepted) or 200 <= answer.status < 600
