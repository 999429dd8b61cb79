"""Recording: outcomes go back into the rows, in batches, each write fenced by the token of its claim."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from webapp.config import current
from webapp.delivery import counting, tallying
from webapp.delivery.claims import Claim
from webapp.delivery.counting import Counted
from webapp.delivery.sending import Outcome
from webapp.delivery.settling import Ending, Standing, settle
from webapp.delivery.tallying import Consequence, Tally
from webapp.models import Attempt, Delivery, DeliveryKind, Redelivery, bulk, database_now, packed, transaction
from webapp.models.among import among
from webapp.models.base import UtcTime, table_of
from webapp.models.conflicts import repeated

MAX_PHRASE_LENGTH = 200
MAX_URL_LENGTH = 2048

_DELIVERY = table_of(Delivery)
_ATTEMPT = table_of(Attempt)
_REDELIVERY = table_of(Redelivery)
# An attempt that is not among them was recorded before: a result that comes twice counts once.
_OPEN = (
    sa.select(
        _ATTEMPT.c.id,
        _DELIVERY.c.claim_token,
        _DELIVERY.c.lease_until.is_(None).label("is_over"),
        _DELIVERY.c.state,
        _DELIVERY.c.attempts_counted,
        _DELIVERY.c.body_sha256,
    )
    .join(_DELIVERY, _DELIVERY.c.seq == _ATTEMPT.c.delivery_seq)
    .where(among(_ATTEMPT.c.id, "ids"), _ATTEMPT.c.finished_at.is_(None))
    .with_for_update(of=_DELIVERY)
)
_OPEN_AND_TIME = _OPEN.add_columns(sa.func.clock_timestamp(type_=UtcTime).label("at"))
_COMPLETE = sa.update(_ATTEMPT).where(_ATTEMPT.c.id == sa.bindparam("_id"))
_SETTLE = sa.update(_DELIVERY).where(
    _DELIVERY.c.seq == sa.bindparam("_seq"), _DELIVERY.c.claim_token == sa.bindparam("_token")
)
_FINISH = (
    sa.update(_REDELIVERY)
    .where(_REDELIVERY.c.seq == sa.bindparam("_seq"))
    .values(finished_at=sa.bindparam("at", type_=_REDELIVERY.c.finished_at.type))
)


class Result(NamedTuple):
    """One attempt that ended."""

    claim: Claim
    outcome: Outcome
    url: str
    body_sha256: str | None
    started_at: datetime
    finished_at: datetime


@repeated
def record(results: Sequence[Result]) -> list[Consequence]:
    """Write the outcomes of attempts, each once, and what follows for their deliveries and counters. One transaction.

    Returns what may have to be done about webhooks: `disabling.draw()` does it.

    A result whose token is not the delivery's any more is late: another worker owns the delivery now, so only the
    attempt is completed, and nothing newer is overwritten.
    """
    settings = current()
    with transaction(in_pipeline=True) as session:
        connection = session.connection()
        opened, now = _opened(connection, [result.claim.attempt_id for result in results])
        standing = {row.id: row for row in opened}
        first = {result.claim.attempt_id: result for result in reversed(results)}
        ended = [(result, standing[key]) for key, result in reversed(first.items()) if key in standing]
        if not ended:
            return []
        fenced = [(result, row) for result, row in ended if _is_mine(result, row)]
        mine = [result for result, _ in fenced]
        # First what is waited for, then what is only sent.
        consequences = tallying.count(connection, [_tally(result) for result in mine if _counts(result)], now)
        bulk.execute(connection, _COMPLETE, [_told(result, is_late=not _is_mine(result, row)) for result, row in ended])
        _settle(
            connection, [_changes(result, row, now=now, schedule=settings.retry_schedule) for result, row in fenced]
        )
        _finish_redeliveries(connection, mine, now)
        counting.count(connection, [_counted(result, row) for result, row in ended if _is_of_event(result)])
        return consequences


def _opened(connection: Connection, attempt_ids: Sequence[str]) -> tuple[Sequence[Any], datetime]:
    """The attempts that are open, their deliveries locked, and the time by the clock of due times."""
    values = {"ids": attempt_ids}
    if connection.dialect.name == "sqlite":
        return packed.rows(connection, _OPEN, values), database_now()
    rows = connection.execute(_OPEN_AND_TIME, values).all()
    return rows, rows[0].at if rows else database_now()


def _counts(result: Result) -> bool:
    """A success counts for health, whatever asked for it; against it count only scheduled attempts of events."""
    return result.outcome.is_success or result.claim.is_scheduled


def _tally(result: Result) -> Tally:
    outcome = result.outcome
    return Tally(
        webhook_id=result.claim.delivery.webhook_id,
        at=result.finished_at,
        claimed_at=result.claim.claimed_at,
        is_success=outcome.is_success,
        is_probe=result.claim.is_probe,
        status=outcome.status,
        word=outcome.error or str(outcome.status),
    )


def _is_mine(result: Result, row: Any) -> bool:
    is_mine: bool = row.claim_token == result.claim.token
    return is_mine


def _is_of_event(result: Result) -> bool:
    return result.claim.delivery.kind is DeliveryKind.EVENT


def _counted(result: Result, row: Any) -> Counted:
    """What goes into the figures. A claim whose lease had run out was counted as unknown then."""
    claim, outcome = result.claim, result.outcome
    return Counted(
        claim.delivery.webhook_id,
        claim.claimed_at,
        claim.delivery.attempts_made == 1,
        counting.outcome_of(outcome.status, outcome.error),
        counting.bucket_of(outcome.total_ms),
        was_unknown=row.is_over or not _is_mine(result, row),
    )


def _told(result: Result, *, is_late: bool) -> dict[str, Any]:
    outcome = result.outcome
    return {
        "_id": result.claim.attempt_id,
        "is_late": is_late,
        "started_at": result.started_at,
        "finished_at": result.finished_at,
        "url": result.url[:MAX_URL_LENGTH],
        "request_headers": outcome.request_headers,
        "status": outcome.status,
        "error": outcome.error,
        "sentence": outcome.sentence,
        "phrase": outcome.reason[:MAX_PHRASE_LENGTH],
        "response_headers": outcome.headers,
        "response_body": outcome.body,
        "is_cut": outcome.is_cut,
        "retry_after_s": outcome.retry_after.total_seconds() if outcome.retry_after is not None else None,
        "peer": outcome.peer,
        "dns_ms": outcome.dns_ms,
        "connect_ms": outcome.connect_ms,
        "tls_ms": outcome.tls_ms,
        "first_byte_ms": outcome.first_byte_ms,
        "total_ms": outcome.total_ms,
    }


def _changes(result: Result, row: Any, *, now: datetime, schedule: Sequence[Any]) -> dict[str, Any]:
    outcome = result.outcome
    return {
        "_seq": result.claim.seq,
        "_token": result.claim.token,
        "lease_until": None,
        "claims": 0,
        "last_status": outcome.status,
        "last_error": outcome.error,
        "last_ms": outcome.total_ms,
        "body_sha256": row.body_sha256 or result.body_sha256,
        **settle(
            Standing(result.claim.delivery.kind, row.state, row.attempts_counted),
            Ending(outcome.is_success, outcome.status, outcome.retry_after),
            is_by_hand=result.claim.redelivery_seq is not None,
            now=now,
            schedule=schedule,
            jitter=random.uniform(-1, 1),  # noqa: S311 - spreads retries, guards nothing
        ),
    }


def _settle(connection: Connection, changes: Sequence[dict[str, Any]]) -> None:
    """One statement for each set of columns: mostly one, for all that succeeded."""
    alike: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for change in changes:
        alike[tuple(change)].append(change)
    for rows in alike.values():
        bulk.execute(connection, _SETTLE, rows)


def _finish_redeliveries(connection: Connection, results: Sequence[Result], now: datetime) -> None:
    wishes = [result.claim.redelivery_seq for result in results if result.claim.redelivery_seq is not None]
    if wishes:
        connection.execute(_FINISH, [{"_seq": seq, "at": now} for seq in wishes])
