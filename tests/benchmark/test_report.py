"""What a run is told as: the table and the document say what was measured, and what it is compared with."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from webapp.benchmark.figures import Figure, percentile, spread
from webapp.benchmark.report import HISTORY, Report, keep

MACHINE = {
    "version": "1",
    "processor": "A processor",
    "cores": 2,
    "system": "Linux",
    "python": "3.11.7",
    "database": "SQLite 3.40.1",
    "queue": "sqlite",
    "load": 0.1,
    "is_busy": False,
}


def report(*figures: Figure, **machine: Any) -> Report:
    return Report("2026-11-29T02:00:00+00:00", MACHINE | machine, 60.0, figures)


def line(table: list[str], label: str) -> str:
    return next(each for each in table if each.startswith(label))


def test_the_percentile_is_a_value_that_was_measured() -> None:
    assert [percentile(range(1, 101), percent) for percent in (50, 95, 99, 100)] == [50, 95, 99, 100]
    assert percentile([7.0], 99) == 7.0
    assert math.isnan(percentile([], 50))


def test_a_spread_says_how_many_were_measured_and_judges_its_ends() -> None:
    p50, p95, p99 = spread("latency", "Latency", [1.0, 2.0, 30.0], p50_ms=5, p99_ms=15)
    assert (p50.value, p50.is_met, p50.note) == (2.0, True, "3 measured")
    assert p95.is_met is None
    assert (p99.value, p99.is_met) == (30.0, False)


def test_the_table_tells_each_figure_with_its_target_and_whether_it_is_met() -> None:
    fast = Figure("a", "Fast enough", 1234.5, "/s", at_least=1000)
    slow = Figure("b", "Too slow", 20.25, "ms", at_most=15, note="why")
    told = Figure("c", "Only told", 3.0, "MB")
    table = list(report(fast, slow, told).table())
    assert line(table, "Fast enough").split() == ["Fast", "enough", "1,234", "/s", "≥", "1,000", "met"]
    assert line(table, "Too slow").split() == ["Too", "slow", "20.2", "ms", "≤", "15", "MISSED", "why"]
    assert line(table, "Only told").split() == ["Only", "told", "3.00", "MB"]
    assert table[-1] == "1 of 2 targets met"


def test_a_busy_machine_is_said() -> None:
    assert not any(each.startswith("BUSY") for each in report().table())
    assert any(each.startswith("BUSY") for each in report(load=3.0, is_busy=True).table())


def test_the_document_holds_what_the_table_shows() -> None:
    document = report(Figure("b", "Too slow", 20.25, "ms", at_most=15)).document()
    assert document["figures"] == [
        {
            "name": "b",
            "label": "Too slow",
            "value": 20.25,
            "unit": "ms",
            "at_most": 15,
            "at_least": None,
            "note": "",
            "is_met": False,
        }
    ]
    assert document["machine"] == MACHINE
    json.dumps(document, allow_nan=False)


def test_what_could_not_be_measured_is_null_and_misses_its_target() -> None:
    nothing = report(Figure("a", "Nothing", math.nan, "ms", at_most=5))
    (figure,) = nothing.document()["figures"]
    assert (figure["value"], figure["is_met"]) == (None, False)
    assert line(list(nothing.table()), "Nothing").split() == ["Nothing", "-", "ms", "≤", "5", "MISSED"]


def test_each_run_is_kept_and_compared_with_the_last_on_the_same_database(tmp_path: Path) -> None:
    first = report(Figure("a", "Rate", 100.0, "/s"))
    other = report(Figure("a", "Rate", 900.0, "/s"), database="PostgreSQL 15.3")
    third = report(Figure("a", "Rate", 110.0, "/s"))
    assert keep(first, tmp_path) is None
    assert keep(other, tmp_path) is None
    before = keep(third, tmp_path)
    assert before == first.document()
    assert "+10%" in line(list(third.table(before)), "Rate")
    assert len((tmp_path / HISTORY).read_text().splitlines()) == 3


def test_a_history_that_was_cut_off_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    keep(report(Figure("a", "Rate", 100.0, "/s")), tmp_path)
    with (tmp_path / HISTORY).open("a") as history:
        history.write('{"at": "2026-1\n')
    assert keep(report(), tmp_path) == report(Figure("a", "Rate", 100.0, "/s")).document()
