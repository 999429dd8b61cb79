"""A recorder in a thread of its own: a batch is written while the loop makes its next claim.

For PostgreSQL, where two connections write at once; there a worker waits for answers more than it computes. SQLite has
one writer at a time, and two connections would take the pages from each other's caches, so its loop records by itself.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from flask import Flask

from webapp.delivery.intake import Intake
from webapp.delivery.recorder import Recorder
from webapp.delivery.recording import Result

log = logging.getLogger(__name__)

TEND_EVERY_S = 1.0


class RecorderThread:
    """Takes results from any thread, and tells which are done with: `tell` is called in this one.

    `in_hand` says how many claims the worker has, as near as another thread can know.
    """

    def __init__(self, app: Flask, *, in_hand: Callable[[], int], tell: Callable[[list[Result]], None]) -> None:
        self._app = app
        self._in_hand = in_hand
        self._tell = tell
        self._intake: Intake[Result | None] = Intake()
        self._recorder = Recorder()
        self._tend_at = 0.0
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def put(self, result: Result) -> None:
        """Record this one soon."""
        self._intake.put(result)

    @property
    def is_alive(self) -> bool:
        """Whether it is running."""
        return self._thread.is_alive()

    @property
    def is_behind(self) -> bool:
        """Whether outcomes cannot be written at the moment: what is sent now might have to be sent again."""
        return self._recorder.is_behind

    def stop(self) -> None:
        """Wait until the thread has ended. All that was put is done with by then."""
        self._intake.put(None, is_urgent=True)
        self._thread.join()

    def _run(self) -> None:
        while self._recorder.held or not self._is_stopping:
            wait_s = max(0.0, min(self._recorder.due_at, self._tend_at) - time.monotonic())
            for result in self._intake.take(wait_s, enough=self._recorder.missing(self._in_hand())):
                if result is None:
                    self._is_stopping = True
                else:
                    self._recorder.add(result)
            try:
                with self._app.app_context():
                    self._work()
            except Exception:
                log.exception("what followed from outcomes failed; trying again")

    def _work(self) -> None:
        if self._recorder.is_due(self._in_hand()) and (done := self._recorder.record()):
            self._tell(done)
        if self._is_stopping or time.monotonic() >= self._tend_at:
            self._tend_at = time.monotonic() + TEND_EVERY_S
            self._recorder.draw_proven()
