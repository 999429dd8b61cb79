"""Writing together what several threads want to write at once: one transaction, one wait for the disk.

SQLite takes one writer at a time, and each commit waits for the disk. Whoever has its turn writes for all that wait by
then, so many calls at once cost little more than one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

MOST_AT_ONCE = 500  # of what jobs are made of, so that others get the lock


class Job(Protocol):
    """Something to be written."""

    @property
    def size(self) -> int:
        """How much there is to write."""

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to do: it was written, or cannot be."""


AnyJob = TypeVar("AnyJob", bound=Job)
Take = Callable[[], list[AnyJob]]


class Combiner(Generic[AnyJob]):
    """`write` gets a function that takes the jobs that wait, and has them done when it returns.

    It calls that function as late as it can, with the lock in its hand: what came in meanwhile is written along.
    """

    def __init__(self, write: Callable[[Take[AnyJob]], None]) -> None:
        self._write = write
        self._lock = threading.Lock()
        self._turn = threading.Lock()
        self._waiting: list[AnyJob] = []

    def do(self, job: AnyJob) -> None:
        """Return when the job is done, by this thread or by another."""
        with self._lock:
            self._waiting.append(job)
        with self._turn:
            while not job.is_done:
                self._write_some()

    def _write_some(self) -> None:
        taken: list[AnyJob] = []

        def take() -> list[AnyJob]:
            taken.extend(self._next())
            return taken

        try:
            self._write(take)
        finally:  # also when this thread is being ended: the next one does the rest
            with self._lock:
                self._waiting[:0] = [job for job in taken if not job.is_done]

    def _next(self) -> list[AnyJob]:
        with self._lock:
            count, size = 0, 0
            while count < len(self._waiting) and size < MOST_AT_ONCE:
                size += self._waiting[count].size
                count += 1
            taken, self._waiting = self._waiting[:count], self._waiting[count:]
        return taken
