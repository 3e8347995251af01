import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/deploy.md").read_text(encoding="utf-8")
UNIT = (ROOT / "building/debian/plugsock.service").read_text(encoding="utf-8")


def test_what_a_unit_must_say_is_what_ours_says():
    part = PAGE.split("these matter:")[1].split("\n## ")[0]
    lines = [word for word in re.findall(r"`([A-Z]\w+=[^`]*)`", part) if not word.endswith("=")]

    assert len(lines) >= 6
    assert [line for line in lines if line not in UNIT.splitlines()] == []


def test_what_a_plug_may_need_is_said_in_the_unit_and_on_the_page_alike():
    table = PAGE.split("| a plug | then say |")[1].split("\n\n")[0]
    comments = UNIT.split("systemctl edit plugsock`:")[1].split("\nNoNewPrivileges")[0]

    said = sorted(re.findall(r"[A-Z]\w+(?==)", table))
    assert said == sorted(re.findall(r"[A-Z]\w+(?==)", comments))
    assert "MemoryDenyWriteExecute" in said


def test_low_ports_need_what_the_unit_has_in_comments():
    lines = re.search(r"```ini\n\[Service\]\n(.+?)```", PAGE, re.DOTALL)[1].splitlines()

    assert [line for line in lines if f"\n# {line}\n" not in UNIT] == []
