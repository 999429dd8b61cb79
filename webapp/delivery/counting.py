"""Counting: how the attempts of events went, hour by hour, for the figures that people see.

An attempt is counted once, in the transaction that ends it: when its outcome is recorded, or as "unknown" when its
lease runs out; should the outcome come after all, the count moves there. Pings, tests and health checks do not count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from webapp.delivery import latencies
from webapp.models import Attempt, Delivery, DeliveryKind, ErrorWord, WebhookHour, bulk
from webapp.models.base import table_of
from webapp.models.hour import NO_SPAN, SUCCESS, UNKNOWN

KEY = ("webhook_id", "hour_at", "outcome", "bucket")

_ATTEMPT, _DELIVERY, _HOUR = table_of(Attempt), table_of(Delivery), table_of(WebhookHour)


class Counted(NamedTuple):
    """One attempt as it is counted. `was_unknown` says that it has been counted so before."""

    webhook_id: str
    claimed_at: datetime
    is_first: bool
    outcome: str = UNKNOWN
    bucket: int = NO_SPAN
    was_unknown: bool = False

    @property
    def hour_at(self) -> datetime:
        """The hour that it belongs to."""
        return hour_of(self.claimed_at)


def hour_of(at: datetime) -> datetime:
    """The hour, in UTC, that a moment lies in."""
    return at.replace(minute=0, second=0, microsecond=0)


def outcome_of(status: int | None, error: ErrorWord | None) -> str:
    """The word that an outcome is counted under."""
    if error is not None:
        return error.value
    if status is None:
        return UNKNOWN
    return SUCCESS if 200 <= status < 300 else str(status)


def bucket_of(total_ms: float | None) -> int:
    """The class that a latency is counted under."""
    return NO_SPAN if total_ms is None else latencies.bucket(total_ms)


def count(connection: Connection, ended: Iterable[Counted]) -> None:
    """Count attempts that ended. The rows are written in one order, so that nobody waits for each other in a ring."""
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    found_out = []
    for each in ended:
        _add(rows, each)
        if each.was_unknown:
            found_out.append(each)
    _take_back(connection, found_out)
    if rows:
        bulk.execute(connection, _UPSERT[connection.dialect.name], [rows[key] for key in sorted(rows)])


def count_lost(connection: Connection, delivery_seqs: Sequence[int]) -> None:
    """Count the newest attempts of these deliveries, whose leases ran out, as unknown."""
    query = (
        sa.select(_DELIVERY.c.webhook_id, _ATTEMPT.c.claimed_at, _ATTEMPT.c.number)
        .join(_DELIVERY, _DELIVERY.c.seq == _ATTEMPT.c.delivery_seq)
        .where(
            _ATTEMPT.c.delivery_seq.in_(delivery_seqs),
            _ATTEMPT.c.claim_token == _DELIVERY.c.claim_token,
            _ATTEMPT.c.finished_at.is_(None),
            _DELIVERY.c.kind == DeliveryKind.EVENT,
        )
    )
    count(connection, [Counted(row.webhook_id, row.claimed_at, row.number == 1) for row in connection.execute(query)])


def forget_lost(connection: Connection, attempt_ids: Sequence[str]) -> None:
    """Take back the counts of these attempts where their leases ran out: nothing of them was sent, and they go."""
    is_lost = sa.or_(_DELIVERY.c.lease_until.is_(None), _ATTEMPT.c.claim_token != _DELIVERY.c.claim_token)
    query = (
        sa.select(_DELIVERY.c.webhook_id, _ATTEMPT.c.claimed_at, _ATTEMPT.c.number)
        .join(_DELIVERY, _DELIVERY.c.seq == _ATTEMPT.c.delivery_seq)
        .where(
            _ATTEMPT.c.id.in_(attempt_ids),
            _ATTEMPT.c.finished_at.is_(None),
            _DELIVERY.c.kind == DeliveryKind.EVENT,
            is_lost,
        )
        .with_for_update(of=_DELIVERY)
    )
    lost = [Counted(row.webhook_id, row.claimed_at, row.number == 1) for row in connection.execute(query)]
    _take_back(connection, lost)


def count_past(connection: Connection) -> None:
    """Count every attempt of an event there is: for a past that was written as rows and never recorded."""
    columns = (_ATTEMPT.c.claimed_at, _ATTEMPT.c.number, _ATTEMPT.c.status, _ATTEMPT.c.error, _ATTEMPT.c.total_ms)
    query = (
        sa.select(_DELIVERY.c.webhook_id, *columns)
        .join(_DELIVERY, _DELIVERY.c.seq == _ATTEMPT.c.delivery_seq)
        .where(_DELIVERY.c.kind == DeliveryKind.EVENT, _DELIVERY.c.lease_until.is_(None))
    )
    count(
        connection,
        (
            Counted(
                row.webhook_id,
                row.claimed_at,
                row.number == 1,
                outcome_of(row.status, row.error),
                bucket_of(row.total_ms),
            )
            for row in connection.execute(query)
        ),
    )


def _add(rows: dict[tuple[Any, ...], dict[str, Any]], each: Counted) -> None:
    key = (each.webhook_id, each.hour_at, each.outcome, each.bucket)
    row = rows.get(key)
    if row is None:
        row = rows[key] = dict(zip(KEY, key, strict=True))
        row |= {"attempts": 0, "deliveries": 0, "first_at": each.claimed_at, "last_at": each.claimed_at}
    row["attempts"] += 1
    row["deliveries"] += each.is_first
    row["first_at"] = min(row["first_at"], each.claimed_at)
    row["last_at"] = max(row["last_at"], each.claimed_at)


def _take_back(connection: Connection, unknown: Sequence[Counted]) -> None:
    if not unknown:
        return
    attempts = Counter((each.webhook_id, each.hour_at) for each in unknown)
    firsts = Counter((each.webhook_id, each.hour_at) for each in unknown if each.is_first)
    statement = (
        sa.update(_HOUR)
        .where(
            _HOUR.c.webhook_id == sa.bindparam("_webhook_id"),
            _HOUR.c.hour_at == sa.bindparam("_hour_at"),
            _HOUR.c.outcome == UNKNOWN,
            _HOUR.c.bucket == NO_SPAN,
        )
        .values(
            attempts=_HOUR.c.attempts - sa.bindparam("_attempts"),
            deliveries=_HOUR.c.deliveries - sa.bindparam("_deliveries"),
        )
    )
    connection.execute(
        statement,
        [
            {"_webhook_id": key[0], "_hour_at": key[1], "_attempts": attempts[key], "_deliveries": firsts[key]}
            for key in sorted(attempts)
        ],
    )


def _upsert(dialect: str) -> Any:
    insert = (sqlite if dialect == "sqlite" else postgresql).insert(_HOUR)
    new = insert.excluded
    return insert.on_conflict_do_update(
        index_elements=KEY,
        set_={
            "attempts": _HOUR.c.attempts + new.attempts,
            "deliveries": _HOUR.c.deliveries + new.deliveries,
            "first_at": sa.case((new.first_at < _HOUR.c.first_at, new.first_at), else_=_HOUR.c.first_at),
            "last_at": sa.case((new.last_at > _HOUR.c.last_at, new.last_at), else_=_HOUR.c.last_at),
        },
    )


_UPSERT = {dialect: _upsert(dialect) for dialect in ("sqlite", "postgresql")}
