"""Where pip comes from."""

import importlib.util
import sys

import pytest

from plugsock.errors import PlugsockError
from plugsock.needs import pip


def without(monkeypatch, *missing):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in missing else find_spec(name))


def test_the_executable_has_its_own(tmp_path):
    (tmp_path / "pip-26.0-py3-none-any.whl").touch()

    assert pip.find(tmp_path) == [str(tmp_path / "pip-26.0-py3-none-any.whl")]


def test_elsewhere_it_is_the_one_that_can_be_imported(tmp_path):
    assert pip.find(tmp_path / "missing") == []


def test_where_there_is_none_it_is_the_one_that_python_carries(tmp_path, monkeypatch):
    without(monkeypatch, "pip")
    (wheel,) = pip.find(tmp_path)

    assert "pip-" in wheel


def test_where_there_is_none_at_all_a_sentence_says_how_to_get_one(tmp_path, monkeypatch):
    without(monkeypatch, "pip", "ensurepip")
    monkeypatch.setattr("sysconfig.get_config_var", lambda _name: None)
    with pytest.raises(PlugsockError, match="there is no pip for this Python") as caught:
        pip.find(tmp_path)

    assert f"`{sys.executable} -m ensurepip`" in str(caught.value)
