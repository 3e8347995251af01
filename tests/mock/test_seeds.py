"""What makes a made-up answer the same."""

from plugsock.mock.seeds import chance, seed


def test_event_arguments_and_number_make_a_difference():
    seeds = {seed("a", b"x"), seed("b", b"x"), seed("a", b"y"), seed("a", b"x", 1)}

    assert len(seeds) == 4


def test_a_seed_gives_the_same_chance_everywhere():
    # Written down, so that a new release does not change all answers unnoticed.
    assert seed("a", b"x").hex()[:8] == "623a6386"
    assert chance(seed("a", b"x")).getrandbits(32) == 1170450136


def test_each_purpose_has_its_own():
    one = seed("a", b"x")

    assert chance(one, "pace").random() != chance(one, "").random()
