from collections import Counter

import pytest

from support.faults import PAGE, ROW, marked_tests, written

TEXT = PAGE.read_text(encoding="utf-8")
IDS = [row[0] for row in ROW.findall(TEXT)]
TESTS = marked_tests()


def test_no_id_stands_there_twice():
    assert [id for id, times in Counter(IDS).items() if times > 1] == []


@pytest.mark.parametrize("id", IDS)
def test_each_row_is_shown_by_a_test(id):
    assert id in TESTS, f'no test carries @pytest.mark.fault("{id}")'


def test_each_id_that_a_test_carries_has_a_row():
    assert sorted(set(TESTS) - set(IDS)) == []


def test_the_page_names_the_tests_that_there_are():
    assert written(TEXT, TESTS) == TEXT, "run: python tests/support/faults.py"
