import hashlib
import re
from pathlib import Path

import pytest

from building import wheels

ROOT = Path(__file__).parents[2]


@pytest.fixture
def lock(tmp_path):
    """A lock file that names two wheels which are there, with their hashes, and another package between them."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    hashes = {}
    for name in wheels.NAMES:
        content = f"this is {name}".encode()
        (folder / f"{name}-1.0-py3-none-any.whl").write_bytes(content)
        hashes[name] = hashlib.sha256(content).hexdigest()
    entries = [f"{name}==1.0 \\\n    --hash=sha256:{digest}" for name, digest in hashes.items()]
    (tmp_path / "some.lock").write_text(
        "\nother==2.0 \\\n    --hash=sha256:00\n".join(entries) + "\n", encoding="utf-8"
    )
    return tmp_path / "some.lock"


def test_wheels_that_are_there_are_not_downloaded(lock, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")

    found = wheels.fetch(lock, lock.parent / "wheels")

    assert [wheel.name for wheel in found] == ["pip-1.0-py3-none-any.whl", "tzdata-1.0-py3-none-any.whl"]


def test_a_wheel_with_other_bytes_than_the_locked_ones_is_not_taken(lock, monkeypatch, capfd):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    (lock.parent / "wheels/tzdata-1.0-py3-none-any.whl").write_bytes(b"this is something else")

    with pytest.raises(SystemExit, match="could not download pip, tzdata; without a network put both into"):
        wheels.fetch(lock, lock.parent / "wheels")

    assert "No matching distribution found" in capfd.readouterr().err


def test_the_project_locks_both_as_wheels():
    text = (ROOT / "requirements-build.lock").read_text(encoding="utf-8")

    assert {"pip", "tzdata"} <= set(re.findall(r"^([\w.-]+)==", text, re.MULTILINE))
