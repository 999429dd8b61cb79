"""What an outcome means for its delivery: settled, tried again later, or left as it was. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, NamedTuple

from webapp.delivery import retries
from webapp.models import DeliveryKind, DeliveryState


class Standing(NamedTuple):
    """How a delivery stands, inside the lock, when an outcome of it is recorded."""

    kind: DeliveryKind
    state: DeliveryState
    attempts_counted: int


class Ending(NamedTuple):
    """How an attempt ended: a success, or not, and what the receiver asked for."""

    is_success: bool
    status: int | None = None
    retry_after: timedelta | None = None


GONE = "gone"  # the receiver answered 410


def settle(
    standing: Standing,
    ending: Ending,
    *,
    is_by_hand: bool,
    now: datetime,
    schedule: Sequence[timedelta],
    jitter: float,
) -> dict[str, Any]:
    """The columns of the delivery that change. `jitter` lies in [-1, 1].

    A success settles whatever asked for it, and succeeded never turns back. A failure by hand starts no schedule and
    changes none. A failure of a delivery that was held, cancelled or settled meanwhile leaves it so.
    """
    if ending.is_success:
        return {"state": DeliveryState.SUCCEEDED, "reason": None, "next_attempt_at": None, "settled_at": now}
    if standing.state is not DeliveryState.PENDING:
        return {}
    if standing.kind is not DeliveryKind.EVENT:
        return _failed(now, counted=standing.attempts_counted + 1)
    if is_by_hand:
        return {}
    return _after_failure(standing, ending, now=now, schedule=schedule, jitter=jitter)


def _after_failure(
    standing: Standing, ending: Ending, *, now: datetime, schedule: Sequence[timedelta], jitter: float
) -> dict[str, Any]:
    counted = standing.attempts_counted + 1
    if ending.status == HTTPStatus.GONE:
        return _failed(now, counted=counted, reason=GONE)
    asked_for = retries.honoured(ending.status, ending.retry_after)
    again_at = retries.next_attempt_at(
        attempts=counted, now=now, schedule=schedule, retry_after=asked_for, jitter=jitter
    )
    if again_at is None:
        return _failed(now, counted=counted)
    return {"attempts_counted": counted, "next_attempt_at": again_at}


def _failed(now: datetime, *, counted: int, reason: str | None = None) -> dict[str, Any]:
    return {
        "state": DeliveryState.FAILED,
        "reason": reason,
        "attempts_counted": counted,
        "next_attempt_at": None,
        "settled_at": now,
    }
