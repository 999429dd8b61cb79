"""The recorder: gathers outcomes and writes them in batches, a few milliseconds after they come."""

from __future__ import annotations

import logging
import math
import time

from webapp.delivery import disabling, recording
from webapp.delivery.recording import Result
from webapp.delivery.tallying import Consequence

log = logging.getLogger(__name__)

LINGER_S = 0.020  # the first outcome waits this long for company: a transaction costs as much as writing ten of them
MAX_BATCH = 200
MAX_BATCH_BYTES = 1_000_000  # of answers: more would keep others waiting, for a lock or as if it were stuck
SHARE = 1 / 2  # of the claims in hand: their outcomes are written while the others are on their way
KEEP_TRYING_FOR_S = 30.0  # then the lease makes it a duplicate, never a loss
PAUSE_S = 0.5
MAX_NAMED = 20  # ids in a line of the log
BEHIND_AFTER_S = 0.5  # when a batch has taken so long, the database is away, stands still or is locked


class Recorder:
    """Outcomes of one worker process that are not on disk yet. Belongs to one thread, but for `is_behind`."""

    def __init__(self) -> None:
        self._results: list[Result] = []
        self._batch: list[Result] = []  # being written, again and again while the database refuses
        self._consequences: list[Consequence] | None = None
        self._proven: dict[str, Consequence] = {}  # by webhook, the first success since they were looked at
        self._writing_since: float | None = None
        self.due_at = math.inf  # when to record, by the monotonic clock

    def add(self, result: Result) -> None:
        """Keep this one until it is recorded."""
        if not (self._results or self._batch):
            self.due_at = time.monotonic() + LINGER_S
        self._results.append(result)

    @property
    def held(self) -> int:
        """How many outcomes are not written yet."""
        return len(self._results) + len(self._batch)

    @property
    def is_behind(self) -> bool:
        """Whether outcomes cannot be written at the moment: what is sent now might have to be sent again."""
        since = self._writing_since
        return since is not None and time.monotonic() - since > BEHIND_AFTER_S

    def is_due(self, in_hand: int) -> bool:
        """Whether to record now: the time has come, or so many of the claims that are in hand have their outcome."""
        if time.monotonic() >= self.due_at:
            return True
        return bool(self._results) and not self._batch and len(self._results) >= min(in_hand * SHARE, MAX_BATCH)

    def missing(self, in_hand: int) -> int:
        """How many more outcomes are worth waking up for: the first of a batch, then those that make it due."""
        if not self.held:
            return 1
        share = MAX_BATCH if self._batch else math.ceil(min(in_hand * SHARE, MAX_BATCH))
        return max(1, share - len(self._results))

    def record(self) -> list[Result]:
        """Write what has come; returns what is done with, which is nothing while the database refuses."""
        if not self._batch:
            count = _first_batch(self._results)
            self._batch, self._results = self._results[:count], self._results[count:]
            self._consequences = None
            self._writing_since = time.monotonic()
        try:
            self._write()
        except Exception:
            if not self._has_tried_enough():
                log.warning("outcomes cannot be recorded at the moment", exc_info=True)
                self.due_at = time.monotonic() + PAUSE_S
                return []
            log.exception("outcomes could not be recorded; they are sent again", extra=_named(self._batch))
        return self._done()

    def _write(self) -> None:
        if self._consequences is None:  # told once: what is on disk already has no consequences again
            found = recording.record(self._batch)
            self._consequences = [one for one in found if one.proven_at is None]
            for one in found:
                if one.proven_at is not None:
                    self._proven.setdefault(one.webhook_id, one)
        disabling.draw(self._consequences)

    def draw_proven(self) -> None:
        """Undo what successes have shown to be a mistake: seldom there, so it is not looked for after each batch."""
        if self._proven:
            disabling.draw(list(self._proven.values()))
            self._proven = {}

    def _has_tried_enough(self) -> bool:
        return self._writing_since is not None and time.monotonic() - self._writing_since > KEEP_TRYING_FOR_S

    def _done(self) -> list[Result]:
        done, self._batch = self._batch, []
        self._writing_since = None
        self.due_at = time.monotonic() if self._results else math.inf
        return done


def _first_batch(results: list[Result]) -> int:
    """How many of these, the oldest first, are written together: within both limits, and one in any case."""
    size = 0
    for count, result in enumerate(results[:MAX_BATCH]):
        outcome = result.outcome
        size += len(outcome.body) + sum(len(name) + len(value) for name, value in outcome.headers)
        if size > MAX_BATCH_BYTES and count > 0:
            return count
    return min(len(results), MAX_BATCH)


def _named(batch: list[Result]) -> dict[str, object]:
    return {"count": len(batch), "deliveries": [result.claim.delivery.id for result in batch[:MAX_NAMED]]}
