"""The benchmark of the start compares medians."""

import pytest
import start
from machine import BenchmarkError


def judged(one_file, folder):
    """What is said where the clone takes a second, and the others so many."""
    report = start.judge({start.CLONE: [0.9, 1.0, 9.0], "one file": [one_file] * 3, "folder": [folder] * 3}, 3)
    return [target.met for target in report.targets]


def test_each_form_has_a_number_of_times_to_keep_to():
    assert judged(3.0, 1.7) == [True, True]
    assert judged(3.1, 1.8) == [False, False]


def test_what_is_not_built_is_not_measured(monkeypatch):
    monkeypatch.setitem(start.FORMS, "one file", ("/nowhere/plugsock",))

    with pytest.raises(BenchmarkError, match=r"one file: there is no /nowhere/plugsock; `python3 build\.py --onedir`"):
        start.start(1)
