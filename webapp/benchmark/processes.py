"""Processes that are measured: started, asked for their CPU time and memory, and ended in every case."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from webapp.lifeline import DESCRIPTOR

STOP_WITHIN_S = 10.0
LOOK_EVERY_S = 0.02
TOLD_BYTES = 2_000  # of the log of a process that died


class ProcessDied(Exception):
    """A process that is needed has ended, or did not get ready; the text has the last of what it said."""


class Child:
    """`python -m …` in a process of its own. It also ends when this process is gone: its lifeline breaks."""

    def __init__(self, name: str, arguments: Sequence[str], *, environment: Mapping[str, str], folder: Path) -> None:
        self.name = name
        self._log = folder / f"{name}.log"
        self._lifeline, self._held_end = os.pipe()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-m", *arguments],
                env={**environment, DESCRIPTOR: str(self._lifeline)},
                cwd=folder,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE if name == "receiver" else log,
                stderr=log,
                pass_fds=(self._lifeline,),
                start_new_session=True,  # Ctrl-C reaches whoever measures alone, who then ends them in order
            )
        os.close(self._lifeline)

    def first_line(self) -> str:
        """What it says first. Raises ProcessDied when it says nothing."""
        assert self._process.stdout is not None  # noqa: S101 - asked for above
        line = self._process.stdout.readline().decode().strip()
        if not line:
            raise self._died()
        return line

    def wait_until(self, is_ready: Callable[[], object], within_s: float) -> None:
        """Wait until that is true. Raises ProcessDied when the process ends first, or it takes longer."""
        deadline = time.monotonic() + within_s
        while not is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise self._died()
            time.sleep(LOOK_EVERY_S)

    def _died(self) -> ProcessDied:
        said = self._log.read_bytes()[-TOLD_BYTES:].decode(errors="replace")
        return ProcessDied(f"The process `{self.name}` has ended or does not answer.\n{said}".strip())

    def cpu_s(self) -> float:
        """How long it has used a processor, in seconds, its own code and the system's together."""
        stat = Path(f"/proc/{self._process.pid}/stat")
        if stat.exists():
            fields = stat.read_text().rpartition(")")[2].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return _seconds(self._ps("time"))

    def peak_mb(self) -> float:
        """The most memory that it has held so far, in MB; where the system does not keep that, what it holds now."""
        status = Path(f"/proc/{self._process.pid}/status")
        if status.exists():
            lines = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
            return int(lines["VmHWM"].split()[0]) / 1024
        return int(self._ps("rss")) / 1024

    def _ps(self, column: str) -> str:
        asked = ["ps", "-o", f"{column}=", "-p", str(self._process.pid)]
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603

    def stop(self) -> None:
        """Ask it to end, and end it when it does not. Twice is as good as once."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)  # with what it started: it leads a group of its own
                self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        if self._held_end >= 0:
            os.close(self._held_end)
            self._held_end = -1


def _seconds(text: str) -> float:
    """`1:02.50` or `1-02:03:04`, as ps writes a span."""
    days, _, rest = text.rpartition("-")
    seconds = 0.0
    for part in rest.split(":"):
        seconds = seconds * 60 + float(part)
    return seconds + int(days or 0) * 86_400
