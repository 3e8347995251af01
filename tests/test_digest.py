from plugsock import digest


def test_it_is_the_same_whatever_the_order():
    assert digest.of_shapes([("a", "1"), ("b", "2")]) == digest.of_shapes([("b", "2"), ("a", "1")])


def test_any_name_and_any_shape_changes_it():
    told = [digest.of_shapes(shapes) for shapes in ((), [("a", "1")], [("a", "2")], [("b", "1")])]

    assert len(set(told)) == len(told)
    assert all(len(each) == 12 for each in told)
