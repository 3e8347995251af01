import random

from plugsock.client.backoff import FIRST_S, LONGEST_S, Backoff


def longest(_least, most):
    return most


def test_the_limit_of_a_pause_doubles_until_it_is_the_longest():
    backoff = Backoff(draw=longest)

    assert [backoff.pause() for _ in range(8)] == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 20.0, 20.0]


def test_any_pause_may_be_nothing():
    backoff = Backoff(draw=lambda least, _most: least)

    assert [backoff.pause() for _ in range(8)] == [0.0] * 8


def test_pauses_are_spread_over_all_that_they_may_be():
    draw = random.Random(7).uniform
    pauses = [Backoff(draw=draw).pause() for _ in range(1000)]

    assert min(pauses) < 0.05 * FIRST_S
    assert max(pauses) > 0.95 * FIRST_S


def test_a_connection_that_held_for_longer_than_a_pause_makes_good():
    backoff = Backoff(draw=longest)
    for _ in range(4):
        backoff.pause()

    assert backoff.pause(open_s=LONGEST_S) == FIRST_S


def test_one_that_was_dropped_at_once_does_not():
    backoff = Backoff(draw=longest)
    for _ in range(4):
        backoff.pause()

    assert backoff.pause(open_s=0.1) == 8.0


def test_what_the_server_says_is_done():
    backoff = Backoff(draw=longest)

    assert backoff.pause(told_s=7.5) == 7.5
    assert backoff.pause() == 2 * FIRST_S
