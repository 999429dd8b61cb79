"""The report: a table of the chaos scenarios that ran, at the end of a run of pytest, and as JSON with --chaos-report.

A pytest plugin. A test adds a line with the fixture `report`; the lines travel with the test's own report, so that it
is one table also when several processes ran the tests.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest

PROPERTY = "chaos"
COLUMNS = ("scenario", "pair", "deliveries", "kills", "lost", "duplicates", "bound", "seconds")


@dataclass(frozen=True)
class Line:
    """What one scenario came to. `bound` is how many duplicates it may have; None = not a figure of this scenario."""

    scenario: str
    pair: str
    deliveries: int
    kills: int
    lost: int
    duplicates: int
    bound: int | None
    seconds: float
    note: str = ""


Report = Callable[[Line], None]


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Report:
    """Add a line to the report."""
    return lambda line: request.node.user_properties.append((PROPERTY, asdict(line)))


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where to write the report, and how long the longest scenario goes on."""
    group = parser.getgroup("chaos")
    group.addoption("--chaos-report", metavar="FILE", help="write the figures of the chaos scenarios to FILE as JSON")
    group.addoption(
        "--soak-minutes", type=float, default=60.0, metavar="N", help="how long the random kills of A03 go on"
    )


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print the table."""
    lines = sorted(_lines(terminalreporter.stats), key=lambda line: (line["scenario"], line["pair"]))
    if not lines:
        return
    terminalreporter.section("chaos")
    for text in table(lines):
        terminalreporter.write_line(text)
    if path := config.getoption("--chaos-report"):
        Path(path).write_text(json.dumps(lines, indent=2) + "\n")
        terminalreporter.write_line(f"written to {path}")


def table(lines: list[dict[str, Any]]) -> Iterator[str]:
    """The lines in columns."""
    cells = [COLUMNS, *(tuple(_shown(line[column]) for column in COLUMNS) for line in lines)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for number, row in enumerate(cells):
        aligned = (cell.ljust(width) if index < 2 else cell.rjust(width) for index, (cell, width) in
                   enumerate(zip(row, widths, strict=True)))  # fmt: skip
        note = lines[number - 1]["note"] if number else ""
        yield "  ".join([*aligned, note]).rstrip()


def _lines(stats: dict[str, list[Any]]) -> Iterator[dict[str, Any]]:
    for reports in list(stats.values()):
        for each in reports:
            if getattr(each, "when", "") == "call":
                yield from (value for name, value in each.user_properties if name == PROPERTY)


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.1f}" if isinstance(value, float) else str(value)
