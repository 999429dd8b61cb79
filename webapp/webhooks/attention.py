"""What a person should know at once about their webhooks, on whatever page they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa

from webapp.delivery import heartbeats
from webapp.delivery.health import disabled_at_the_earliest
from webapp.delivery.tallying import health_of
from webapp.extensions import db
from webapp.models import Delivery, User, Webhook, WebhookHealth, WebhookStatus, database_now

MAX_SHOWN = 3  # webhooks that are named on every page


class Concern(StrEnum):
    """What is wrong with a webhook."""

    DISABLED = "disabled"
    DISABLING_NEAR = "disabling_near"


@dataclass(frozen=True)
class Attention:
    """One webhook that needs its owner. `at` is when it was disabled, or will be at the earliest."""

    webhook: Webhook
    concern: Concern
    at: datetime | None


def of(user: User) -> list[Attention]:
    """The webhooks of this person that the system disabled, or will disable soon; newest first, a few at most."""
    disabled = sa.and_(Webhook.enabled.is_(False), Webhook.status == WebhookStatus.UNHEALTHY)
    near = sa.and_(Webhook.enabled, WebhookHealth.warned_at.is_not(None))
    query = (
        sa.select(Webhook)
        .join(WebhookHealth)
        .where(Webhook.created_by_id == user.id, Webhook.deleted_at.is_(None), sa.or_(disabled, near))
        .order_by(sa.func.coalesce(Webhook.disabled_at, WebhookHealth.warned_at).desc())
        .limit(MAX_SHOWN)
    )
    return [_concern(webhook) for webhook in db.session.scalars(query)]


def _concern(webhook: Webhook) -> Attention:
    if webhook.enabled:
        return Attention(webhook, Concern.DISABLING_NEAR, disabled_at_the_earliest(health_of(webhook.health)))
    return Attention(webhook, Concern.DISABLED, webhook.disabled_at)


def waits_for_a_worker(user: User) -> bool:
    """Whether something of this person's waits although it is due, and no worker lives to send it."""
    if heartbeats.is_any_alive():
        return False
    waiting = (
        sa.select(Delivery.seq)
        .join(Webhook, Webhook.id == Delivery.webhook_id)
        .where(
            Webhook.created_by_id == user.id,
            Delivery.next_attempt_at.is_not(None),  # this and the lease let it be found by the index of what is due
            Delivery.lease_until.is_(None),
            Delivery.next_attempt_at <= database_now(),
        )
        .limit(1)
    )
    return db.session.scalar(waiting) is not None
