from plugsock.rpc.catalogue import name


def test_it_names_the_events_and_their_revisions_in_whatever_order():
    assert name([("a", "r1"), ("b", "r2")]) == name([("b", "r2"), ("a", "r1")])
    assert len({name([]), name([("a", "r1")]), name([("a", "r2")]), name([("b", "r1")])}) == 4
    assert len(name([])) == 8
