"""Choosing: which deliveries a worker may claim now. It only reads; the claim leases what was chosen.

First what people ask for (redeliveries, pings, tests), past pause and cap. Then what is due, fairly: up to 64 webhooks
from a cursor that rotates over the waiting ones, oldest first within each; five in flight are guaranteed to a webhook,
idle slots may be borrowed while no other waits. A paused webhook gets one probe when its time has come. Last, with the
slots that are left, what a replay wants again. A delivery that was claimed before without an outcome, a suspect, is
taken alone and one at a time, so that one that takes its worker down cannot take others along again and again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, zip_longest

import sqlalchemy as sa
from sqlalchemy.orm import Session

from webapp.extensions import db
from webapp.models import Delivery, DeliveryKind, Redelivery, Webhook, WebhookHealth, database_now

MAX_WEBHOOKS = 64  # served by one claim
GUARANTEED_IN_FLIGHT = 5  # per webhook, over all workers
BORROWED_IN_FLIGHT = 32  # per webhook, while no other waits

_NOW = sa.bindparam("now", type_=Delivery.next_attempt_at.type)
_MOST = sa.bindparam("most", type_=sa.Integer)
_IS_DUE = sa.and_(
    Delivery.next_attempt_at.is_not(None), Delivery.next_attempt_at <= _NOW, Delivery.lease_until.is_(None)
)
_IS_PAUSED = sa.exists().where(WebhookHealth.webhook_id == Delivery.webhook_id, WebhookHealth.paused_at.is_not(None))
_AWAITS_PROBE = _IS_PAUSED.where(WebhookHealth.probe_at > _NOW)

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
        AND NOT EXISTS (SELECT 1 FROM webhook_health
                        WHERE webhook_id = step.id AND paused_at IS NOT NULL AND probe_at > :now)
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
_WISHES = (
    sa.select(Redelivery.seq, Redelivery.delivery_seq, Delivery.claims)
    .join(Delivery, Delivery.seq == Redelivery.delivery_seq)
    .join(Webhook, Webhook.id == Delivery.webhook_id)
    .where(
        Redelivery.finished_at.is_(None),
        Delivery.lease_until.is_(None),
        Webhook.deleted_at.is_(None),
        sa.or_(Webhook.enabled, Delivery.kind != DeliveryKind.EVENT),
    )
    .order_by(Redelivery.seq)
    .limit(_MOST)
)
_BY_HAND = _WISHES.where(Redelivery.replay_seq.is_(None))
_OF_REPLAYS = _WISHES.where(Redelivery.replay_seq.is_not(None))
_SUSPECT_OF_REPLAYS = _OF_REPLAYS.where(Delivery.claims > 0)
_NEXT_DUE = (
    sa.select(Delivery.next_attempt_at)
    .where(Delivery.next_attempt_at.is_not(None), Delivery.lease_until.is_(None))
    .order_by(Delivery.next_attempt_at)
    .limit(1)
)
_SUSPECT = (
    sa.select(Delivery.seq, _IS_PAUSED)
    .where(_IS_DUE, Delivery.claims > 0, ~_AWAITS_PROBE)
    .order_by(Delivery.next_attempt_at)
    .limit(1)
)
_PAUSED = sa.select(WebhookHealth.webhook_id).where(WebhookHealth.paused_at.is_not(None))


@dataclass(frozen=True)
class Choice:
    """A delivery that may be claimed now: by the schedule, for a redelivery, or as the probe of a paused webhook."""

    seq: int
    redelivery_seq: int | None = None
    is_probe: bool = False


@dataclass
class Turn:
    """What one worker process remembers between its claims."""

    worker: str
    cursor: str = ""
    is_suspect_in_flight: bool = False
    is_suspects_turn: bool = False


def next_due_at() -> datetime | None:
    """When the next delivery is due, by the index alone; None when none waits. A wish to send again is due at once."""
    if db.session.execute(_WISHES, {"most": 1}).first() is not None:
        return database_now()
    return db.session.scalar(_NEXT_DUE)


def choose(session: Session, turn: Turn, *, now: datetime, slots: int) -> list[Choice]:
    """At most `slots` deliveries: fresh ones and one suspect by turns; a suspect also when there is nothing else."""
    wishes = _wishes(session, _BY_HAND, slots)
    if turn.is_suspects_turn:
        turn.is_suspects_turn = False
        if suspect := _suspect(session, turn, wishes, now):
            return suspect
    fresh = _fresh(session, turn, wishes, now, slots)
    turn.is_suspects_turn = bool(fresh)
    return fresh or _suspect(session, turn, wishes, now)


@dataclass(frozen=True)
class _Wish:
    choice: Choice
    is_suspect: bool


def _wishes(session: Session, query: sa.Select[int, int, int], slots: int) -> list[_Wish]:
    """The oldest wish for each delivery that somebody wants again."""
    found: dict[int, _Wish] = {}
    for seq, delivery_seq, claimed in session.execute(query, {"most": slots}):
        found.setdefault(delivery_seq, _Wish(Choice(delivery_seq, redelivery_seq=seq), is_suspect=claimed > 0))
    return list(found.values())


def _suspect(session: Session, turn: Turn, wishes: Sequence[_Wish], now: datetime) -> list[Choice]:
    if turn.is_suspect_in_flight:
        return []
    by_hand = [wish.choice for wish in wishes if wish.is_suspect]
    regular = [Choice(seq, is_probe=bool(is_paused)) for seq, is_paused in session.execute(_SUSPECT, {"now": now})]
    return by_hand[:1] or regular or [wish.choice for wish in _wishes(session, _SUSPECT_OF_REPLAYS, 1)]


def _fresh(session: Session, turn: Turn, wishes: Sequence[_Wish], now: datetime, slots: int) -> list[Choice]:
    by_hand = [wish.choice for wish in wishes if not wish.is_suspect]
    express = [Choice(seq) for seq in session.scalars(_EXPRESS, {"now": now, "most": slots})]
    chosen = _first_of_each([*by_hand, *express])[:slots]
    suspects = {wish.choice.seq for wish in wishes if wish.is_suspect}
    regular = [one for one in _regular(session, turn, now, slots - len(chosen)) if one.seq not in suspects]
    chosen = _first_of_each([*chosen, *regular])
    if len(chosen) < slots:
        replayed = [wish.choice for wish in _wishes(session, _OF_REPLAYS, slots - len(chosen)) if not wish.is_suspect]
        chosen = _first_of_each([*chosen, *replayed])
    return chosen


def _first_of_each(choices: Iterable[Choice]) -> list[Choice]:
    found: dict[int, Choice] = {}
    for choice in choices:
        found.setdefault(choice.seq, choice)
    return list(found.values())


def _regular(session: Session, turn: Turn, now: datetime, slots: int) -> list[Choice]:
    if slots <= 0:
        return []
    webhooks = _waiting_webhooks(session, turn, now)
    others_wait = bool(turn.cursor)  # more than one claim serves
    in_flight: dict[str, int] = {row[0]: row[1] for row in session.execute(_IN_FLIGHT)}
    paused = set(session.scalars(_PAUSED.where(WebhookHealth.webhook_id.in_(webhooks)))) if webhooks else set()
    most = min(BORROWED_IN_FLIGHT, slots)
    room = {
        webhook: 1 if webhook in paused else min(most, BORROWED_IN_FLIGHT - in_flight.get(webhook, 0))
        for webhook in webhooks
    }
    waiting = _oldest(session, {webhook: count for webhook, count in room.items() if count > 0}, now, paused)
    own = {webhook: max(0, GUARANTEED_IN_FLIGHT - in_flight.get(webhook, 0)) for webhook in waiting}
    guaranteed = _interleave([choices[: own[webhook]] for webhook, choices in waiting.items()])
    borrowed = _interleave([choices[own[webhook] :] for webhook, choices in waiting.items()])
    chosen = guaranteed[:slots] if others_wait else (guaranteed + borrowed)[:slots]
    if len(chosen) == slots:  # perhaps not all had their turn: the next claim goes on behind the last one that had
        turn.cursor = next(webhook for webhook, choices in waiting.items() if chosen[-1] in choices)
    return chosen


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


def _oldest(session: Session, room: dict[str, int], now: datetime, paused: set[str]) -> dict[str, list[Choice]]:
    """The oldest due deliveries of each webhook, at most `room` of each, in one statement."""
    if not room:
        return {}
    statement = " UNION ALL ".join(_OLDEST_OF_ONE.replace("{n}", str(n)) for n in range(len(room)))
    values: dict[str, object] = {"now": now}
    for n, (webhook, count) in enumerate(room.items()):
        values |= {f"webhook{n}": webhook, f"most{n}": count}
    found: dict[str, list[Choice]] = {webhook: [] for webhook in room}
    for seq, webhook in session.execute(sa.text(statement).bindparams(_NOW), values):
        found[webhook].append(Choice(seq, is_probe=webhook in paused))
    return found


def _interleave(columns: Sequence[Sequence[Choice]]) -> list[Choice]:
    """One of each in turn, until all are used up."""
    return [choice for choice in chain.from_iterable(zip_longest(*columns)) if choice is not None]
