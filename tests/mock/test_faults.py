"""What `--fault` can say."""

import pytest

from plugsock.mock.faults import Faults, parse


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("", Faults()),
        ("latency=200ms,error=5%,drop=1%", Faults(0.2, 0.05, 0.01)),
        (" drop=100% , latency=1.5s ", Faults(1.5, 0.0, 1.0)),
        ("error=0.5%", Faults(error=0.005)),
    ],
)
def test_it_is_read(text, faults):
    assert parse(text) == faults


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("slow", "expected latency=200ms,error=5%,drop=1%, or some of these, not 'slow'"),
        ("latency", "latency is a time as 200ms or 1.5s, at most 60s, not ''"),
        ("latency=200", "latency is a time as 200ms or 1.5s, at most 60s, not '200'"),
        ("latency=61s", "latency is a time as 200ms or 1.5s, at most 60s, not '61s'"),
        ("error=5", "error is a share as 5%, at most 100%, not '5'"),
        ("drop=101%", "drop is a share as 5%, at most 100%, not '101%'"),
        ("drop=1%,drop=2%", "drop is said twice"),
    ],
)
def test_what_it_can_not_say_is_said(text, why):
    with pytest.raises(ValueError, match="^" + why.replace("(", r"\(") + "$"):
        parse(text)
