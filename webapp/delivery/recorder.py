"""The recorder: one thread of a worker process that writes outcomes in batches, a few milliseconds after they come."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable

from flask import Flask
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from webapp.delivery import disabling, recording
from webapp.delivery.recording import Result
from webapp.delivery.tallying import Consequence

log = logging.getLogger(__name__)

LINGER_S = 0.003  # a batch waits this long for company
MAX_BATCH = 200
KEEP_TRYING_FOR_S = 30.0  # then the lease makes it a duplicate, never a loss
PAUSE_S = 0.5
BEHIND_AFTER_S = 0.5  # when a batch has taken so long, the database is away, stands still or is locked
MAX_NAMED = 20  # ids in a line of the log


def _named(batch: list[Result]) -> dict[str, object]:
    return {"count": len(batch), "deliveries": [result.claim.delivery.id for result in batch[:MAX_NAMED]]}


class Recorder:
    """Takes results from sender threads and writes them. `recorded` is told of each batch that is on disk."""

    def __init__(self, app: Flask, *, recorded: Callable[[list[Result]], None]) -> None:
        self._app = app
        self._recorded = recorded
        self._results: queue.SimpleQueue[Result | None] = queue.SimpleQueue()
        self._writing_since: float | None = None
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def put(self, result: Result) -> None:
        """Write this one soon."""
        self._results.put(result)

    def stop(self) -> None:
        """Write what is waiting, then return."""
        self._results.put(None)
        self._thread.join()

    @property
    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    @property
    def is_behind(self) -> bool:
        """Whether outcomes cannot be written at the moment: what is sent now might have to be sent again."""
        since = self._writing_since
        return since is not None and time.monotonic() - since > BEHIND_AFTER_S

    def _run(self) -> None:
        is_open = True
        while is_open:
            batch, is_open = self._next_batch()
            if batch:
                self._writing_since = time.monotonic()
                self._write(batch)
                self._writing_since = None
                self._recorded(batch)

    def _next_batch(self) -> tuple[list[Result], bool]:
        first = self._results.get()
        if first is None:
            return [], False
        batch, until = [first], time.monotonic() + LINGER_S
        while len(batch) < MAX_BATCH:
            try:
                result = self._results.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                break
            if result is None:
                return batch, False
            batch.append(result)
        return batch, True

    def _write(self, batch: list[Result]) -> None:
        give_up_at = time.monotonic() + KEEP_TRYING_FOR_S
        consequences: list[Consequence] | None = None
        while True:
            try:
                with self._app.app_context():
                    if consequences is None:  # told once: what is on disk already has no consequences again
                        consequences = recording.record(batch)
                    disabling.draw(consequences)
            except (DBAPIError, PoolTimeout):
                if time.monotonic() > give_up_at:
                    log.exception("outcomes could not be recorded; they are sent again", extra=_named(batch))
                    return
                log.warning("outcomes cannot be recorded at the moment", exc_info=True)
                time.sleep(PAUSE_S)
            else:
                return
