"""Disabling by the system: the owner is told before and then; a success that was under way undoes it.

Each act is a transaction of its own that locks the webhook's row first, as people's actions do, and judges anew inside
the lock: a success that was recorded meanwhile wins.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from webapp.delivery import holding, snapshots
from webapp.delivery.health import Advice, disabled_at_the_earliest, judge
from webapp.delivery.tallying import Consequence, health_of
from webapp.extensions import db
from webapp.models import (
    Delivery,
    DeliveryState,
    Notice,
    Webhook,
    WebhookStatus,
    database_now,
    ring_after_commit,
    transaction,
)
from webapp.models.among import among
from webapp.models.base import table_of
from webapp.models.webhook import DisabledBecause

log = logging.getLogger(__name__)

NOTICES = {DisabledBecause.GONE: "webhook_gone", DisabledBecause.FAILURES: "webhook_disabled"}

_WEBHOOK = table_of(Webhook)
_DISABLED = sa.select(_WEBHOOK.c.id, _WEBHOOK.c.disabled_at).where(
    among(_WEBHOOK.c.id, "webhooks"),
    _WEBHOOK.c.disabled_because == DisabledBecause.FAILURES,
    _WEBHOOK.c.enabled.is_(False),
)


def draw(consequences: Sequence[Consequence]) -> None:
    """Do what recorded outcomes call for. A transaction for each webhook about which there is something to do."""
    proven = {one.webhook_id: one.proven_at for one in consequences if one.proven_at is not None}
    for webhook_id in _wrongly_disabled(proven):
        _undo(webhook_id)
    for one in consequences:
        if one.proven_at is None:
            _act(one)


def _wrongly_disabled(proven: dict[str, datetime]) -> list[str]:
    """Webhooks that were disabled for their failures while an attempt was under way that then succeeded."""
    if not proven:
        return []
    found = db.session.connection().execute(_DISABLED, {"webhooks": list(proven)})
    return [row.id for row in found if row.disabled_at is not None and proven[row.id] <= row.disabled_at]


def _act(consequence: Consequence) -> None:
    with transaction() as session:
        because = _decide(session, consequence)
    if because is not None:
        named = {"webhook": consequence.webhook_id, "reason": because.value}
        log.warning("a webhook was disabled by the system; its deliveries are held", extra=named)


def _decide(session: Session, consequence: Consequence) -> DisabledBecause | None:
    """Disable or warn where that is called for; why it was disabled, None if it was not."""
    webhook = _lock(session, consequence.webhook_id)
    if webhook is None or not webhook.enabled:
        return None
    now = database_now()
    advice = judge(health_of(webhook.health), now)
    because = DisabledBecause.GONE if consequence.is_gone else DisabledBecause.FAILURES
    if consequence.is_gone or advice is Advice.DISABLE:
        _disable(session, webhook, because, now)
        return because
    if advice is Advice.WARN:
        webhook.health.warned_at = now
        _owe(session, webhook, "webhook_disabling_near")
    return None


def _lock(session: Session, webhook_id: str) -> Webhook | None:
    query = sa.select(Webhook).where(Webhook.id == webhook_id, Webhook.deleted_at.is_(None)).with_for_update()
    return session.scalars(query).one_or_none()


def _disable(session: Session, webhook: Webhook, because: DisabledBecause, now: datetime) -> None:
    webhook.enabled = False
    webhook.status = WebhookStatus.UNHEALTHY
    webhook.disabled_at, webhook.disabled_because = now, because
    held = holding.hold(session, webhook.id, reason=holding.BY_SYSTEM, now=now)
    snapshots.retake(session, webhook)
    _owe(session, webhook, NOTICES[because], held=held)


def _owe(session: Session, webhook: Webhook, template: str, **values: Any) -> None:
    health = health_of(webhook.health)
    at = disabled_at_the_earliest(health)
    values |= {
        "webhookId": webhook.id,
        "name": webhook.name,
        "url": webhook.url,
        "failures": health.failures,
        "lastOutcome": webhook.health.last_outcome or "",
        "disabledAt": at.isoformat() if at else None,
    }
    session.add(Notice(user_id=webhook.created_by_id, template=template, values=values))


def _undo(webhook_id: str) -> None:
    """The success wins: on again, and what was held for it goes on."""
    with transaction() as session:
        webhook = _lock(session, webhook_id)
        if webhook is None or webhook.enabled or webhook.disabled_because is not DisabledBecause.FAILURES:
            return
        disabled_at = webhook.disabled_at
        webhook.enabled, webhook.status = True, WebhookStatus.HEALTHY
        webhook.disabled_at = webhook.disabled_because = None
        session.execute(
            sa.update(Delivery)
            .where(
                Delivery.webhook_id == webhook.id,
                Delivery.state == DeliveryState.HELD,
                Delivery.held_at >= disabled_at,
            )
            .values(state=DeliveryState.PENDING, reason=None, held_at=None, next_attempt_at=database_now())
        )
        session.execute(
            sa.delete(Notice).where(
                Notice.user_id == webhook.created_by_id,
                Notice.template == NOTICES[DisabledBecause.FAILURES],
                Notice.created_at >= disabled_at,
                Notice.sent_at.is_(None),
            )
        )
        snapshots.retake(session, webhook)
        ring_after_commit()
