"""The thread of a worker that listens to the bell and runs the tasks it names, whatever happens to the queue."""

# mypy: allow-untyped-calls

from __future__ import annotations

import logging
import threading
import time
from datetime import datetime
from typing import Any

from huey.consumer import Consumer, Scheduler, Worker

from webapp.doorbell.app_huey import AppHuey
from webapp.doorbell.storage import BellLostError

log = logging.getLogger(__name__)

RETRY_PAUSE = 1.0  # seconds between tries while the queue is out of order
COMPLAIN_EVERY = 60.0  # seconds between two lines about it
POLL_INTERVAL = 0.05  # seconds between looks into a queue that cannot wait (memory, in tests)
STOP_LIMIT = 2.0  # seconds that stop() waits by default


class Listener:
    """Runs huey's consumer inside our own process: one thread for tasks, one for periodic tasks, no signal handlers.

    A queue that is gone, hangs or is loading never ends it. It may be started again after it was stopped.
    """

    def __init__(self, huey: AppHuey, *, periodic: bool = True) -> None:
        self._huey = huey
        self._periodic = periodic
        self._consumer: _QuietConsumer | None = None

    def start(self) -> None:
        """Start listening and return at once. Raises RuntimeError when it listens already."""
        if self._running():
            raise RuntimeError("it listens already")
        self._consumer = _QuietConsumer(self._huey, workers=1, periodic=self._periodic)
        self._consumer.start()

    def stop(self, timeout: float = STOP_LIMIT) -> bool:
        """Stop listening; whether it ended within the seconds given (a task that runs is not interrupted)."""
        if self._consumer is None:
            return True
        self._consumer.stop()
        deadline = time.monotonic() + timeout
        for thread in self._consumer.threads:
            thread.join(max(deadline - time.monotonic(), 0))
        return not self._running()

    @property
    def is_alive(self) -> bool:
        """Whether both threads are there: without the second, mails and pruning would end and nobody would see it."""
        return self._consumer is not None and self._running() == self._consumer.threads

    def _running(self) -> list[threading.Thread]:
        return [thread for thread in self._consumer.threads if thread.is_alive()] if self._consumer else []


class _PatientWorker(Worker):
    """huey's worker, which goes on when the queue is out of order and says so once a minute at most."""

    _complained_at = -COMPLAIN_EVERY
    _has_complained = False

    def loop(self, now: datetime | None = None) -> None:
        """Take one task and run it."""
        try:
            task = self.huey.dequeue()
        except Exception as error:  # noqa: BLE001 - the edge of a loop that must not end, whatever a client raises
            self._complain(error)
            self.stop_flag.wait(RETRY_PAUSE)
            return
        self._say_that_it_is_over()
        if task is not None:
            self._run(task, now)
        elif not self.huey.storage.blocking:
            self.stop_flag.wait(POLL_INTERVAL)

    def shutdown(self) -> None:
        """Close what this thread opened, as its last act: only it can reach its own connections."""
        super().shutdown()
        self.huey.storage.close()

    def _run(self, task: Any, now: datetime | None) -> None:
        try:
            self.huey.execute(task, now)
        except Exception:
            log.exception("%s ended early", task)

    def _complain(self, error: Exception) -> None:
        if time.monotonic() - self._complained_at >= COMPLAIN_EVERY:
            self._complained_at, self._has_complained = time.monotonic(), True
            log.warning("the queue cannot be read, trying again: %s: %s", type(error).__name__, error)

    def _say_that_it_is_over(self) -> None:
        if self._has_complained:
            self._has_complained = False
            log.info("the queue can be read again")


class _PeriodicOnly(Scheduler):
    """huey's scheduler without its schedule: due times are rows, and reading it locks the queue each second."""

    def loop(self, now: datetime | None = None) -> None:
        """Enqueue the periodic tasks whose minute has come."""
        begun = time.monotonic()
        if self.periodic and self._next_periodic <= begun:
            while self._next_periodic <= begun:
                self._next_periodic += self.periodic_task_seconds
            self.enqueue_periodic_tasks(now)
        self.sleep_for_interval(begun, self.interval)

    def enqueue_periodic_tasks(self, now: datetime | None) -> None:
        """Enqueue those whose minute has come. A lost one is told in a line; it comes again when its time does."""
        for task in self.huey.read_periodic(now):
            try:
                self.huey.enqueue(task)
            except BellLostError as error:
                log.warning("the queue did not take the periodic task %s: %s", task.name, error)
            except Exception:
                log.exception("the periodic task %s was not enqueued", task.name)


class _QuietConsumer(Consumer):
    worker_class = _PatientWorker
    scheduler_class = _PeriodicOnly

    @property
    def threads(self) -> list[threading.Thread]:
        """The one that listens, then the one for periodic tasks."""
        return [thread for _, thread in self.worker_threads] + [self.scheduler]

    def _set_signal_handlers(self) -> None:
        """Leave signals to the process that we live in."""
