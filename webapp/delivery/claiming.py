"""Claiming: what is due becomes this worker's, fairly, for the length of a lease, fenced by a token.

Each claim serves up to 64 webhooks from a cursor that rotates over the waiting ones, oldest first within each. Five in
flight are guaranteed to a webhook; idle slots may be borrowed while no other waits. Pings, tests and redeliveries go
first. A delivery that was claimed before without an outcome, a suspect, is claimed alone and one at a time, so that one
that takes its worker down cannot take others along again and again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, zip_longest

import sqlalchemy as sa
from sqlalchemy.orm import Session

from webapp.delivery import claims
from webapp.delivery.claims import Claim
from webapp.extensions import db
from webapp.models import Delivery, DeliveryKind, Redelivery, Webhook, database_now, transaction
from webapp.models.base import table_of

MAX_CLAIMS = 200  # deliveries in one claim
MAX_WEBHOOKS = 64  # served by one claim
GUARANTEED_IN_FLIGHT = 5  # per webhook, over all workers
BORROWED_IN_FLIGHT = 32  # per webhook, while no other waits

_DELIVERY = table_of(Delivery)
_NOW = sa.bindparam("now", type_=_DELIVERY.c.next_attempt_at.type)
_MOST = sa.bindparam("most", type_=sa.Integer)
_IS_DUE = sa.and_(
    Delivery.next_attempt_at.is_not(None), Delivery.next_attempt_at <= _NOW, Delivery.lease_until.is_(None)
)

# Walks the index from webhook to webhook, not from row to row: 100,000 rows of 1,000 webhooks are 1,000 steps.
_WAITING_WEBHOOKS = sa.text(
    """
    WITH RECURSIVE step(id) AS (
        SELECT (SELECT webhook_id FROM delivery WHERE next_attempt_at IS NOT NULL AND lease_until IS NULL
                AND webhook_id > :cursor ORDER BY webhook_id LIMIT 1)
        UNION ALL
        SELECT (SELECT webhook_id FROM delivery WHERE next_attempt_at IS NOT NULL AND lease_until IS NULL
                AND webhook_id > step.id ORDER BY webhook_id LIMIT 1)
        FROM step WHERE step.id IS NOT NULL
    )
    SELECT id FROM step WHERE id IS NOT NULL
        AND (SELECT min(next_attempt_at) FROM delivery
             WHERE webhook_id = step.id AND next_attempt_at IS NOT NULL AND lease_until IS NULL) <= :now
    LIMIT :most
    """
).bindparams(_NOW)

_OLDEST_OF_ONE = """
    SELECT * FROM (SELECT seq, webhook_id FROM delivery
    WHERE webhook_id = :webhook{n} AND next_attempt_at <= :now AND lease_until IS NULL AND claims = 0 AND kind = 'event'
    ORDER BY next_attempt_at, seq LIMIT :most{n}) AS oldest{n}
"""

_IN_FLIGHT = (
    sa.select(Delivery.webhook_id, sa.func.count())
    .where(Delivery.lease_until.is_not(None))
    .group_by(Delivery.webhook_id)
)
_EXPRESS = (
    sa.select(Delivery.seq)
    .where(_IS_DUE, Delivery.kind != DeliveryKind.EVENT, Delivery.claims == 0)
    .order_by(Delivery.seq)
    .limit(_MOST)
)
_REDELIVERIES = (
    sa.select(Redelivery.seq, Redelivery.delivery_seq, Delivery.claims)
    .join(Delivery, Delivery.seq == Redelivery.delivery_seq)
    .where(Redelivery.finished_at.is_(None), Delivery.lease_until.is_(None))
    .order_by(Redelivery.seq)
    .limit(_MOST)
)
_NEXT_DUE = (
    sa.select(Delivery.next_attempt_at)
    .where(Delivery.next_attempt_at.is_not(None), Delivery.lease_until.is_(None))
    .order_by(Delivery.next_attempt_at)
    .limit(1)
)
_SUSPECT = sa.select(Delivery.seq).where(_IS_DUE, Delivery.claims > 0).order_by(Delivery.next_attempt_at).limit(1)


@dataclass
class Turn:
    """What one worker process remembers between its claims."""

    worker: str
    cursor: str = ""
    is_suspect_in_flight: bool = False
    is_suspects_turn: bool = False


def next_due_at() -> datetime | None:
    """When the next delivery is due, by the index alone; None when none waits. A wish to send again is due at once."""
    if db.session.execute(_REDELIVERIES, {"most": 1}).first() is not None:
        return database_now()
    return db.session.scalar(_NEXT_DUE)


def claim(turn: Turn, *, slots: int, lease: timedelta) -> list[Claim]:
    """Claim up to `slots` deliveries for this worker; an empty list when nothing is due. One transaction."""
    slots = min(slots, MAX_CLAIMS)
    if slots <= 0:
        return []
    with transaction() as session:
        now = database_now()
        redeliveries = _redeliveries(session, slots)
        chosen = _choose(session, turn, redeliveries, now, slots)
        return _lease(session, chosen, redeliveries, now=now, until=now + lease, worker=turn.worker)


def _choose(
    session: Session, turn: Turn, redeliveries: dict[int, tuple[int, int]], now: datetime, slots: int
) -> list[int]:
    """Fresh ones and one suspect by turns; a suspect also when there is nothing else."""
    if turn.is_suspects_turn:
        turn.is_suspects_turn = False
        if suspect := _suspect(session, turn, redeliveries, now):
            return suspect
    fresh = _fresh(session, turn, redeliveries, now, slots)
    turn.is_suspects_turn = bool(fresh)
    return fresh or _suspect(session, turn, redeliveries, now)


def _redeliveries(session: Session, slots: int) -> dict[int, tuple[int, int]]:
    """For each delivery that somebody wants again: the number of the oldest wish, and its claims without an outcome."""
    found: dict[int, tuple[int, int]] = {}
    for wish in session.execute(_REDELIVERIES, {"most": slots}):
        found.setdefault(wish.delivery_seq, (wish.seq, wish.claims))
    return found


def _suspect(session: Session, turn: Turn, redeliveries: dict[int, tuple[int, int]], now: datetime) -> list[int]:
    if turn.is_suspect_in_flight:
        return []
    by_hand = [seq for seq, (_, claimed) in redeliveries.items() if claimed]
    return by_hand[:1] or list(session.scalars(_SUSPECT, {"now": now}))


def _fresh(
    session: Session, turn: Turn, redeliveries: dict[int, tuple[int, int]], now: datetime, slots: int
) -> list[int]:
    by_hand = [seq for seq, (_, claimed) in redeliveries.items() if not claimed]
    express = list(session.scalars(_EXPRESS, {"now": now, "most": slots}))
    first = list(dict.fromkeys(by_hand + express))[:slots]
    rest = _regular(session, turn, now, slots - len(first))
    return first + [seq for seq in rest if seq not in redeliveries]


def _regular(session: Session, turn: Turn, now: datetime, slots: int) -> list[int]:
    if slots <= 0:
        return []
    webhooks = _waiting_webhooks(session, turn, now)
    in_flight: dict[str, int] = {row[0]: row[1] for row in session.execute(_IN_FLIGHT)}
    most = min(BORROWED_IN_FLIGHT, slots)
    room = {webhook: min(most, BORROWED_IN_FLIGHT - in_flight.get(webhook, 0)) for webhook in webhooks}
    waiting = _oldest(session, {webhook: count for webhook, count in room.items() if count > 0}, now)
    own = {webhook: max(0, GUARANTEED_IN_FLIGHT - in_flight.get(webhook, 0)) for webhook in waiting}
    guaranteed = _interleave([seqs[: own[webhook]] for webhook, seqs in waiting.items()])
    borrowed = _interleave([seqs[own[webhook] :] for webhook, seqs in waiting.items()])
    return (guaranteed + borrowed)[:slots] if len(webhooks) < MAX_WEBHOOKS else guaranteed[:slots]


def _waiting_webhooks(session: Session, turn: Turn, now: datetime) -> list[str]:
    """Up to 64 webhooks with something due, from the cursor on and round again."""
    values = {"now": now, "most": MAX_WEBHOOKS}
    found = list(session.scalars(_WAITING_WEBHOOKS, {**values, "cursor": turn.cursor}))
    if len(found) < MAX_WEBHOOKS and turn.cursor:
        again = session.scalars(_WAITING_WEBHOOKS, {**values, "cursor": ""})
        found += [webhook for webhook in again if webhook <= turn.cursor][: MAX_WEBHOOKS - len(found)]
    turn.cursor = found[-1] if len(found) == MAX_WEBHOOKS else ""
    if db.engine.dialect.name != "sqlite" and found:
        # PostgreSQL: whoever holds the webhooks' rows decides what is in flight; others serve other webhooks meanwhile.
        locked = sa.select(Webhook.id).where(Webhook.id.in_(found)).with_for_update(skip_locked=True, key_share=True)
        mine = set(session.scalars(locked))
        found = [webhook for webhook in found if webhook in mine]
    return found


def _oldest(session: Session, room: dict[str, int], now: datetime) -> dict[str, list[int]]:
    """The oldest due deliveries of each webhook, at most `room` of each, in one statement."""
    if not room:
        return {}
    statement = " UNION ALL ".join(_OLDEST_OF_ONE.replace("{n}", str(n)) for n in range(len(room)))
    values: dict[str, object] = {"now": now}
    for n, (webhook, count) in enumerate(room.items()):
        values |= {f"webhook{n}": webhook, f"most{n}": count}
    found: dict[str, list[int]] = {webhook: [] for webhook in room}
    for seq, webhook in session.execute(sa.text(statement).bindparams(_NOW), values):
        found[webhook].append(seq)
    return found


def _interleave(columns: Sequence[Sequence[int]]) -> list[int]:
    """One of each in turn, until all are used up."""
    return [seq for seq in chain.from_iterable(zip_longest(*columns)) if seq is not None]


def _lease(
    session: Session,
    chosen: list[int],
    redeliveries: dict[int, tuple[int, int]],
    *,
    now: datetime,
    until: datetime,
    worker: str,
) -> list[Claim]:
    if not chosen:
        return []
    taken = session.connection().execute(
        sa.update(_DELIVERY)
        .where(_DELIVERY.c.seq.in_(chosen), _DELIVERY.c.lease_until.is_(None))
        .values(
            lease_until=until,
            claim_token=_DELIVERY.c.claim_token + 1,
            claims=_DELIVERY.c.claims + 1,
            attempts_made=_DELIVERY.c.attempts_made + 1,
        )
        .returning(*claims.CLAIMED)
    )
    order = {seq: place for place, seq in enumerate(chosen)}
    rows = sorted(taken, key=lambda row: order[row.seq])
    by_hand = {seq: redeliveries[seq][0] for seq in chosen if seq in redeliveries}
    return claims.make(session, rows, by_hand, worker=worker, now=now) if rows else []
