"""The report of a run of chaos tests is one table, also when several processes ran them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.chaos.installation import ROOT

TESTS = """
from tests.chaos.report import Line

def test_one(report):
    report(Line("A01 kills", "SQLite", 1000, 4, 0, 7, 12, 3.25, "7 outcomes unknown"))

def test_two(report):
    report(Line("A01 kills", "PostgreSQL+Redis", 1000, 4, 0, 9, None, 13.0))

def test_three():
    pass
"""


def run(folder: Path, *arguments: str) -> str:
    """Run these tests with the plugin; what was printed."""
    (folder / "test_lines.py").write_text(TESTS)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "tests.chaos.report", f"--rootdir={folder}", *arguments, folder],
        cwd=folder, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_is_one_table_of_all_processes_and_a_file(tmp_path: Path) -> None:
    file = tmp_path / "chaos.json"
    printed = run(tmp_path, "-n2", f"--chaos-report={file}")
    assert [line for line in printed.splitlines() if line.startswith(("scenario", "A01"))] == [
        "scenario   pair              deliveries  kills  lost  duplicates  bound  seconds",
        "A01 kills  PostgreSQL+Redis        1000      4     0           9      -     13.0",
        "A01 kills  SQLite                  1000      4     0           7     12      3.2  7 outcomes unknown",
    ]
    assert [(line["pair"], line["duplicates"], line["bound"]) for line in json.loads(file.read_text())] == [
        ("PostgreSQL+Redis", 9, None),
        ("SQLite", 7, 12),
    ]


def test_there_is_none_where_nothing_is_reported(tmp_path: Path) -> None:
    assert "chaos" not in run(tmp_path, "-k", "test_three", "-p", "no:xdist").replace(str(tmp_path), "")
