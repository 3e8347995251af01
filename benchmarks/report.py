"""What a benchmark found, as a table for people or as JSON."""

import json
import platform
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

Row = dict[str, str | int | float]

FORMATS: Final[dict[type, Callable[[Any], str]]] = {
    str: str,
    int: lambda value: f"{value:,}",
    float: lambda value: f"{value:,.2f}" if value < 1000 else f"{value:,.0f}",
}


@dataclass(frozen=True)
class Target:
    """One sentence that must hold, with the value that decides it."""

    text: str
    value: float
    limit: float
    at_least: bool = False

    @property
    def met(self) -> bool:
        """Does it hold?"""
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def __str__(self) -> str:
        sign = ">=" if self.at_least else "<="
        value, limit = (FORMATS[float](float(number)) for number in (self.value, self.limit))
        return f"{'met   ' if self.met else 'MISSED'}  {self.text}: {value} ({sign} {limit})"


@dataclass
class Report:
    """Rows of like columns, the targets that they decide, and whatever went wrong."""

    title: str
    rows: list[Row] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    """Broken promises, as sentences: any of them fails the benchmark, whatever the figures."""

    @property
    def good(self) -> bool:
        """Were all targets met and no promise broken?"""
        return not self.faults and all(target.met for target in self.targets)

    def as_json(self) -> str:
        """Return everything as one JSON object."""
        targets = [{**asdict(target), "met": target.met} for target in self.targets]
        return json.dumps(
            {"title": self.title, "machine": machine(), "rows": self.rows, "targets": targets, "faults": self.faults}
        )

    def as_text(self) -> str:
        """Return a table, then the targets, then the faults."""
        lines = [self.title, machine(), ""]
        lines += _table(self.rows)
        if self.targets:
            lines += ["", *map(str, self.targets)]
        if self.faults:
            lines += ["", *(f"FAULT   {fault}" for fault in self.faults)]
        return "\n".join(lines)


def machine() -> str:
    """Return a line that says what the figures were measured on."""
    model = "unknown processor"
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = f"{len(names)} x {names[0]}" if names else model
    return f"{model}, {platform.system()} {platform.release()}, Python {sys.version.split()[0]}"


def median_of(results: Sequence[Mapping[str, Any]], key: str) -> float:
    """Return the median of one figure over the rounds."""
    return float(statistics.median(result[key] for result in results))


def faults_of(name: str, results: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return one sentence a kind of fault that the generator counted over the rounds."""
    totals = {kind: sum(result["faults"][kind] for result in results) for kind in results[0]["faults"]}
    first = next((result["first_fault"] for result in results if result["first_fault"]), "")
    return [f"{name}: {total} {kind} (first: {first})" for kind, total in totals.items() if total]


def _table(rows: Sequence[Row]) -> list[str]:
    if not rows:
        return []
    cells = [list(rows[0]), *([FORMATS[type(value)](value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    left = [isinstance(value, str) for value in rows[0].values()]
    return [
        "  ".join(
            cell.ljust(width) if is_text else cell.rjust(width)
            for cell, width, is_text in zip(line, widths, left, strict=True)
        ).rstrip()
        for line in cells
    ]
