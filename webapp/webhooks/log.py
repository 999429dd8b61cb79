"""The delivery log: what a person's webhooks sent, newest first, in keyset pages, and what is new since a look."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import contains_eager, defer, joinedload

from webapp.delivery import composing
from webapp.extensions import db
from webapp.models import (
    Attempt,
    Delivery,
    DeliveryKind,
    DeliveryState,
    ErrorWord,
    Event,
    NotFound,
    User,
    Webhook,
    WebhookSnapshot,
)
from webapp.webhooks import access

LIMITS = (25, 50, 100)  # rows on a page
MAX_LIMIT = 500  # rows in one answer, whoever asks
MAX_BRANCHES = 200  # webhooks that are asked one by one; SQLite joins at most 500
# On PostgreSQL rows become visible out of order: a look back by so many numbers finds those that came late.
OVERLAP = 200
STATUS_CLASSES = ("2xx", "3xx", "4xx", "5xx", "none")


@dataclass(frozen=True)
class LogFilter:
    """Which deliveries are meant. What is None or empty does not restrict."""

    webhook_id: str | None = None
    states: Collection[DeliveryState] = ()
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


@dataclass(frozen=True)
class Page:
    """Deliveries, newest first. `older` and `newer` are cursors of the neighbours, None where there is none."""

    deliveries: list[Delivery]
    older: int | None = None
    newer: int | None = None


@dataclass(frozen=True)
class News:
    """What happened since a look: deliveries that are new (newest first), and how the watched ones stand now."""

    fresh: list[Delivery]
    watched: list[Delivery]


def deliveries(
    user: User, filters: LogFilter, cursor: int | None = None, limit: int = LIMITS[0], *, is_upwards: bool = False
) -> Page:
    """A page of the log: older than the cursor, or just newer than it when `is_upwards`.

    Raises NotFound when the filter names a webhook that is not this person's.
    """
    limit = max(1, min(limit, MAX_LIMIT))
    if is_upwards and cursor is not None:
        rows = _some(user, filters, Delivery.seq > cursor, Delivery.seq.asc(), limit + 1)
        has_more, rows = len(rows) > limit, rows[:limit][::-1]
        return Page(rows, older=rows[-1].seq if rows else None, newer=rows[0].seq if has_more and rows else None)
    before = sa.true() if cursor is None else Delivery.seq < cursor
    rows = _some(user, filters, before, Delivery.seq.desc(), limit + 1)
    has_more, rows = len(rows) > limit, rows[:limit]
    return Page(
        rows, older=rows[-1].seq if has_more else None, newer=rows[0].seq if cursor is not None and rows else None
    )


def newer(
    user: User,
    filters: LogFilter,
    *,
    after: int,
    shown: Collection[int],
    watched: Collection[int],
    limit: int = MAX_LIMIT,
) -> News:
    """What is newer than `after` and not yet `shown`, and the `watched` ones again. All three are numbers (`seq`)."""
    # What comes late belongs among the rows on screen; older than those it stands on a page further down.
    floor = max(after - OVERLAP, min(shown)) if shown else after
    fresh = _of(user, filters).where(Delivery.seq > floor, Delivery.seq.not_in(shown))
    again = _of(user, LogFilter(webhook_id=filters.webhook_id)).where(Delivery.seq.in_(watched))
    return News(
        _rows(fresh.order_by(Delivery.seq.desc()).limit(limit)) if filters.is_open else [],
        _rows(again.order_by(Delivery.seq.desc())) if watched else [],
    )


def load(user: User, delivery_id: str, webhook_id: str | None = None) -> Delivery:
    """One delivery of this person's webhooks, also of a deleted one; raises NotFound."""
    query = _of(user, LogFilter()).where(Delivery.id == delivery_id)
    if webhook_id is not None:
        query = query.where(Delivery.webhook_id == webhook_id)
    delivery = db.session.scalars(query).one_or_none()
    if delivery is None:
        raise NotFound("There is no such delivery.")
    return delivery


def attempts(delivery: Delivery) -> list[Attempt]:
    """All attempts of a delivery, in order, with request and answer."""
    return list(
        db.session.scalars(sa.select(Attempt).where(Attempt.delivery_seq == delivery.seq).order_by(Attempt.seq))
    )


def body(delivery: Delivery) -> bytes:
    """The bytes that every attempt of this delivery sends."""
    snapshot = db.session.get_one(WebhookSnapshot, delivery.snapshot_seq).body
    return composing.body(delivery, delivery.event, snapshot)


def neighbours(delivery: Delivery) -> tuple[str | None, str | None]:
    """The ids of the next newer and the next older delivery of the same webhook."""
    same = sa.select(Delivery.id).where(Delivery.webhook_id == delivery.webhook_id)
    newer_id = same.where(Delivery.seq > delivery.seq).order_by(Delivery.seq).limit(1)
    older_id = same.where(Delivery.seq < delivery.seq).order_by(Delivery.seq.desc()).limit(1)
    return db.session.scalar(newer_id), db.session.scalar(older_id)


def oldest_at(user: User) -> datetime | None:
    """When the oldest delivery that is still kept was made."""
    own = sa.select(Webhook.id).where(Webhook.created_by_id == user.id)
    first = sa.select(sa.func.min(Delivery.seq)).where(Delivery.webhook_id.in_(own))
    return db.session.scalar(sa.select(Delivery.created_at).where(Delivery.seq == first.scalar_subquery()))


def _some(
    user: User,
    filters: LogFilter,
    bound: sa.ColumnElement[bool],
    order: sa.UnaryExpression[int],
    limit: int,
) -> list[Delivery]:
    """The first rows in that order. Over all webhooks each gives its own first ones, by its index, and the best stay:
    sorting all rows of a person first took 270 ms with 300,000 of them."""
    query = _of(user, filters).order_by(order).limit(limit)
    if filters.webhook_id is not None or filters.text:
        return _rows(query.where(bound))
    ids = db.session.scalars(sa.select(Webhook.id).where(Webhook.created_by_id == user.id)).all()
    if not 1 < len(ids) <= MAX_BRANCHES:
        return _rows(query.where(bound))
    conditions = _conditions(filters)
    branches = [
        sa.select(
            sa.select(Delivery.seq)
            .where(Delivery.webhook_id == webhook_id, bound, *conditions)
            .order_by(order)
            .limit(limit)
            .subquery()
        )
        for webhook_id in ids
    ]
    return _rows(query.where(Delivery.seq.in_(sa.union_all(*branches))))


def _rows(query: sa.Select[Delivery]) -> list[Delivery]:
    return list(db.session.scalars(query).unique())


def _of(user: User, filters: LogFilter) -> sa.Select[Delivery]:
    if filters.webhook_id is not None:
        _require_own(user, filters.webhook_id)
    query = (
        sa.select(Delivery)
        .join(Delivery.webhook)
        .where(Webhook.created_by_id == user.id)
        .options(contains_eager(Delivery.webhook).joinedload(Webhook.health), defer(Delivery.sample))
        .options(
            joinedload(Delivery.event).options(
                defer(Event.previous_value), defer(Event.current_value), defer(Event.compact)
            )
        )
        .execution_options(populate_existing=True)
    )
    return query.where(*_conditions(filters))


def _require_own(user: User, webhook_id: str) -> None:
    """The log of a deleted webhook stays readable for its owner; raises NotFound for everybody else."""
    own = sa.select(Webhook.id).where(Webhook.id == webhook_id, Webhook.created_by_id == user.id)
    if db.session.scalar(own) is None:
        raise NotFound(access.NO_WEBHOOK)


def _conditions(filters: LogFilter) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool] | None] = [
        Delivery.webhook_id == filters.webhook_id if filters.webhook_id else None,
        Delivery.state.in_(filters.states) if filters.states else None,
        Delivery.event_type.in_(filters.event_types) if filters.event_types else None,
        Delivery.project_id == filters.project_id if filters.project_id else None,
        _has_status(filters.status_class) if filters.status_class else None,
        Delivery.last_error == filters.error if filters.error else None,
        _is_real(is_real=filters.is_real) if filters.is_real is not None else None,
        Delivery.created_at >= filters.since if filters.since else None,
        Delivery.created_at < filters.until if filters.until else None,
        _is_named(filters.text) if filters.text else None,
    ]
    return [condition for condition in conditions if condition is not None]


def _has_status(status_class: str) -> sa.ColumnElement[bool]:
    if status_class not in STATUS_CLASSES:
        return sa.false()
    if status_class == "none":
        return sa.and_(Delivery.last_status.is_(None), Delivery.last_error.is_not(None))
    first = int(status_class[0]) * 100
    return Delivery.last_status.between(first, first + 99)


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
