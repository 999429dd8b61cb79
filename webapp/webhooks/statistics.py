"""What the list of webhooks shows of each: when it was used last, how well it goes, what waits. Few queries for all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa

from webapp.extensions import db
from webapp.models import Delivery, DeliveryKind, DeliveryState, Webhook, utc_now
from webapp.webhooks import hours
from webapp.webhooks.hours import Tries
from webapp.webhooks.words import Traffic, WebhookWord, webhook_word

OPEN = (DeliveryState.PENDING, DeliveryState.HELD, DeliveryState.STUCK)


@dataclass
class Figures:
    """The figures of one webhook. `waiting`, `held` and `stuck` count all deliveries; `tries` the attempts of events
    in each of the last 24 hours, oldest first, empty where there were none."""

    word: WebhookWord
    waiting: int = 0
    held: int = 0
    stuck: int = 0
    tries: list[Tries] = field(default_factory=list)
    last_at: datetime | None = None
    last_state: DeliveryState | None = None

    @property
    def succeeded(self) -> int:
        """Attempts of the last 24 hours that the receiver accepted."""
        return sum(each.succeeded for each in self.tries)

    @property
    def failed(self) -> int:
        """Attempts of the last 24 hours that failed."""
        return sum(each.failed for each in self.tries)

    @property
    def success_percent(self) -> int | None:
        """Of the attempts of the last 24 hours; None when there were none. Only all of them are 100, only none 0."""
        return hours.success_percent(self.succeeded, self.failed)


def figures(webhooks: Sequence[Webhook]) -> dict[str, Figures]:
    """The figures of each webhook, by its id."""
    ids = [webhook.id for webhook in webhooks]
    open_counts, recent = _open_counts(ids), hours.last_day(ids, utc_now())
    tried, retrying, newest = _tried(ids), _retrying(ids), _newest(ids)
    return {
        webhook.id: Figures(
            word=webhook_word(
                webhook,
                Traffic(was_tried=webhook.id in tried, is_retrying=webhook.id in retrying),
                is_paused=webhook.health.paused_at is not None,
            ),
            waiting=open_counts.get((webhook.id, DeliveryState.PENDING), 0),
            held=open_counts.get((webhook.id, DeliveryState.HELD), 0),
            stuck=open_counts.get((webhook.id, DeliveryState.STUCK), 0),
            tries=recent.get(webhook.id, []),
            last_at=newest.get(webhook.id, (None, None))[0],
            last_state=newest.get(webhook.id, (None, None))[1],
        )
        for webhook in webhooks
    }


def oldest_waiting(webhook: Webhook) -> str | None:
    """The id of the delivery of an event that has waited longest and that nobody sends just now; None without any."""
    query = (
        sa.select(Delivery.id)
        .where(
            Delivery.webhook_id == webhook.id,
            Delivery.state == DeliveryState.PENDING,
            Delivery.kind == DeliveryKind.EVENT,
            Delivery.lease_until.is_(None),
        )
        .order_by(Delivery.seq)
        .limit(1)
    )
    return db.session.scalar(query)


def next_probe_at(webhook: Webhook) -> datetime | None:
    """When the next probe of a paused webhook goes out: its time has come and a delivery is due. None if none is."""
    probe_at = webhook.health.probe_at
    due_at = db.session.scalar(
        sa.select(sa.func.min(Delivery.next_attempt_at)).where(
            Delivery.webhook_id == webhook.id, Delivery.next_attempt_at.is_not(None), Delivery.lease_until.is_(None)
        )
    )
    return None if probe_at is None or due_at is None else max(probe_at, due_at)


def _open_counts(ids: Sequence[str]) -> dict[tuple[str, DeliveryState], int]:
    query = (
        sa.select(Delivery.webhook_id, Delivery.state, sa.func.count())
        .where(Delivery.webhook_id.in_(ids), Delivery.state.in_(OPEN))
        .group_by(Delivery.webhook_id, Delivery.state)
    )
    return {(row[0], row[1]): row[2] for row in db.session.execute(query)}


def _tried(ids: Sequence[str]) -> set[str]:
    tried = sa.exists().where(Delivery.webhook_id == Webhook.id, Delivery.attempts_made > 0)
    return set(db.session.scalars(sa.select(Webhook.id).where(Webhook.id.in_(ids), tried)))


def _retrying(ids: Sequence[str]) -> set[str]:
    retrying = sa.exists().where(
        Delivery.webhook_id == Webhook.id,
        Delivery.state == DeliveryState.PENDING,
        Delivery.kind == DeliveryKind.EVENT,
        Delivery.attempts_counted > 0,
    )
    return set(db.session.scalars(sa.select(Webhook.id).where(Webhook.id.in_(ids), retrying)))


def _newest(ids: Sequence[str]) -> dict[str, tuple[datetime, DeliveryState]]:
    newest = sa.select(sa.func.max(Delivery.seq)).where(Delivery.webhook_id == Webhook.id).correlate(Webhook)
    query = (
        sa.select(Webhook.id, Delivery.created_at, Delivery.state)
        .join(Delivery, Delivery.seq == newest.scalar_subquery())
        .where(Webhook.id.in_(ids))
    )
    return {row[0]: (row[1], row[2]) for row in db.session.execute(query)}
