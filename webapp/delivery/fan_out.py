"""Fan-out: for each new event one delivery per webhook that wants it, exactly once, and why others do not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from webapp.config import Settings, current
from webapp.delivery import cancelling, holding, matching, retries
from webapp.delivery.compacting import compact_of
from webapp.delivery.filtering import Filtering
from webapp.extensions import db
from webapp.models import (
    Delivery,
    DeliveryKind,
    DeliveryState,
    Event,
    PayloadFormat,
    ProjectMember,
    User,
    Webhook,
    WebhookStatus,
    database_now,
    transaction,
    webhook_roles,
)
from webapp.models.base import new_delivery_id, table_of
from webapp.models.conflicts import repeated

MAX_EVENTS = 200  # in one transaction
MAX_DELIVERIES = 2_000  # after which the transaction ends, so that others get the write lock

_EVENT, _DELIVERY, _WEBHOOK = table_of(Event), table_of(Delivery), table_of(Webhook)
_MEMBER, _USER = table_of(ProjectMember), table_of(User)
_IS_WAITING = sa.select(_EVENT.c.seq).where(_EVENT.c.fanned_out_at.is_(None)).limit(1)
_WAITING = (
    sa.select(_EVENT.c.seq, _EVENT.c.type, _EVENT.c.project_id, _EVENT.c.source_project_id, _EVENT.c.created_at)
    .where(_EVENT.c.fanned_out_at.is_(None))
    .order_by(_EVENT.c.seq)
    .limit(MAX_EVENTS)
    .with_for_update(skip_locked=True)
)
_CANDIDATES = (
    sa.select(
        _MEMBER.c.project_id,
        _WEBHOOK.c.id,
        _WEBHOOK.c.events,
        _WEBHOOK.c.project_ids,
        _WEBHOOK.c.created_at,
        _WEBHOOK.c.enabled,
        _WEBHOOK.c.status,
        _WEBHOOK.c.snapshot_seq,
        _WEBHOOK.c.payload_format,
        _WEBHOOK.c.filter,
    )
    .join(_WEBHOOK, _WEBHOOK.c.created_by_id == _MEMBER.c.user_id)
    .join(_USER, _USER.c.id == _WEBHOOK.c.created_by_id)
    .where(
        _MEMBER.c.project_id.in_(sa.bindparam("projects", expanding=True)),
        _MEMBER.c.role.in_(sa.bindparam("roles", expanding=True)),
        _WEBHOOK.c.deleted_at.is_(None),
        _USER.c.suspended_at.is_(None),
    )
    .order_by(_WEBHOOK.c.id)
    .with_for_update(read=True, key_share=True, of=_WEBHOOK)  # whoever is switching one off is waited for
)
_OWE = sa.insert(_DELIVERY)
_DONE = (
    sa.update(_EVENT)
    .where(_EVENT.c.seq.in_(sa.bindparam("seqs", expanding=True)))
    .values(fanned_out_at=sa.bindparam("at", type_=_EVENT.c.fanned_out_at.type))
)
_NOTE = (
    sa.update(_EVENT)
    .where(_EVENT.c.seq == sa.bindparam("_seq"))
    .values(refusals=sa.bindparam("_refusals", type_=_EVENT.c.refusals.type), compact=sa.bindparam("_compact"))
)


def is_waiting() -> bool:
    """Whether an event waits: a cheap look without the write lock."""
    return db.session.connection().execute(_IS_WAITING).first() is not None


@repeated
def fan_out() -> int:
    """Make the deliveries of the oldest events that have none yet; returns how many events it was. One transaction."""
    with transaction() as session:
        return deliver(session)


def deliver(session: Session) -> int:
    """Inside transaction(), first of all: what `fan_out` does."""
    cancelling.keep_roles(session)
    now = database_now()
    events = session.connection().execute(_WAITING).all()
    return _deliver(session, events, current(), now) if events else 0


def _deliver(session: Session, events: Sequence[Any], settings: Settings, now: datetime) -> int:
    connection = session.connection()
    administrators = _administrators(connection, events, settings)
    filtering = Filtering(session)
    first_at = retries.first_attempt_at(now=now, schedule=settings.retry_schedule)
    rows: list[dict[str, Any]] = []
    seqs: list[int] = []
    notes: list[dict[str, Any]] = []
    for event in events:
        wanted, refusals = _judge(event, administrators, filtering)
        rows += [_delivery(event, webhook, now, first_at) for webhook in wanted]
        seqs.append(event.seq)
        is_compact = any(webhook.payload_format is PayloadFormat.COMPACT for webhook in wanted)
        if refusals or is_compact:
            compact = compact_of(session, event.seq) if is_compact else None
            notes.append({"_seq": event.seq, "_refusals": refusals or None, "_compact": compact})
        if len(rows) >= MAX_DELIVERIES:
            break
    if rows:
        connection.execute(_OWE, rows)
    if notes:
        connection.execute(_NOTE, notes)
    connection.execute(_DONE, {"seqs": seqs, "at": now})
    return len(seqs)


def _administrators(connection: Connection, events: Iterable[Any], settings: Settings) -> dict[str, list[Any]]:
    """For each project of the events, the webhooks whose creator administers it now."""
    projects = {project for event in events for project in _projects(event)}
    values = {"projects": list(projects), "roles": list(webhook_roles(settings.webhook_role))}
    found: dict[str, list[Any]] = defaultdict(list)
    for candidate in connection.execute(_CANDIDATES, values):
        found[candidate.project_id].append(candidate)
    return found


def _projects(event: Any) -> list[str]:
    return [event.project_id] if event.source_project_id is None else [event.project_id, event.source_project_id]


def _judge(
    event: Any, administrators: dict[str, list[Any]], filtering: Filtering
) -> tuple[list[Any], list[dict[str, Any]]]:
    happening = matching.Happening(event.type, _projects(event), event.created_at)
    candidates: dict[str, Any] = {}
    administered: dict[str, list[str]] = defaultdict(list)
    for project_id in happening.project_ids:
        for webhook in administrators.get(project_id, ()):
            candidates[webhook.id] = webhook
            administered[webhook.id].append(project_id)
    wanted, refusals = [], []
    for webhook in candidates.values():
        wish = matching.Wish(webhook.id, webhook.events, webhook.project_ids, webhook.created_at)
        verdict = matching.verdict(wish, happening, administered=administered[webhook.id])
        if verdict.reason is not None:
            refusals.append({"webhookId": webhook.id, "reason": verdict.reason})
        elif refusal := filtering.refusal(webhook, event.seq):
            refusals.append({"webhookId": webhook.id, "reason": matching.Reason.FILTERED, **refusal})
        else:
            wanted.append(webhook)
    return wanted, refusals


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
    }


def _held_because(webhook: Any) -> str:
    return holding.BY_SYSTEM if webhook.status is WebhookStatus.UNHEALTHY else holding.BY_OWNER
