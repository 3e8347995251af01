import pytest

from plugsock.pool.health import Health, Verdict

FINE, SILENT, STALLED = Verdict


def watched(health, looks, *, cpu=0.0, cpu_share=0.0, is_stopped=False):
    """What looks at these seconds lead to, of a process that has used `cpu`, and from then on a share of the time."""
    return [health.look(now, cpu + cpu_share * now, is_stopped=is_stopped) for now in looks]


def test_one_that_beats_is_fine():
    health = Health(now=0.0)
    verdicts = []
    for beat in range(1, 100):
        health.beat(beat * 0.5, 0.001)
        verdicts += watched(health, [beat * 0.5 + 0.4], cpu_share=1.0)

    assert set(verdicts) == {FINE}
    assert health.lag_s == 0.001


def test_after_a_second_it_is_silent_and_with_the_next_heartbeat_it_is_fine():
    health = Health(now=0.0)

    assert watched(health, [0.5, 0.99, 1.0, 1.5]) == [FINE, FINE, SILENT, SILENT]

    health.beat(1.6, 0.9)

    assert watched(health, [1.7]) == [FINE]


def test_one_that_computes_and_does_not_beat_is_stalled_after_two_seconds():
    assert watched(Health(now=0.0), [0.25, 0.75, 1.25, 1.75, 2.25], cpu=77, cpu_share=1.0) == [
        FINE,
        FINE,
        SILENT,
        SILENT,
        STALLED,
    ]


@pytest.mark.fault("K2")
def test_one_that_was_stopped_is_stalled_after_two_seconds():
    assert watched(Health(now=0.0), [0.5, 1.0, 1.9, 2.0], is_stopped=True) == [FINE, SILENT, SILENT, STALLED]


@pytest.mark.fault("K16")
def test_one_that_is_not_let_run_is_not_stalled_however_long_it_is_silent():
    verdicts = watched(Health(now=0.0), [0.1, *range(1, 31)], cpu=500, cpu_share=0.02)

    assert verdicts == [FINE] + [SILENT] * 30


@pytest.mark.fault("K16")
def test_what_it_used_before_its_last_heartbeat_does_not_count():
    health = Health(now=0.0)
    health.look(0.9, 10.0, is_stopped=False)
    health.beat(1.0, 0.0)

    assert health.look(1.1, 60.0, is_stopped=False) is FINE
    assert health.look(3.1, 60.5, is_stopped=False) is SILENT
    assert health.look(3.6, 61.0, is_stopped=False) is STALLED


def test_one_of_which_nothing_is_known_is_silent():
    health = Health(now=0.0)

    assert [health.look(now, None, is_stopped=False) for now in (0.5, 5.0)] == [FINE, SILENT]
    assert health.look(6.0, 9.0, is_stopped=False) is SILENT
    assert health.look(6.5, None, is_stopped=False) is SILENT


@pytest.mark.fault("K3", "R12")
def test_when_the_gateway_itself_stood_still_everybody_starts_anew():
    health = Health(now=0.0)
    watched(health, [0.5], cpu_share=1.0)

    health.forgive(60.0)

    assert watched(health, [60.0, 60.9, 61.5, 61.9], cpu_share=1.0) == [FINE, FINE, SILENT, SILENT]
    assert watched(health, [62.0], cpu_share=1.0) == [STALLED]


def test_one_that_sleeps_and_does_not_beat_is_stalled_after_two_seconds():
    health = Health(0.0)

    assert health.look(1.0, 0.1, is_stopped=False, is_asleep=True) is Verdict.SILENT
    assert health.look(1.9, 0.1, is_stopped=False, is_asleep=True) is Verdict.SILENT
    assert health.look(2.0, 0.1, is_stopped=False, is_asleep=True) is Verdict.STALLED


def test_one_that_has_wanted_the_cpu_once_since_it_is_silent_is_only_silent():
    health = Health(0.0)

    assert health.look(1.0, 0.1, is_stopped=False, is_asleep=False) is Verdict.SILENT
    assert health.look(2.0, 0.1, is_stopped=False, is_asleep=True) is Verdict.SILENT
    health.beat(2.1, 0.0)
    assert health.look(2.2, 0.1, is_stopped=False) is Verdict.FINE
    assert health.look(3.2, 0.1, is_stopped=False, is_asleep=True) is Verdict.SILENT
    assert health.look(4.2, 0.1, is_stopped=False, is_asleep=True) is Verdict.STALLED
