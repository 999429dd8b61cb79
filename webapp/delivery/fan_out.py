"""Fan-out: for each new event one delivery per webhook that wants it, exactly once, and why others do not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
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

_EVENT = table_of(Event)
_WAITING = (
    sa.select(Event.seq, Event.type, Event.project_id, Event.source_project_id, Event.created_at)
    .where(Event.fanned_out_at.is_(None))
    .order_by(Event.seq)
    .limit(MAX_EVENTS)
    .with_for_update(skip_locked=True)
)
_CANDIDATE = (
    Webhook.id,
    Webhook.events,
    Webhook.project_ids,
    Webhook.created_at,
    Webhook.enabled,
    Webhook.status,
    Webhook.snapshot_seq,
    Webhook.payload_format,
    Webhook.filter,
)


def is_waiting() -> bool:
    """Whether an event waits: a cheap look without the write lock."""
    return db.session.execute(sa.select(Event.seq).where(Event.fanned_out_at.is_(None)).limit(1)).first() is not None


@repeated
def fan_out() -> int:
    """Make the deliveries of the oldest events that have none yet; returns how many events it was. One transaction."""
    settings = current()
    with transaction() as session:
        cancelling.keep_roles(session)
        now = database_now()
        events = session.execute(_WAITING).all()
        if not events:
            return 0
        return _deliver(session, events, settings, now)


def _deliver(session: Session, events: Sequence[Any], settings: Settings, now: datetime) -> int:
    administrators = _administrators(session, events, settings)
    filtering = Filtering(session)
    first_at = retries.first_attempt_at(now=now, schedule=settings.retry_schedule)
    rows: list[dict[str, Any]] = []
    done: list[dict[str, Any]] = []
    for event in events:
        wanted, refusals = _judge(event, administrators, filtering)
        rows += [_delivery(event, webhook, now, first_at) for webhook in wanted]
        is_compact = any(webhook.payload_format is PayloadFormat.COMPACT for webhook in wanted)
        done.append(
            {
                "_seq": event.seq,
                "refusals": refusals or None,
                "compact": compact_of(session, event.seq) if is_compact else None,
            }
        )
        if len(rows) >= MAX_DELIVERIES:
            break
    if rows:
        session.execute(sa.insert(table_of(Delivery)), rows)
    session.connection().execute(
        sa.update(_EVENT)
        .where(_EVENT.c.seq == sa.bindparam("_seq"))
        .values(fanned_out_at=now, refusals=sa.bindparam("refusals"), compact=sa.bindparam("compact")),
        done,
    )
    return len(done)


def _administrators(session: Session, events: Iterable[Any], settings: Settings) -> dict[str, list[Any]]:
    """For each project of the events, the webhooks whose creator administers it now."""
    projects = {project for event in events for project in _projects(event)}
    candidates = session.execute(
        sa.select(ProjectMember.project_id, *_CANDIDATE)
        .join(Webhook, Webhook.created_by_id == ProjectMember.user_id)
        .join(User, User.id == Webhook.created_by_id)
        .where(
            ProjectMember.project_id.in_(projects),
            ProjectMember.role.in_(webhook_roles(settings.webhook_role)),
            Webhook.deleted_at.is_(None),
            User.suspended_at.is_(None),
        )
        .order_by(Webhook.id)
        .with_for_update(read=True, key_share=True, of=Webhook)  # whoever is switching one off is waited for
    )
    found: dict[str, list[Any]] = defaultdict(list)
    for candidate in candidates:
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
