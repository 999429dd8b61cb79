"""SQLite's checkpoints: what the write-ahead log holds is copied into the database file, beside all work.

SQLite lets the commit that makes the log a thousand pages long do that, so one commit in forty took 25 ms instead of 5
(p99, measured). A thread of the worker is quicker than that limit; where no worker runs, a larger one is left.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from typing import Any, NamedTuple

from flask import Flask

from webapp.extensions import db

log = logging.getLogger(__name__)

EVERY_S = 0.5
PAUSE_AFTER_ERROR_S = 10.0  # a full disk, a file that somebody locks
LONG_PAGES = 8_000  # 32 MB: writers never paused long enough for the log to begin anew, so now they must
WAIT_MS = 10  # for readers of what is older, while all writers wait
READERS_GET_S = 10.0  # before they are waited for again: one that reads for long would make writers wait each time


class Checkpointer:
    """The thread; `start()` does nothing on PostgreSQL."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._stopping = threading.Event()
        self._begin_anew_at = 0.0
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin."""
        with self._app.app_context():
            if db.engine.dialect.name == "sqlite":
                self._thread = threading.Thread(target=self._run, name="checkpointer", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """End; returns when it has."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        wait_s = EVERY_S
        while not self._stopping.wait(wait_s):
            try:
                with self._app.app_context():
                    self._checkpoint()
                wait_s = EVERY_S
            except Exception as error:  # noqa: BLE001 - the edge of a thread; commits have a limit of their own
                log.warning("no checkpoint was made: %s: %s", type(error).__name__, error)
                wait_s = PAUSE_AFTER_ERROR_S

    def _checkpoint(self) -> None:
        made = checkpoint(may_wait=time.monotonic() >= self._begin_anew_at)
        if made.has_waited_in_vain:
            self._begin_anew_at = time.monotonic() + READERS_GET_S


class Made(NamedTuple):
    """How a checkpoint went: whether all is copied, and whether writers waited for readers who did not end."""

    is_complete: bool
    has_waited_in_vain: bool = False


def checkpoint(*, may_wait: bool = True) -> Made:
    """Copy what can be copied while others work; of a log that is too long all, if writers may be kept waiting."""
    connection = db.engine.raw_connection()
    try:
        driver: Any = connection.driver_connection
        _, pages, copied = driver.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        if pages <= LONG_PAGES or not may_wait:
            return Made(pages == copied)
        is_busy, pages, copied = _begin_anew(driver)
        return Made(pages == copied, has_waited_in_vain=bool(is_busy))
    finally:
        connection.close()


def _begin_anew(driver: sqlite3.Connection) -> tuple[int, int, int]:
    """Have writers wait until the log is empty, at most WAIT_MS long: most of it has been copied already."""
    before = driver.execute("PRAGMA busy_timeout").fetchone()[0]
    driver.execute(f"PRAGMA busy_timeout = {WAIT_MS}")
    try:
        found: tuple[int, int, int] = driver.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()
    finally:
        driver.execute(f"PRAGMA busy_timeout = {before}")
    return found
