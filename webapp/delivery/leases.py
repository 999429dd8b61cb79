"""Leases that end without an outcome: given back unsent, or run out because their worker died."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from webapp.config import current
from webapp.delivery import counting, redeliveries
from webapp.delivery.claims import Claim
from webapp.extensions import db
from webapp.models import Attempt, Delivery, DeliveryState, database_now, transaction
from webapp.models.base import table_of
from webapp.models.conflicts import repeated

log = logging.getLogger(__name__)

MAX_CLAIMS_WITHOUT_OUTCOME = 5  # then the delivery is stuck
MAX_NAMED = 20  # ids in a line of the log

_DELIVERY = table_of(Delivery)
_ATTEMPT = table_of(Attempt)


@repeated
def give_back(unsent: Sequence[Claim]) -> None:
    """Undo claims of which nothing was sent, together with their attempt rows. One transaction."""
    if not unsent:
        return
    with transaction() as session:
        connection = session.connection()
        counting.forget_lost(connection, [claim.attempt_id for claim in unsent])
        named = [{"_seq": claim.seq, "_token": claim.token, "_attempt": claim.attempt_id} for claim in unsent]
        connection.execute(
            sa.update(_DELIVERY)
            .where(_DELIVERY.c.seq == sa.bindparam("_seq"), _DELIVERY.c.claim_token == sa.bindparam("_token"))
            .values(lease_until=None, claims=_DELIVERY.c.claims - 1, attempts_made=_DELIVERY.c.attempts_made - 1),
            named,
        )
        connection.execute(
            sa.delete(_ATTEMPT).where(_ATTEMPT.c.id == sa.bindparam("_attempt"), _ATTEMPT.c.finished_at.is_(None)),
            named,
        )


@repeated
def expire() -> int:
    """Free what a dead or stopped worker had claimed; returns how many. One transaction, when there is something.

    What was claimed five times without an outcome is stuck: no more automatic tries, and wishes for it end.
    """
    now = database_now()
    _shorten(now)
    ran_out = sa.and_(_DELIVERY.c.lease_until.is_not(None), _DELIVERY.c.lease_until < now)
    if db.session.execute(sa.select(_DELIVERY.c.seq).where(ran_out).limit(1)).first() is None:
        return 0
    with transaction() as session:
        connection = session.connection()
        freed = connection.execute(
            sa.update(_DELIVERY)
            .where(ran_out)
            .values(lease_until=None)
            .returning(_DELIVERY.c.seq, _DELIVERY.c.id, _DELIVERY.c.claims)
        ).all()
        counting.count_lost(connection, [row.seq for row in freed])
        poisoned = [row.seq for row in freed if row.claims >= MAX_CLAIMS_WITHOUT_OUTCOME]
        if poisoned:
            connection.execute(
                sa.update(_DELIVERY)
                .where(_DELIVERY.c.seq.in_(poisoned), _DELIVERY.c.state == DeliveryState.PENDING)
                .values(state=DeliveryState.STUCK, next_attempt_at=None, settled_at=now)
            )
            redeliveries.end_of(session, now, poisoned)
    _tell(freed)
    return len(freed)


def _tell(freed: Sequence[Any]) -> None:
    stuck = [row.id for row in freed if row.claims >= MAX_CLAIMS_WITHOUT_OUTCOME]
    again = [row.id for row in freed if row.claims < MAX_CLAIMS_WITHOUT_OUTCOME]
    if again:
        named = {"count": len(again), "deliveries": again[:MAX_NAMED]}
        log.warning("leases ran out without an outcome, as when a worker is killed; they are sent again", extra=named)
    if stuck:
        named = {"count": len(stuck), "deliveries": stuck[:MAX_NAMED]}
        log.error("deliveries are stuck: each time one was sent, its worker stopped", extra=named)


def _shorten(now: datetime) -> None:
    """After the clock went back, leases end later than any was given: nothing is kept for longer than a lease."""
    lease = current().lease
    is_impossible = sa.and_(_DELIVERY.c.lease_until.is_not(None), _DELIVERY.c.lease_until > now + 2 * lease)
    if db.session.execute(sa.select(_DELIVERY.c.seq).where(is_impossible).limit(1)).first() is not None:
        with transaction() as session:
            session.execute(sa.update(_DELIVERY).where(is_impossible).values(lease_until=now + lease))
