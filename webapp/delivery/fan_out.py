"""Fan-out: for each new event one delivery per webhook that wants it, exactly once, and why others do not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from webapp.config import current
from webapp.delivery import cancelling, holding, retries
from webapp.delivery.compacting import compact_of
from webapp.delivery.judging import Judge
from webapp.extensions import db
from webapp.models import (
    Delivery,
    DeliveryKind,
    DeliveryState,
    Event,
    PayloadFormat,
    WebhookStatus,
    bulk,
    packed,
    pipelines,
    transaction,
)
from webapp.models.among import among
from webapp.models.base import new_delivery_id, table_of
from webapp.models.conflicts import repeated

MAX_EVENTS = 200  # in one transaction
MAX_DELIVERIES = 2_000  # after which the transaction ends, so that others get the write lock

_EVENT, _DELIVERY = table_of(Event), table_of(Delivery)
_IS_WAITING = sa.select(_EVENT.c.seq).where(_EVENT.c.fanned_out_at.is_(None)).limit(1)
_WAITING = (
    sa.select(_EVENT.c.seq, _EVENT.c.type, _EVENT.c.project_id, _EVENT.c.source_project_id, _EVENT.c.created_at)
    .where(_EVENT.c.fanned_out_at.is_(None))
    .order_by(_EVENT.c.seq)
    .limit(MAX_EVENTS)
    .with_for_update(skip_locked=True)
)
_OWE = sa.insert(_DELIVERY)
_KEEP = sa.update(_EVENT).values(
    fanned_out_at=sa.bindparam("at", type_=_EVENT.c.fanned_out_at.type),
    refusals=sa.bindparam("refused", type_=_EVENT.c.refusals.type),
)
_KEEP_ALIKE = _KEEP.where(among(_EVENT.c.seq, "seqs"))
_KEEP_ONE = _KEEP.where(_EVENT.c.seq == sa.bindparam("_seq")).values(
    compact=sa.bindparam("short", type_=_EVENT.c.compact.type)
)


def is_waiting() -> bool:
    """Whether an event waits: a cheap look without the write lock."""
    return db.session.connection().execute(_IS_WAITING).first() is not None


@repeated
def fan_out() -> int:
    """Make the deliveries of the oldest events that have none yet; returns how many events it was. One transaction."""
    with transaction(in_pipeline=True) as session:
        return deliver(session).events


class FannedOut(NamedTuple):
    """How many events it was, when by the clock of due times (None where there was none), and whether more may wait."""

    events: int = 0
    at: datetime | None = None
    is_full: bool = False


def deliver(session: Session) -> FannedOut:
    """Inside transaction(), first of all: what `fan_out` does."""
    cancelling.keep_roles(session)
    connection = session.connection()
    events = packed.rows(connection, _WAITING)
    if not events:
        return FannedOut()
    settings = current()
    judge = Judge(session, events, settings)
    now = judge.at  # what is held, is held later than its webhook was switched off
    first_at = retries.first_attempt_at(now=now, schedule=settings.retry_schedule)
    rows: list[dict[str, Any]] = []
    notes = _Notes()
    for event in events:
        judgement = judge.judge(event)
        rows += [_delivery(event, webhook, now, first_at) for webhook in judgement.wanted]
        is_compact = any(webhook.payload_format is PayloadFormat.COMPACT for webhook in judgement.wanted)
        notes.add(event.seq, judgement.refusals, compact_of(session, event.seq) if is_compact else None)
        if len(rows) >= MAX_DELIVERIES:
            break
    if rows:
        bulk.execute(connection, _OWE, rows)
    notes.write(connection, now)
    return FannedOut(notes.events, now, is_full=len(events) == MAX_EVENTS or notes.events < len(events))


class _Notes:
    """What is kept with events: that they are done, why webhooks do not get them, and the short body.

    Alike ones are written at once, and each event once: every write of a row costs its indexes again on PostgreSQL.
    """

    def __init__(self) -> None:
        self.events = 0
        self._alike: dict[int, tuple[Sequence[dict[str, Any]], list[int]]] = {}
        self._own: list[dict[str, Any]] = []

    def add(self, seq: int, refusals: Sequence[dict[str, Any]], compact: bytes | None) -> None:
        self.events += 1
        if compact is None:
            self._alike.setdefault(id(refusals) if refusals else 0, (refusals, []))[1].append(seq)
        else:
            self._own.append({"_seq": seq, "refused": refusals or None, "short": compact})

    def write(self, connection: Connection, now: datetime) -> None:
        for refusals, seqs in self._alike.values():
            if len(seqs) == 1:
                self._own.append({"_seq": seqs[0], "refused": refusals or None, "short": None})
            else:
                with pipelines.unanswered(connection):
                    connection.execute(_KEEP_ALIKE, {"seqs": seqs, "at": now, "refused": refusals or None})
        if self._own:
            bulk.execute(connection, _KEEP_ONE, [{**row, "at": now} for row in self._own])


def _delivery(event: Any, webhook: Any, now: datetime, first_at: datetime) -> dict[str, Any]:
    """A disabled webhook still gets its delivery, held until its owner decides."""
    return {
        "id": new_delivery_id(),
        "kind": DeliveryKind.EVENT,
        "webhook_id": webhook.id,
        "event_seq": event.seq,
        "snapshot_seq": webhook.snapshot_seq,
        "event_type": event.type,
        "project_id": event.project_id,
        "payload_format": webhook.payload_format,
        "state": DeliveryState.PENDING if webhook.enabled else DeliveryState.HELD,
        "reason": None if webhook.enabled else _held_because(webhook),
        "next_attempt_at": first_at if webhook.enabled else None,
        "held_at": None if webhook.enabled else now,
        "created_at": now,
        "attempts_counted": 0,
        "attempts_made": 0,
        "claim_token": 0,
        "claims": 0,
    }


def _held_because(webhook: Any) -> str:
    return holding.BY_SYSTEM if webhook.status is WebhookStatus.UNHEALTHY else holding.BY_OWNER
