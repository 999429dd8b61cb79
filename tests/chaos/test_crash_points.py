"""The launcher of crash points finds every place that it names, and kills there and nowhere else."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.chaos.crash_points import ARMED, CRASHES, POINTS, Point
from tests.chaos.installation import ROOT

PROGRAM = """
import sys
from tests.chaos.crash_points import Point, arm
import webapp.delivery.retries, webapp.delivery.settling
arm(Point.parse(sys.argv[1]))
from datetime import UTC, datetime, timedelta
for number in range(3):
    print(number, flush=True)
    webapp.delivery.retries.first_attempt_at(now=datetime.now(UTC), schedule=[timedelta()])
print("end", flush=True)
"""


@pytest.mark.parametrize("name", POINTS)
def test_each_named_point_is_a_function_of_the_product(name: str) -> None:
    owner, function = Point.parse(f"{name}:1").owner()
    assert callable(getattr(owner, function))


def run(folder: Path, point: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, point],
        cwd=folder, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def test_a_process_dies_at_the_call_that_was_named_and_only_when_armed(tmp_path: Path) -> None:
    point = "webapp.delivery.retries:first_attempt_at@before:2"
    assert run(tmp_path, point).stdout.split() == ["0", "1", "2", "end"]
    assert not (tmp_path / CRASHES).exists()
    (tmp_path / ARMED).touch()
    killed = run(tmp_path, point)
    assert killed.returncode == -signal.SIGKILL
    assert killed.stdout.split() == ["0", "1"]
    assert (tmp_path / CRASHES).read_text().startswith("webapp.delivery.retries:first_attempt_at@before ")


@pytest.mark.parametrize("text", ["nowhere", "webapp.delivery.retries:span:1", "before_record@never:1"])
def test_what_is_no_point_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Point.parse(text)
