from pathlib import Path

import msgspec
import pytest

from plugsock.loader.options import WORKER
from plugsock.settings import KIB, MIB, SETTINGS, WORKER_NAME, Settings

BY_FIELD = {setting.field: setting for setting in SETTINGS}


def settings(**more):
    return Settings(plugs=Path("plugs"), data=Path(".plugsock"), **more)


def test_every_field_is_a_row_of_the_table():
    assert set(Settings.__struct_fields__) == set(BY_FIELD)


def test_the_defaults_are_those_of_the_protocol():
    made = settings()

    assert (made.host, made.port) == ("127.0.0.1", 8765)
    assert (made.handshake_s, made.ping_s, made.pong_s, made.timeout_s) == (5, 25, 10, 30)
    assert (made.max_message, made.max_answer) == (MIB, 16 * MIB)
    assert (made.high_water, made.slow_bytes, made.slow_s) == (256 * KIB, 4 * MIB, 5)
    assert made.max_open == 128
    assert made.workers == ("auto",)
    assert (made.max_calls, made.max_memory) == (0, 0)


@pytest.mark.parametrize(
    "setting", [each for each in SETTINGS if each.default is not None], ids=lambda each: each.field
)
def test_a_default_is_itself_a_value_that_the_setting_may_have(setting):
    assert msgspec.convert(setting.default, setting.type) == setting.default


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda each: each.field)
def test_each_setting_says_what_it_does_in_one_sentence(setting):
    assert setting.about.help.endswith(".")
    assert setting.about.group
    assert setting.is_switch or setting.about.metavar


def test_a_setting_has_the_same_name_everywhere_without_its_unit():
    setting = BY_FIELD["timeout_s"]

    assert (setting.key, setting.flag, setting.variable) == ("timeout", "--timeout", "PLUGSOCK_TIMEOUT")
    assert BY_FIELD["max_message"].flag == "--max-message"


def test_no_two_settings_share_a_name():
    assert len({setting.key for setting in SETTINGS}) == len(SETTINGS)


def test_a_setting_knows_what_kind_of_value_it_has():
    kinds = {field: (s.is_switch, s.is_list, s.is_path, s.is_size) for field, s in BY_FIELD.items()}

    assert kinds["dev"] == (True, False, False, False)
    assert kinds["allow_host"] == (False, True, False, False)
    assert kinds["plugs"] == kinds["tls_key"] == (False, False, True, False)
    assert kinds["max_answer"] == (False, False, False, True)
    assert kinds["port"] == (False, False, False, False)
    assert [field for field, setting in BY_FIELD.items() if setting.is_counts] == ["workers"]


@pytest.mark.parametrize("count", ["auto", "0", "4", "2-8", "reports=2", "reports=2-4", "reports=auto", "a_b-1=3"])
def test_workers_are_counted_in_these_words(count):
    assert msgspec.convert([count], BY_FIELD["workers"].type) == (count,)


@pytest.mark.parametrize(
    "count", ["", "all", "-1", "2-", "2-x", "1.5", "=2", "2=2", "Reports=2", "a=b=2", "a=", "٣", "4\n", "4 ", "1234567"]
)
def test_workers_are_counted_in_no_others(count):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert([count], BY_FIELD["workers"].type)


def test_a_set_of_workers_is_called_what_a_plug_may_call_it():
    assert WORKER.pattern == WORKER_NAME


def test_settings_can_not_be_changed():
    with pytest.raises(AttributeError):
        settings().port = 1
