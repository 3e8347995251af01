import math

import pytest

from plugsock import Error


async def test_numbers_are_added(c):
    assert await c.call("math.add", {"a": 2, "b": 0.5}) == 2.5


async def test_what_is_no_number_is_refused_with_its_path(c):
    with pytest.raises(Error) as caught:
        await c.call("math.add", {"a": 2, "b": "three"})

    assert (caught.value.code, caught.value.path) == ("bad_payload", "$.b")


def test_pythons_own_math_is_the_one_that_is_imported():
    assert math.pi > 3
