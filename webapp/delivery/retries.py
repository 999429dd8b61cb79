"""When to try again. Pure: the clock and the dice are handed in.

Only attempts with a known outcome count: one that was lost with its worker takes nothing from the schedule.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from http import HTTPStatus

JITTER = 0.2  # the share of a wait by which it may be shorter or longer
MAX_RETRY_AFTER = timedelta(hours=24)
RETRY_AFTER_STATUSES = frozenset([HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE])


def first_attempt_at(*, now: datetime, schedule: Sequence[timedelta], jitter: float = 0.0) -> datetime:
    """When a new delivery is due: after the first wait of the schedule, which is none by default."""
    return now + _jittered(schedule[0], jitter)


def next_attempt_at(
    *,
    attempts: int,
    now: datetime,
    schedule: Sequence[timedelta],
    retry_after: timedelta | None = None,
    jitter: float = 0.0,
) -> datetime | None:
    """When to try again after `attempts` failed ones; None when the schedule has no more.

    `schedule` holds the wait before each attempt, the first included. `jitter` from -1 to 1 makes a wait up to 20 %
    shorter or longer. An honoured `retry_after` only ever makes it later and counts for at most 24 h.
    Raises ValueError for a jitter out of range.
    """
    if attempts >= len(schedule):
        return None
    wait = _jittered(schedule[attempts], jitter)
    return now + max(wait, min(retry_after or wait, MAX_RETRY_AFTER))


def honoured(status: int | None, retry_after: timedelta | None) -> timedelta | None:
    """What an answer asks for with Retry-After, if its status is one where that is honoured: 429 and 503."""
    return retry_after if status in RETRY_AFTER_STATUSES else None


def _jittered(wait: timedelta, jitter: float) -> timedelta:
    if not -1 <= jitter <= 1:
        raise ValueError(f"a jitter of {jitter}; it lies between -1 and 1")
    return wait * (1 + JITTER * jitter)
