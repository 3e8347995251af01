"""The ten lines for each framework are shown as they are; tests/browser/test_frameworks.py runs them."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = {each.parent.name: each for each in sorted((ROOT / "clients/js/examples").glob("*/*"))}


def test_there_is_one_for_each():
    assert list(EXAMPLES) == ["dom", "react", "svelte", "vue"]


@pytest.mark.parametrize("way", EXAMPLES)
def test_the_documentation_shows_it_as_it_is(way):
    text = EXAMPLES[way].read_text(encoding="utf-8")

    assert sum(bool(line.strip()) for line in text.splitlines()) <= 12
    assert f"```{EXAMPLES[way].suffix[1:]}\n{text}```" in (ROOT / "docs/javascript.md").read_text(encoding="utf-8")
