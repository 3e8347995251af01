"""The benchmark of the workers compares what it says."""

import pytest
import workers
from machine import BenchmarkError
from plugfiles import burning_source

FIGURES = {"rate": 100.0, "own_us": 1.0, "children_us": 2.0, "cpu_us": 3.0} | {
    "p50_us": 10.0,
    "p99_us": 20.0,
    "max_us": 30.0,
}
NONE = {"faults": {"missing": 0}, "first_fault": ""}


def found(measured, **differences):
    """Results of a measurement; each named figure is that many times as large in the second case of each pair."""
    more = FIGURES | NONE | {key: FIGURES[key] * times for key, times in differences.items()}
    return {
        case.title: [more if number % 2 else FIGURES | NONE]
        for number, case in enumerate(workers.MEASUREMENTS[measured].cases)
    }


def judged(measured, **differences):
    return [target.met for target in workers.MEASUREMENTS[measured].targets(found(measured, **differences))]


def test_two_workers_must_make_more_calls_than_one():
    assert judged("burn", rate=1.8) == [True]
    assert judged("burn", rate=1.7) == [False]


def test_gateway_and_worker_each_have_a_share_to_keep_to():
    assert judged("cost", own_us=0.9, cpu_us=0.6) == [True, True]
    assert judged("cost", own_us=1.0, cpu_us=0.7) == [False, False]


def test_a_round_trip_may_be_longer_through_a_worker_but_not_much():
    assert judged("trip", p50_us=2.5) == [True]
    assert judged("trip", p50_us=2.6) == [False]


def test_a_flood_may_double_the_latency_of_others():
    assert judged("flood", p99_us=2.0) == [True]
    assert judged("flood", p99_us=2.1) == [False]


def test_no_two_cases_of_a_measurement_have_one_title():
    for measurement in workers.MEASUREMENTS.values():
        assert len({case.title for case in measurement.cases}) == len(measurement.cases)


def test_rows_are_medians_and_hold_what_is_measured_in_every_case():
    results = [FIGURES | NONE | {"rate": rate} for rate in (1.0, 5.0, 3.0)]
    row = workers._row("burn", "one", results)
    assert (row["per second"], row["flood"], row["server us"], row["workers us"]) == (3, 0, 1.0, 2.0)


def test_an_unknown_measurement_is_refused():
    with pytest.raises(BenchmarkError, match="`burns` is none of burn, cost, trip, flood"):
        workers.workers(["burns"], 1, 1.0)


async def test_a_plug_that_burns_answers_what_was_said():
    names = {}
    exec(compile(burning_source("burn", 0.00001), "burn.py", "exec"), names)
    message = names["Message"](1, 2, "three")
    assert await names["burn"](message) == message
