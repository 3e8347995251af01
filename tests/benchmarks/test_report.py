"""What the benchmarks say about figures."""

import json

from report import Report, Target, faults_of


def test_a_target_is_met_at_its_limit_in_both_directions():
    assert Target("share", 0.3, 0.3).met
    assert Target("rate", 4000, 4000, at_least=True).met
    assert not Target("share", 0.31, 0.3).met
    assert not Target("rate", 3999, 4000, at_least=True).met


def test_a_broken_promise_fails_a_report_whose_figures_are_good():
    report = Report("figures", targets=[Target("share", 0.1, 0.3)])
    assert report.good
    report.faults.append("plugsock: 1 double")
    assert not report.good


def test_text_has_columns_under_their_heads_and_says_what_was_missed():
    report = Report("figures", [{"who": "a", "us": 1234.5}, {"who": "bcd", "us": 2.0}], [Target("share", 0.5, 0.3)])
    lines = report.as_text().splitlines()
    assert lines[3:6] == ["who     us", "a    1,234", "bcd   2.00"]
    assert lines[-1] == "MISSED  share: 0.50 (<= 0.30)"


def test_json_holds_all_of_it():
    report = Report("figures", [{"who": "a"}], [Target("share", 0.1, 0.3)], ["x"])
    loaded = json.loads(report.as_json())
    assert (loaded["rows"], loaded["targets"][0]["met"], loaded["faults"]) == ([{"who": "a"}], True, ["x"])


def test_faults_of_all_rounds_are_added_up_by_kind():
    rounds = [
        {"faults": {"wrong": 0, "missing": 1}, "first_fault": ""},
        {"faults": {"wrong": 0, "missing": 2}, "first_fault": "missing: id 7"},
    ]
    assert faults_of("peer", rounds) == ["peer: 3 missing (first: missing: id 7)"]
