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
    Event,
    NotFound,
    User,
    Webhook,
    WebhookSnapshot,
)
from webapp.webhooks import access
from webapp.webhooks.log_filter import STATUS_CLASSES, LogFilter, conditions

__all__ = ["LIMITS", "STATUS_CLASSES", "LogFilter", "News", "Page", "attempts", "body", "deliveries"]

LIMITS = (25, 50, 100)  # rows on a page
MAX_LIMIT = 500  # rows in one answer, whoever asks
MAX_BRANCHES = 200  # webhooks that are asked one by one; SQLite joins at most 500
# On PostgreSQL rows become visible out of order: a look back by so many numbers finds those that came late.
OVERLAP = 200
LOOK = 10_000  # rows that one page reads at most where no index leads to those that are meant
MIN_LOOK = 500  # of them for each webhook
OUT_OF_ORDER = 1_000


@dataclass(frozen=True)
class Page:
    """Deliveries, newest first. `older` and `newer` are cursors of the neighbours, None where there is none.

    `searched_to` is where the look ended before the page was full, though there is more to look at: not every filter
    has an index, and a page shall not take seconds.
    """

    deliveries: list[Delivery]
    older: int | None = None
    newer: int | None = None
    searched_to: int | None = None


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
        found = _some(user, filters, Delivery.seq > cursor, limit + 1, is_upwards=True)
        has_more, rows = len(found.rows) > limit, found.rows[:limit][::-1]
        return Page(
            rows,
            older=rows[-1].seq if rows else cursor + 1,
            newer=rows[0].seq if has_more and rows else found.edge,
            searched_to=None if has_more else found.edge,
        )
    before = sa.true() if cursor is None else Delivery.seq < cursor
    found = _some(user, filters, before, limit + 1, is_upwards=False)
    has_more, rows = len(found.rows) > limit, found.rows[:limit]
    return Page(
        rows,
        older=rows[-1].seq if has_more else found.edge,
        newer=None if cursor is None else rows[0].seq if rows else cursor - 1,
        searched_to=None if has_more else found.edge,
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
    is_fresh = sa.and_(Delivery.seq > floor, Delivery.seq.not_in(shown))
    again = _of(user, LogFilter(webhook_id=filters.webhook_id)).where(Delivery.seq.in_(watched))
    return News(
        _some(user, filters, is_fresh, limit, is_upwards=False).rows if filters.is_open else [],
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


def oldest_at(user: User, webhook_id: str | None = None) -> datetime | None:
    """When the oldest delivery that is still kept was made."""
    own = Webhook.created_by_id == user.id if webhook_id is None else Webhook.id == webhook_id
    first = sa.select(sa.func.min(Delivery.seq)).where(Delivery.webhook_id == Webhook.id).scalar_subquery()
    oldest = sa.select(sa.func.min(first)).where(own, Webhook.created_by_id == user.id).scalar_subquery()
    return db.session.scalar(sa.select(Delivery.created_at).where(Delivery.seq == oldest))


def made_at(seq: int) -> datetime | None:
    """When the delivery of that number was made."""
    return db.session.scalar(sa.select(Delivery.created_at).where(Delivery.seq == seq))


@dataclass(frozen=True)
class _Found:
    """Some rows in the order that was asked for. `edge` is the last number that was looked at when the look ended
    before all were seen."""

    rows: list[Delivery]
    edge: int | None = None


def _some(user: User, filters: LogFilter, bound: sa.ColumnElement[bool], limit: int, *, is_upwards: bool) -> _Found:
    """The first rows in that order. Each webhook gives its own first ones, by its index, and the best stay: sorting
    all rows of a person first took 270 ms with 300,000 of them."""
    order = Delivery.seq.asc() if is_upwards else Delivery.seq.desc()
    query = _of(user, filters).order_by(order).limit(limit)
    ids = _webhook_ids(user, filters)
    if filters.text or len(ids) > MAX_BRANCHES:
        return _Found(_rows(query.where(bound)))
    if not ids:
        return _Found([])
    bounds = [bound, *_numbers_of_span(filters)]
    edge = _edge(ids, bounds, is_upwards=is_upwards) if filters.is_selective else None
    if edge is not None:
        bounds.append(Delivery.seq <= edge if is_upwards else Delivery.seq >= edge)
    asked = [*bounds, *conditions(filters)]
    branches = [_first(webhook_id, asked, order, limit) for webhook_id in ids]
    return _Found(_rows(query.where(Delivery.seq.in_(sa.union_all(*branches)))), edge)


def _first(
    webhook_id: str, asked: list[sa.ColumnElement[bool]], order: sa.UnaryExpression[int], limit: int, offset: int = 0
) -> sa.Select[int]:
    """The numbers of the first ones of a webhook. A subquery round them: SQLite takes no LIMIT inside of UNION."""
    some = sa.select(Delivery.seq).where(Delivery.webhook_id == webhook_id, *asked).order_by(order)
    return sa.select(some.limit(limit).offset(offset).subquery().c.seq)


def _edge(ids: list[str], bounds: list[sa.ColumnElement[bool]], *, is_upwards: bool) -> int | None:
    """How far a look goes that must read every row on its way; None when it gets through to the end."""
    order = Delivery.seq.asc() if is_upwards else Delivery.seq.desc()
    each = max(LOOK // len(ids), MIN_LOOK)
    ends = sa.union_all(*(_first(webhook_id, bounds, order, 1, each) for webhook_id in ids)).subquery()
    nearest = sa.func.min if is_upwards else sa.func.max
    found: int | None = db.session.scalar(sa.select(nearest(ends.c.seq)))
    return found


def _numbers_of_span(filters: LogFilter) -> list[sa.ColumnElement[bool]]:
    """The span in numbers (`seq`), with a margin: they grow with the time, but for what was written side by side."""
    found: list[sa.ColumnElement[bool]] = []
    for at, is_in, order, margin in (
        (filters.since, Delivery.created_at.__ge__, Delivery.created_at.asc(), -OUT_OF_ORDER),
        (filters.until, Delivery.created_at.__lt__, Delivery.created_at.desc(), OUT_OF_ORDER),
    ):
        if at is not None:
            seq = db.session.scalar(sa.select(Delivery.seq).where(is_in(at)).order_by(order).limit(1))
            end = 0 if seq is None else seq + margin
            found.append(sa.false() if seq is None else Delivery.seq > end if margin < 0 else Delivery.seq < end)
    return found


def _webhook_ids(user: User, filters: LogFilter) -> list[str]:
    if filters.webhook_id is not None:
        _require_own(user, filters.webhook_id)
        return [filters.webhook_id]
    return list(db.session.scalars(sa.select(Webhook.id).where(Webhook.created_by_id == user.id)))


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
    return query.where(*conditions(filters))


def _require_own(user: User, webhook_id: str) -> None:
    """The log of a deleted webhook stays readable for its owner; raises NotFound for everybody else."""
    own = sa.select(Webhook.id).where(Webhook.id == webhook_id, Webhook.created_by_id == user.id)
    if db.session.scalar(own) is None:
        raise NotFound(access.NO_WEBHOOK)
