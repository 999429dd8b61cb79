"""Claiming: what was chosen becomes this worker's for the length of a lease, fenced by a token."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from webapp.delivery import claims, fan_out
from webapp.delivery.choosing import LOCKED_OUT_S, MAX_CLAIMS, Choice, Turn, choose, until_due
from webapp.delivery.claims import Claim
from webapp.models import Delivery, WebhookHealth, database_now, packed, transaction
from webapp.models.among import among
from webapp.models.base import table_of
from webapp.models.conflicts import repeated

__all__ = ["LOCKED_OUT_S", "MAX_CLAIMS", "Claim", "Turn", "claim", "until_due"]

_DELIVERY, _HEALTH = table_of(Delivery), table_of(WebhookHealth)
_LEASE = (
    sa.update(_DELIVERY)
    .where(among(_DELIVERY.c.seq, "seqs"), _DELIVERY.c.lease_until.is_(None))
    .values(
        lease_until=sa.bindparam("until", type_=_DELIVERY.c.lease_until.type),
        claim_token=_DELIVERY.c.claim_token + 1,
        claims=_DELIVERY.c.claims + 1,
        attempts_made=_DELIVERY.c.attempts_made + 1,
    )
)
_LEASE_AND_TELL = _LEASE.returning(*claims.CLAIMED)
_CLAIMED = sa.select(*claims.CLAIMED).where(among(_DELIVERY.c.seq, "seqs"))
# One probe at a time: the next may go out when this one's lease is over, should its outcome never be known.
_NEXT_PROBE = (
    sa.update(_HEALTH)
    .where(among(_HEALTH.c.webhook_id, "webhooks"))
    .values(probe_at=sa.bindparam("until", type_=_HEALTH.c.probe_at.type))
)


@repeated
def claim(turn: Turn, *, slots: int, lease: timedelta, ahead: int = 0, fanning_out: bool = False) -> list[Claim]:
    """Claim for so many free slots, at most MAX_CLAIMS; an empty list when nothing is due. One transaction.

    `ahead` is how many more there is room for in lanes: of quick webhooks, to be sent when others of theirs have ended.
    `fanning_out` makes the deliveries of new events before, in the same transaction: one wait for the disk less between
    an event and its request.
    """
    if slots <= 0:
        return []
    with transaction(in_pipeline=True) as session:
        fanned_out = fan_out.deliver(session) if fanning_out else fan_out.FannedOut()
        turn.is_fan_out_full = fanned_out.is_full
        connection = session.connection()
        now = fanned_out.at or database_now()
        chosen = choose(connection, turn, now=now, slots=slots, ahead=ahead)
        return _lease(connection, turn, chosen, now=now, until=now + lease) if chosen else []


def _lease(
    connection: Connection, turn: Turn, chosen: Sequence[Choice], *, now: datetime, until: datetime
) -> list[Claim]:
    order = {choice.seq: place for place, choice in enumerate(chosen)}
    rows = sorted(_leased(connection, list(order), until), key=lambda row: order[row.seq])
    if not rows:
        return []
    probed = {choice.seq for choice in chosen if choice.is_probe}
    if webhooks := [row.webhook_id for row in rows if row.seq in probed]:
        connection.execute(_NEXT_PROBE, {"webhooks": webhooks, "until": until})
    wishes = {choice.seq: choice.redelivery_seq for choice in chosen if choice.redelivery_seq is not None}
    return claims.make(
        connection,
        rows,
        redeliveries=wishes,
        probed=probed,
        worker=turn.worker,
        recipients=turn.recipients,
        locked=turn.locked,
        now=now,
    )


def _leased(connection: Connection, seqs: Sequence[int], until: datetime) -> Sequence[Any]:
    """The rows that are this worker's now. On SQLite all are: nobody has written since they were chosen."""
    values = {"seqs": seqs, "until": until}
    if connection.dialect.name != "sqlite":
        return connection.execute(_LEASE_AND_TELL, values).all()
    connection.execute(_LEASE, values)
    return packed.rows(connection, _CLAIMED, {"seqs": seqs})
