"""Holding: what waits for a webhook that is off is kept, and sent only when its owner says so."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from webapp.delivery import redeliveries
from webapp.models import Delivery, DeliveryKind, DeliveryState

BY_OWNER, BY_SYSTEM = "webhook_disabled", "webhook_unhealthy"  # why: who had switched the webhook off


def hold(session: Session, webhook_id: str, *, reason: str, now: datetime) -> int:
    """Inside transaction(): hold what waits, end the wishes to send something again; returns how many are held.

    What is in flight is held too; a success that comes in afterwards still counts.
    """
    held = session.execute(
        sa.update(Delivery)
        .where(
            Delivery.webhook_id == webhook_id,
            Delivery.kind == DeliveryKind.EVENT,
            Delivery.state == DeliveryState.PENDING,
        )
        .values(state=DeliveryState.HELD, reason=reason, held_at=now, next_attempt_at=None)
    )
    end_redeliveries(session, webhook_id, now)
    return count(held)


def end_redeliveries(session: Session, webhook_id: str, now: datetime) -> None:
    """Inside transaction(): redeliveries of events are not made any more."""
    redeliveries.end(session, now, Delivery.webhook_id == webhook_id, Delivery.kind == DeliveryKind.EVENT)


def count(result: sa.Result[Any]) -> int:
    """How many rows a statement touched."""
    return result.rowcount if isinstance(result, sa.CursorResult) else 0
