"""Figures from the attempts that were counted hour by hour: how many succeeded, how long they took, why others failed.

Only attempts of events count. One whose outcome nobody knows is neither a success nor a failure. A time of day is true
to the hour (UTC), a percentile to about a tenth.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum
from itertools import pairwise
from typing import Any

import sqlalchemy as sa

from webapp.delivery import latencies
from webapp.delivery.counting import hour_of
from webapp.extensions import db
from webapp.models import WebhookHour
from webapp.models.hour import NO_SPAN, SUCCESS, UNKNOWN

HOUR = timedelta(hours=1)
HOURS_A_DAY = 24
QUARTER = 6  # hours: a bar of the week
QUARTERS_A_WEEK, DAYS_A_MONTH = 28, 30


class Span(StrEnum):
    """How far back the figures reach: 24 hours, or so many days of the person's zone; the one that runs is counted."""

    DAY = "24h"
    WEEK = "7d"
    MONTH = "30d"


@dataclass
class Tries:
    """Attempts of one while."""

    succeeded: int = 0
    failed: int = 0


@dataclass
class Slot:
    """One bar of the chart: an hour, a quarter of a day or a day, in the person's zone. Latencies are those of answers,
    in ms; None where there was none."""

    starts_at: datetime
    ends_at: datetime
    succeeded: int = 0
    failed: int = 0
    buckets: Counter[int] = field(default_factory=Counter)

    @property
    def p50(self) -> float | None:
        """Half of the answers took no longer."""
        return latencies.percentile(self.buckets, 0.5)

    @property
    def p95(self) -> float | None:
        """Nineteen of twenty answers took no longer."""
        return latencies.percentile(self.buckets, 0.95)


@dataclass(frozen=True)
class Cause:
    """Failures of one kind: a status code, an error word or "unknown", and when the first one was."""

    outcome: str
    count: int
    since: datetime


@dataclass(frozen=True)
class Course:
    """How a webhook did over a span: bars, oldest first, totals, and causes of failures, the most frequent first."""

    span: Span
    slots: list[Slot]
    deliveries: int
    causes: list[Cause]

    @property
    def succeeded(self) -> int:
        """Attempts that the receiver accepted."""
        return sum(slot.succeeded for slot in self.slots)

    @property
    def failed(self) -> int:
        """Attempts that failed."""
        return sum(slot.failed for slot in self.slots)

    @property
    def success_percent(self) -> int | None:
        """Of the attempts whose outcome is known; None without any."""
        return success_percent(self.succeeded, self.failed)

    @property
    def p95(self) -> float | None:
        """Nineteen of twenty answers took no longer, in ms."""
        return latencies.percentile(sum((slot.buckets for slot in self.slots), Counter()), 0.95)


def success_percent(succeeded: int, failed: int) -> int | None:
    """A whole percentage that reads 100 only for all and 0 only for none; None of nothing."""
    if not succeeded + failed:
        return None
    return max(100 * succeeded // (succeeded + failed), 1) if succeeded else 0


def last_day(webhook_ids: Sequence[str], now: datetime) -> dict[str, list[Tries]]:
    """The attempts of the last 24 hours, hour by hour, of each webhook that had any."""
    first = hour_of(now) - (HOURS_A_DAY - 1) * HOUR
    is_success = WebhookHour.outcome == SUCCESS
    query = (
        sa.select(WebhookHour.webhook_id, WebhookHour.hour_at, is_success, sa.func.sum(WebhookHour.attempts))
        .where(
            WebhookHour.webhook_id.in_(webhook_ids),
            WebhookHour.hour_at.between(first, hour_of(now)),
            WebhookHour.outcome != UNKNOWN,
        )
        .group_by(WebhookHour.webhook_id, WebhookHour.hour_at, is_success)
    )
    found: dict[str, list[Tries]] = defaultdict(lambda: [Tries() for _ in range(HOURS_A_DAY)])
    for webhook_id, hour_at, succeeded, attempts in db.session.execute(query):
        tries = found[webhook_id][(hour_at - first) // HOUR]
        if succeeded:
            tries.succeeded += int(attempts)
        else:
            tries.failed += int(attempts)
    return dict(found)


def course(webhook_id: str, span: Span, now: datetime, zone: tzinfo) -> Course:
    """How this webhook did over a span that ends now, in bars of the person's zone."""
    bounds = slot_bounds(span, now, zone)
    slots = [Slot(start, end) for start, end in pairwise(bounds)]
    rows = db.session.execute(_counts(webhook_id, bounds)).all()
    for row in rows:
        _add(slots[row.slot], row)
    return Course(span, slots, sum(int(row.deliveries) for row in rows), _causes(rows))


def slot_bounds(span: Span, now: datetime, zone: tzinfo) -> list[datetime]:
    """The moments, in UTC, between which the bars lie; now is in the last hour or day of them. Pure."""
    if span is Span.DAY:
        end = hour_of(now.astimezone(UTC)) + HOUR
        return [end - ago * HOUR for ago in range(HOURS_A_DAY, -1, -1)]
    tomorrow = now.astimezone(zone).replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    step, count = (QUARTER * HOUR, QUARTERS_A_WEEK) if span is Span.WEEK else (timedelta(days=1), DAYS_A_MONTH)
    return [(tomorrow - ago * step).replace(tzinfo=zone).astimezone(UTC) for ago in range(count, -1, -1)]


def _counts(webhook_id: str, bounds: Sequence[datetime]) -> sa.Select[Any]:
    """Summed up for each bar by the database: a busy month has a row for each latency class of each hour."""
    slot = sa.case(*((WebhookHour.hour_at < bound, place) for place, bound in enumerate(bounds[1:]))).label("slot")
    return (
        sa.select(
            slot,
            WebhookHour.outcome,
            WebhookHour.bucket,
            sa.func.sum(WebhookHour.attempts).label("attempts"),
            sa.func.sum(WebhookHour.deliveries).label("deliveries"),
            sa.func.min(WebhookHour.first_at).label("first_at"),
        )
        .where(
            WebhookHour.webhook_id == webhook_id,
            WebhookHour.hour_at >= bounds[0],
            WebhookHour.hour_at < bounds[-1],
            WebhookHour.attempts > 0,
        )
        .group_by(slot, WebhookHour.outcome, WebhookHour.bucket)
    )


def _add(slot: Slot, row: Any) -> None:
    if row.outcome == SUCCESS:
        slot.succeeded += int(row.attempts)
    elif row.outcome != UNKNOWN:
        slot.failed += int(row.attempts)
    if row.bucket != NO_SPAN and (row.outcome == SUCCESS or row.outcome.isdigit()):
        slot.buckets[row.bucket] += int(row.attempts)


def _causes(rows: Sequence[Any]) -> list[Cause]:
    counts: Counter[str] = Counter()
    since: dict[str, datetime] = {}
    for row in rows:
        if row.outcome != SUCCESS:
            counts[row.outcome] += int(row.attempts)
            since[row.outcome] = min(row.first_at, since.get(row.outcome, row.first_at))
    return [Cause(outcome, count, since[outcome]) for outcome, count in counts.most_common()]
