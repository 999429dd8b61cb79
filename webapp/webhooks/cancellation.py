"""Cancelling one delivery by hand: it is not sent any more, and stays in the log."""

from __future__ import annotations

import sqlalchemy as sa

from webapp.delivery import redeliveries
from webapp.models import (
    Conflict,
    Delivery,
    DeliveryState,
    NotFound,
    User,
    Webhook,
    database_now,
    transaction,
)
from webapp.webhooks import audit

BY_HAND = "by_hand"
OPEN = (DeliveryState.PENDING, DeliveryState.HELD, DeliveryState.STUCK)

SETTLED = "It has been settled already. Only what waits, is held or is stuck can be cancelled."


def cancel(delivery: Delivery, *, by: User) -> Delivery:
    """Send it no more. One that was cancelled before stays as it is; raises Conflict for one that is settled otherwise.

    What is in flight finishes: its success still counts, its failure is not tried again, nor what its worker lost.
    """
    with transaction() as session:
        session.scalars(sa.select(Webhook.id).where(Webhook.id == delivery.webhook_id).with_for_update()).one()
        session.refresh(delivery, with_for_update={"of": Delivery})  # PostgreSQL locks no row of an outer join
        if delivery.webhook.created_by_id != by.id:
            raise NotFound("There is no such delivery.")
        if delivery.state is DeliveryState.CANCELLED:
            return delivery
        if not is_possible(delivery):
            raise Conflict(SETTLED)
        now = database_now()
        delivery.state, delivery.reason = DeliveryState.CANCELLED, BY_HAND
        delivery.settled_at, delivery.next_attempt_at = now, None
        redeliveries.end_of(session, now, [delivery.seq])
        audit.note("delivery_cancelled", delivery.webhook, by, delivery=delivery.id)
    return delivery


def is_possible(delivery: Delivery) -> bool:
    """Whether there is anything left to cancel."""
    return delivery.state in OPEN
