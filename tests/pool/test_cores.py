import os

import pytest

from plugsock.pool.cores import cores


@pytest.fixture
def machine(tmp_path):
    """How many cores there are where no container says otherwise."""
    return cores(tmp_path / "none")


def test_without_a_container_all_cores_count_that_the_process_may_use(machine):
    assert 1 <= machine <= os.cpu_count()


@pytest.mark.parametrize("quota", ["max 100000\n", "", "what\n", "100000 0 0\n"])
def test_a_container_without_a_quota_has_all_of_them(tmp_path, machine, quota):
    (tmp_path / "cpu.max").write_text(quota, encoding="ascii")

    assert cores(tmp_path / "cpu.max") == machine


@pytest.mark.parametrize(("quota", "count"), [("50000 100000\n", 1), ("100000 100000\n", 1), ("150000 100000\n", 2)])
def test_a_part_of_a_core_counts_as_one(tmp_path, machine, quota, count):
    (tmp_path / "cpu.max").write_text(quota, encoding="ascii")

    assert cores(tmp_path / "cpu.max") == min(count, machine)


def test_a_quota_does_not_make_more_of_them(tmp_path, machine):
    (tmp_path / "cpu.max").write_text("99900000 100000\n", encoding="ascii")

    assert cores(tmp_path / "cpu.max") == machine
