"""Which deliveries of the log are meant: the filter, and what it asks of the database."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from webapp.delivery.replaying import STATUS_CLASSES, has_status
from webapp.models import Delivery, DeliveryKind, DeliveryState, ErrorWord, Event, WebhookHealth
from webapp.webhooks.words import DeliveryWord

__all__ = ["STATUS_CLASSES", "STEPS", "LogFilter", "conditions"]

STEPS = (DeliveryWord.WAITING, DeliveryWord.SENDING, DeliveryWord.RETRYING, DeliveryWord.PAUSED)


@dataclass(frozen=True)
class LogFilter:
    """Which deliveries are meant. What is None or empty does not restrict."""

    webhook_id: str | None = None
    states: Collection[DeliveryState] = ()
    step: DeliveryWord | None = None  # one of STEPS: how far one that is not settled has come
    event_types: Collection[str] = ()
    project_id: str | None = None
    status_class: str | None = None
    error: ErrorWord | None = None
    is_real: bool | None = None  # True: events only; False: pings, tests and health checks only
    since: datetime | None = None
    until: datetime | None = None
    text: str = ""  # the id of a delivery, an event or a record

    @property
    def is_open(self) -> bool:
        """Whether deliveries that are made later can be meant too."""
        return self.until is None

    @property
    def is_selective(self) -> bool:
        """Whether rows must be read to find out if they are meant: no index leads to them."""
        read = (self.step, self.project_id, self.status_class)
        return any(read) or self.is_real is not None


def conditions(filters: LogFilter) -> list[sa.ColumnElement[bool]]:
    """The conditions on deliveries, but for whose they are."""
    found: list[sa.ColumnElement[bool] | None] = [
        Delivery.webhook_id == filters.webhook_id if filters.webhook_id else None,
        Delivery.state.in_(filters.states) if filters.states else None,
        _is_at(filters.step) if filters.step else None,
        Delivery.event_type.in_(filters.event_types) if filters.event_types else None,
        Delivery.project_id == filters.project_id if filters.project_id else None,
        has_status(filters.status_class) if filters.status_class else None,
        Delivery.last_error == filters.error if filters.error else None,
        _is_real(is_real=filters.is_real) if filters.is_real is not None else None,
        Delivery.created_at >= filters.since if filters.since else None,
        Delivery.created_at < filters.until if filters.until else None,
        _is_named(filters.text) if filters.text else None,
    ]
    return [condition for condition in found if condition is not None]


def _is_at(step: DeliveryWord) -> sa.ColumnElement[bool]:
    """As `delivery_word` tells them apart."""
    if step is DeliveryWord.SENDING:
        return Delivery.lease_until.is_not(None)
    paused = sa.select(WebhookHealth.webhook_id).where(WebhookHealth.paused_at.is_not(None))
    is_paused = sa.and_(Delivery.event_seq.is_not(None), Delivery.webhook_id.in_(paused))
    further = {
        DeliveryWord.PAUSED: [is_paused],
        DeliveryWord.RETRYING: [~is_paused, Delivery.attempts_counted > 0],
        DeliveryWord.WAITING: [~is_paused, Delivery.attempts_counted == 0],
    }
    return sa.and_(Delivery.state == DeliveryState.PENDING, Delivery.lease_until.is_(None), *further[step])


def _is_real(*, is_real: bool) -> sa.ColumnElement[bool]:
    return Delivery.kind == DeliveryKind.EVENT if is_real else Delivery.kind != DeliveryKind.EVENT


def _is_named(text: str) -> sa.ColumnElement[bool]:
    """Three look-ups by index; joined by OR they became a walk over all rows."""
    of_event = sa.select(Delivery.seq).join(Event, Event.seq == Delivery.event_seq)
    named = sa.union_all(
        sa.select(Delivery.seq).where(Delivery.id == text),
        of_event.where(Event.id == text),
        of_event.where(Event.record_id == text),
    )
    return Delivery.seq.in_(named)
