"""Claiming: what was chosen becomes this worker's for the length of a lease, fenced by a token."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from webapp.delivery import claims
from webapp.delivery.choosing import Choice, Turn, choose, next_due_at
from webapp.delivery.claims import Claim
from webapp.models import Delivery, WebhookHealth, database_now, transaction
from webapp.models.base import table_of
from webapp.models.conflicts import repeated

__all__ = ["MAX_CLAIMS", "Claim", "Turn", "claim", "next_due_at"]

MAX_CLAIMS = 200  # deliveries in one claim

_DELIVERY = table_of(Delivery)


@repeated
def claim(turn: Turn, *, slots: int, lease: timedelta) -> list[Claim]:
    """Claim up to `slots` deliveries for this worker; an empty list when nothing is due. One transaction."""
    slots = min(slots, MAX_CLAIMS)
    if slots <= 0:
        return []
    with transaction() as session:
        now = database_now()
        chosen = choose(session, turn, now=now, slots=slots)
        return _lease(session, chosen, now=now, until=now + lease, worker=turn.worker) if chosen else []


def _lease(session: Session, chosen: Sequence[Choice], *, now: datetime, until: datetime, worker: str) -> list[Claim]:
    order = {choice.seq: place for place, choice in enumerate(chosen)}
    taken = session.connection().execute(
        sa.update(_DELIVERY)
        .where(_DELIVERY.c.seq.in_(order), _DELIVERY.c.lease_until.is_(None))
        .values(
            lease_until=until,
            claim_token=_DELIVERY.c.claim_token + 1,
            claims=_DELIVERY.c.claims + 1,
            attempts_made=_DELIVERY.c.attempts_made + 1,
        )
        .returning(*claims.CLAIMED)
    )
    rows = sorted(taken, key=lambda row: order[row.seq])
    if not rows:
        return []
    probed = {choice.seq for choice in chosen if choice.is_probe}
    _wait_for_probes(session, [row.webhook_id for row in rows if row.seq in probed], until)
    wishes = {choice.seq: choice.redelivery_seq for choice in chosen if choice.redelivery_seq is not None}
    return claims.make(session, rows, redeliveries=wishes, probed=probed, worker=worker, now=now)


def _wait_for_probes(session: Session, webhook_ids: Sequence[str], until: datetime) -> None:
    """One probe at a time: the next may go out when this one's lease is over, should its outcome never be known."""
    if webhook_ids:
        session.execute(
            sa.update(WebhookHealth).where(WebhookHealth.webhook_id.in_(webhook_ids)).values(probe_at=until)
        )
