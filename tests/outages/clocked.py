"""`python -m tests.outages.clocked FILE worker`: the product, whose clock is as many seconds ahead as the file says.

It looks into the file many times a second, so the clock jumps while the process works. As on a real machine, only the
wall clock does; the monotonic clock goes on. A file beside it, `FILE-<pid>`, says how far this process has followed.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import time_machine

from webapp.cli import main

LOOK_EVERY_S = 0.02


class Clock:
    """The clock of this process and of those that are forked from it."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._ahead_s = self._said()
        self._now = time_machine.travel(datetime.now(UTC) + timedelta(seconds=self._ahead_s)).start()
        self._follow()
        os.register_at_fork(after_in_child=self._follow)

    def _follow(self) -> None:
        self._tell()
        threading.Thread(target=self._watch, name="clock", daemon=True).start()

    def _watch(self) -> None:
        while True:
            said = self._said()
            if said != self._ahead_s:
                self._now.shift(said - self._ahead_s)
                self._ahead_s = said
                self._tell()
            time.sleep(LOOK_EVERY_S)

    def _tell(self) -> None:
        self._file.with_name(f"{self._file.name}-{os.getpid()}").write_text(str(self._ahead_s))

    def _said(self) -> float:
        return float(self._file.read_text())


if __name__ == "__main__":
    Clock(Path(sys.argv.pop(1)))
    main()
