import pytest

from plugsock.cli.values import expected, from_text, from_toml, size
from plugsock.settings import SETTINGS

BY_KEY = {setting.key: setting for setting in SETTINGS}


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("port", "0", 0),
        ("port", " 9000 ", 9000),
        ("timeout", "2.5", 2.5),
        ("dev", "true", True),
        ("dev", "0", False),
        ("log_format", "json", "json"),
        ("allow_host", "a.example, b.example,", ("a.example", "b.example")),
        ("allow_host", "", ()),
        ("max_message", "4096", 4096),
        ("max_message", "64KiB", 65_536),
        ("max_message", "1 mib", 1_048_576),
        ("max_memory", "2GiB", 2**31),
        ("max_memory", "0", 0),
        ("max_calls", "0", 0),
        ("workers", "2-8,reports=2", ("2-8", "reports=2")),
    ],
)
def test_text_is_converted_to_the_type_of_the_setting(key, text, value):
    assert from_text(BY_KEY[key], text) == value


@pytest.mark.fault("D9")
@pytest.mark.parametrize(
    ("key", "text", "sentence"),
    [
        ("port", "65536", "expected a whole number from 0 to 65535, not '65536'"),
        ("port", "", "expected a whole number from 0 to 65535, not ''"),
        ("dev", "perhaps", "expected true or false, not 'perhaps'"),
        ("timeout", "nan", "expected seconds, more than 0 and at most 86400, not 'nan'"),
        ("timeout", "inf", "expected seconds, more than 0 and at most 86400, not 'inf'"),
        ("timeout", "0", "expected seconds, more than 0 and at most 86400, not '0'"),
        ("log_format", "xml", "expected text or json, not 'xml'"),
        ("host", "", "expected a text that is not empty, not ''"),
        (
            "max_message",
            "2GiB",
            "expected a number of bytes such as 65536, 64KiB or 1MiB, at most 1GiB, not 2147483648",
        ),
        ("max_message", "1MB", "expected a number of bytes such as 65536, 64KiB or 1MiB, at most 1GiB, not '1MB'"),
        (
            "max_memory",
            "2000GiB",
            "expected a number of bytes such as 65536, 64KiB or 1MiB, at most 1024GiB, not 2147483648000",
        ),
        ("max_message", "0", "expected a number of bytes such as 65536, 64KiB or 1MiB, at most 1GiB, not '0'"),
        (
            "workers",
            "many",
            "expected auto, a number as 4, a range as 2-8, or one of them for a name as reports=2, not ['many']",
        ),
        ("plugs", "", "expected a path, not ''"),
        ("plugs", "a\0b", "expected a path, not 'a\\x00b'"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence_that_says_what_would(key, text, sentence):
    with pytest.raises(ValueError) as refused:
        from_text(BY_KEY[key], text)

    assert str(refused.value) == sentence


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("allow_host", "http://x"),
        ("allow_host", "x/"),
        ("allow_host", "*"),
        ("allow_host", "x:port"),
        ("allow_origin", "example.org"),
        ("allow_origin", "https://example.org/chat"),
        ("allow_origin", "https://*.example.org"),
        ("allow_origin", "https://a.example https://b.example"),
    ],
)
def test_what_could_never_match_is_refused(key, text):
    with pytest.raises(ValueError, match=r"^expected (names|origins) such as "):
        from_text(BY_KEY[key], text)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("allow_host", "example.org:8443"),
        ("allow_host", "[::1]"),
        ("allow_origin", "*"),
        ("allow_origin", "null"),
        ("allow_origin", "https://Example.org:8443/"),
        ("allow_origin", "chrome-extension://abcdef"),
    ],
)
def test_what_a_request_can_say_is_taken(key, text):
    assert from_text(BY_KEY[key], text) == (text,)


def test_a_wrong_value_is_shown_on_one_short_line():
    with pytest.raises(ValueError) as refused:
        from_text(BY_KEY["port"], "\x1b[2J\n" * 500)

    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 150


@pytest.mark.parametrize(
    ("key", "value"), [("port", 9000), ("timeout", 2), ("dev", True), ("allow_origin", ["https://a.example"])]
)
def test_a_file_has_types_of_its_own(key, value):
    converted = from_toml(BY_KEY[key], value)

    assert converted == (tuple(value) if isinstance(value, list) else value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("port", "9000"),
        ("port", True),
        ("dev", "true"),
        ("dev", 1),
        ("allow_host", "a.example"),
        ("host", 127),
        ("plugs", 3),
    ],
)
def test_a_file_is_taken_at_its_word(key, value):
    with pytest.raises(ValueError, match=r"^expected "):
        from_toml(BY_KEY[key], value)


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.field)
def test_every_setting_can_say_what_it_expects(setting):
    assert expected(setting)


def test_a_list_and_a_path_say_what_they_expect():
    assert expected(BY_KEY["allow_host"]) == "names such as example.org or example.org:8443"
    assert expected(BY_KEY["allow_origin"]) == "origins such as https://example.org, without a path, or *"
    assert expected(BY_KEY["tls_cert"]) == "a path"


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0"), (1000, "1000"), (1024, "1KiB"), (1536, "1536"), (4 * 1024**2, "4MiB"), (3 * 1024**3, "3GiB")],
)
def test_a_size_is_shown_as_one_would_write_it(count, text):
    assert size(count) == text
    assert from_text(BY_KEY["max_memory"], text) == count
