"""What the zygote forks is a process like any other: its own folder, settings, log, exit code and signals."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.chaos.installation import wait_until
from tests.chaos.zygote import Forked, Zygote


def test_it_runs_in_its_folder_with_its_settings_and_log(zygote: Zygote, tmp_path: Path) -> None:
    (tmp_path / "here.txt").touch()
    process = zygote.start(
        "timeit", "-n1", "-r1", "import os; print(os.environ, os.listdir('.'), os.getpid())",
        folder=tmp_path, environment={"GREETING": "hello"}, log=tmp_path / "log.txt",
    )  # fmt: skip
    assert process.wait(timeout=10) == 0
    printed = (tmp_path / "log.txt").read_text()
    assert "environ({'GREETING': 'hello'})" in printed
    assert "here.txt" in printed
    assert str(process.pid) in printed


def test_its_exit_code_and_its_signals_are_known(zygote: Zygote, tmp_path: Path) -> None:
    def start(statement: str) -> Forked:
        return zygote.start("timeit", "-n1", statement, folder=tmp_path, environment={}, log=tmp_path / "log.txt")

    refused = zygote.start("webapp", "nonsense", folder=tmp_path, environment={}, log=tmp_path / "log.txt")
    assert refused.wait(timeout=20) == 2
    assert "No such command 'nonsense'" in (tmp_path / "log.txt").read_text()
    sleeper = start("import time; time.sleep(60)")
    assert sleeper.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        sleeper.wait(timeout=0.05)
    sleeper.kill()
    assert sleeper.wait(timeout=10) == -signal.SIGKILL
    sleeper.terminate()  # nothing happens to another process of its number


def test_what_it_forked_ends_with_it(tmp_path: Path) -> None:
    zygote = Zygote()
    process = zygote.start(
        "timeit", "-n1", "import time; time.sleep(60)", folder=tmp_path, environment={}, log=tmp_path / "log.txt"
    )
    zygote.close()
    wait_until(lambda: not Path(f"/proc/{process.pid}").exists(), 10, "it is gone")
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)
