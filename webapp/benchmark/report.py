"""What a run is told as: a table for people, a document for programs, a line in the history."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from webapp.benchmark.figures import Figure

HISTORY = "bench.jsonl"
MAX_HISTORY_BYTES = 16 * 1024 * 1024  # of the end of the history that is looked through for the run before


@dataclass(frozen=True)
class Report:
    """One run: when, on what, how long, and its figures."""

    at: str
    machine: dict[str, Any]
    seconds: float
    figures: Sequence[Figure]

    def document(self) -> dict[str, Any]:
        """As programs read it."""
        return {
            "at": self.at,
            "seconds": round(self.seconds, 1),
            "machine": self.machine,
            "figures": [figure.document() for figure in self.figures],
        }

    def table(self, before: dict[str, Any] | None = None) -> Iterator[str]:
        """Line by line; `before` is the document of the run before, to see what changed."""
        machine = self.machine
        yield f"{machine['processor']}, {machine['cores']} cores, {machine['system']}, Python {machine['python']}"
        yield f"{machine['database']}, queue {machine['queue']}, Blue Webhooks {machine['version']}"
        yield f"load {machine['load']} at start, {self.seconds:.0f} s in all, {self.at}"
        if machine["is_busy"]:
            yield "BUSY: something else runs on this machine; the figures are worse than it could."
        former = {each["name"]: each["value"] for each in before["figures"]} if before else {}
        yield ""
        yield f"{'':<44}{'measured':>12}     {'target':>10} {'':<7}{'before':>8}"
        for figure in self.figures:
            yield _line(figure, former.get(figure.name))
        judged = [figure for figure in self.figures if figure.is_met is not None]
        if judged:
            yield ""
            yield f"{sum(bool(figure.is_met) for figure in judged)} of {len(judged)} targets met"


def keep(report: Report, folder: Path) -> dict[str, Any] | None:
    """Append the run to the history in this folder; the last run before it on the same database and queue."""
    path = folder / HISTORY
    before = _last(path, report.machine)
    with path.open("a", encoding="utf-8") as history:
        history.write(json.dumps(report.document(), ensure_ascii=False) + "\n")
    return before


def _last(path: Path, machine: dict[str, Any]) -> dict[str, Any] | None:
    if not path.exists():
        return None
    with path.open("rb") as history:
        history.seek(max(0, path.stat().st_size - MAX_HISTORY_BYTES))
        lines = history.read().splitlines()
    for line in reversed(lines):
        try:
            run: dict[str, Any] = json.loads(line)
            if all(run["machine"][name] == machine[name] for name in ("database", "queue")):
                return run
        except (ValueError, KeyError, TypeError):
            continue  # cut off, or of another version
    return None


def _line(figure: Figure, before: float | None) -> str:
    target, verdict = "", ""
    if figure.is_met is not None:
        sign, limit = ("≤", figure.at_most) if figure.at_most is not None else ("≥", figure.at_least)
        target, verdict = f"{sign} {limit:,g}", "met" if figure.is_met else "MISSED"
    change = f"{figure.value / before - 1:+.0%}" if before and math.isfinite(figure.value) else ""
    measured = f"{_number(figure.value):>12} {figure.unit:<3}"
    return f"{figure.label:<44}{measured} {target:>10} {verdict:<7}{change:>8}  {figure.note}".rstrip()


def _number(value: float) -> str:
    if not math.isfinite(value):
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.1f}" if abs(value) >= 10 else f"{value:,.2f}"
