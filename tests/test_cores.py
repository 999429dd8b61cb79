"""Worker processes keep to cores of their own while there are enough."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system keeps no process on a core")

ALL_OF_THEM = """
import os, sys
from pathlib import Path
from webapp import cores
print(cores.keep_one(Path(sys.argv[1])), sorted(os.sched_getaffinity(0)), flush=True)
sys.stdin.read()
"""


def start(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", ALL_OF_THEM, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def told(process: subprocess.Popen[str]) -> tuple[str, str]:
    kept, _, may_use = process.stdout.readline().partition(" ")
    return kept, may_use.strip()


def test_each_worker_keeps_another_core_until_all_are_taken_and_the_rest_wander(tmp_path: Path) -> None:
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        pytest.skip("one core only")
    processes = [start(tmp_path) for _ in range(len(cores) + 1)]
    answers = [told(process) for process in processes]
    kept = [(core, may_use) for core, may_use in answers if core != "None"]
    assert sorted(kept) == sorted((str(core), f"[{core}]") for core in cores)
    assert [may_use for core, may_use in answers if core == "None"] == [str(cores)]
    for process in processes:
        process.communicate()
    with start(tmp_path) as again:
        assert told(again)[0] == str(cores[-1]), "a core is free again when its process has ended"
        again.communicate()


def test_a_folder_that_cannot_be_written_keeps_nobody_from_working(tmp_path: Path) -> None:
    with start(tmp_path / "missing") as process:
        assert told(process)[0] == "None"
        process.communicate()
