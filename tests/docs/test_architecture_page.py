import re
from pathlib import Path

from test_architecture import ARROWS, EVERYTHING, WORDS

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "plugsock"
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def test_the_picture_has_the_arrows_that_the_code_is_held_to():
    drawn = set(re.findall(r"^ +(\w+) --> (\w+)$", PAGE, re.MULTILINE))
    in_words = {box for box, targets in ARROWS.items() if targets == EVERYTHING} | {"__main__", ""}

    assert drawn == {(box, target) for box in ARROWS.keys() - in_words for target in ARROWS[box]}


def test_the_table_names_every_package_and_file():
    table = PAGE.partition("## The folders")[2].partition("## Who may import whom")[0]
    rows = "\n".join(line for line in table.splitlines() if line.startswith("| `"))
    named = set(re.findall(r"`(\w+)(?:\.py|/)`", rows))

    assert named == (ARROWS.keys() - {"", "__main__"}) | WORDS | {"__init__"}
    assert all((SOURCE / name).is_dir() or (SOURCE / f"{name}.py").is_file() for name in named)
