"""What happened in somebody's projects: the events, newest first, in keyset pages."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import defer

from webapp.extensions import db
from webapp.models import Delivery, Event, NotFound, ProjectMember, User, Webhook

MAX_LIMIT = 200  # events of one page
MAX_BRANCHES = 100  # projects that are asked one by one; SQLite joins at most 500, and there are two for each
OUT_OF_ORDER = 1_000  # numbers by which an event may lie beside its time
LOOK = 10_000  # events that one page reads at most where no index leads to those that are meant
MIN_LOOK = 500  # of them for each project


@dataclass(frozen=True)
class EventFilter:
    """Which events are meant. What is None or empty does not restrict."""

    project_id: str | None = None
    event_types: Collection[str] = ()
    record_id: str | None = None
    user_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    is_unsent: bool = False  # none of the webhooks of the person who looks has a delivery of it

    @property
    def is_selective(self) -> bool:
        """Whether events must be read to find out if they are meant: no index leads to them."""
        return bool(self.user_id or self.is_unsent) and not self.record_id


@dataclass(frozen=True)
class EventPage:
    """Events, newest first, their values not loaded. The cursors lead to the neighbours, None where there is none.

    A page may be short, or empty, and have a neighbour: a look that must read every event on its way ends early.
    """

    events: list[Event]
    older: int | None = None
    newer: int | None = None


def events(
    user: User, filters: EventFilter, cursor: int | None = None, limit: int = 50, *, is_upwards: bool = False
) -> EventPage:
    """A page of the events of this person's projects: older than the cursor, or just newer when `is_upwards`."""
    limit = max(1, min(limit, MAX_LIMIT))
    is_upwards = is_upwards and cursor is not None
    found, edge = _some(user, filters, cursor, limit + 1, is_upwards=is_upwards)
    has_more, rows = len(found) > limit, found[:limit]
    if is_upwards:
        rows = rows[::-1]
        older = rows[-1].seq if rows else (cursor or 0) + 1
        return EventPage(rows, older, rows[0].seq if has_more else edge)
    newer = None if cursor is None else rows[0].seq if rows else cursor - 1
    return EventPage(rows, rows[-1].seq if has_more else edge, newer)


def load(event_id: str, user: User) -> Event:
    """An event of a project that `user` is a member of; raises NotFound, also for other people's."""
    event = db.session.scalar(_visible(user).where(Event.id == event_id))
    if event is None:
        raise NotFound("There is no such event.")
    return event


def _some(
    user: User, filters: EventFilter, cursor: int | None, limit: int, *, is_upwards: bool
) -> tuple[list[Event], int | None]:
    """Each project gives its own first ones, by its indexes, and the best stay: walking down from the newest took 94 ms
    for somebody whose projects had few of 300,000 events, this 1 ms. And where the look ended, if it ended early."""
    order = Event.seq.asc() if is_upwards else Event.seq.desc()
    bounds = _numbers_of_span(filters)
    if cursor is not None:
        bounds.append(Event.seq > cursor if is_upwards else Event.seq < cursor)
    project_ids = _project_ids(user, filters)
    if not project_ids:
        return [], None
    edge = None
    if filters.is_selective and len(project_ids) <= MAX_BRANCHES:
        edge = _edge(project_ids, bounds, order, is_upwards=is_upwards)
    if edge is not None:
        bounds.append(Event.seq <= edge if is_upwards else Event.seq >= edge)
    asked = [*_conditions(user, filters), *bounds]
    values = (defer(Event.previous_value), defer(Event.current_value), defer(Event.compact))
    query = sa.select(Event).options(*values).order_by(order).limit(limit)
    if len(project_ids) > MAX_BRANCHES or filters.record_id:
        query = query.where(_of_projects(project_ids), *asked)
    else:
        branches = [
            _first(column == project_id, asked, order, limit)
            for project_id in project_ids
            for column in (Event.project_id, Event.source_project_id)
        ]
        query = query.where(Event.seq.in_(sa.union_all(*branches)))
    return list(db.session.scalars(query)), edge


def _edge(
    project_ids: Collection[str],
    bounds: list[sa.ColumnElement[bool]],
    order: sa.UnaryExpression[int],
    *,
    is_upwards: bool,
) -> int | None:
    """How far a look goes that must read every event on its way; None when it gets through to the end."""
    each = max(LOOK // len(project_ids), MIN_LOOK)
    branches = (_first(Event.project_id == one, bounds, order, 1, offset=each) for one in project_ids)
    ends = sa.union_all(*branches).subquery()
    nearest = sa.func.min if is_upwards else sa.func.max
    found: int | None = db.session.scalar(sa.select(nearest(ends.c.seq)))
    return found


def _first(
    place: sa.ColumnElement[bool],
    asked: list[sa.ColumnElement[bool]],
    order: sa.UnaryExpression[int],
    limit: int,
    offset: int = 0,
) -> sa.Select[int]:
    """The numbers of the first ones of a project. A subquery round them: SQLite takes no LIMIT inside of UNION."""
    some = sa.select(Event.seq).where(place, *asked).order_by(order).limit(limit).offset(offset).subquery()
    return sa.select(some.c.seq)


def _numbers_of_span(filters: EventFilter) -> list[sa.ColumnElement[bool]]:
    """The span in numbers (`seq`), with a margin: they grow with the time, but for what was written side by side."""
    found: list[sa.ColumnElement[bool]] = []
    if filters.since is not None:
        first = sa.select(Event.seq).where(Event.created_at >= filters.since).order_by(Event.created_at).limit(1)
        seq = db.session.scalar(first)
        found.append(sa.false() if seq is None else Event.seq > seq - OUT_OF_ORDER)
    if filters.until is not None:
        last = sa.select(Event.seq).where(Event.created_at < filters.until).order_by(Event.created_at.desc()).limit(1)
        seq = db.session.scalar(last)
        found.append(sa.false() if seq is None else Event.seq < seq + OUT_OF_ORDER)
    return found


def _project_ids(user: User, filters: EventFilter) -> list[str]:
    """The projects whose events are meant; none when the filter names one that is not this person's."""
    query = sa.select(ProjectMember.project_id).where(ProjectMember.user_id == user.id)
    if filters.project_id:
        query = query.where(ProjectMember.project_id == filters.project_id)
    return list(db.session.scalars(query))


def _visible(user: User) -> sa.Select[Event]:
    """A record that moved between projects is seen by the members of both."""
    mine = sa.select(ProjectMember.project_id).where(ProjectMember.user_id == user.id)
    return sa.select(Event).where(sa.or_(Event.project_id.in_(mine), Event.source_project_id.in_(mine)))


def _of_projects(project_ids: Collection[str]) -> sa.ColumnElement[bool]:
    return sa.or_(Event.project_id.in_(project_ids), Event.source_project_id.in_(project_ids))


def _conditions(user: User, filters: EventFilter) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool] | None] = [
        Event.type.in_(filters.event_types) if filters.event_types else None,
        Event.record_id == filters.record_id if filters.record_id else None,
        Event.user_id == filters.user_id if filters.user_id else None,
        Event.created_at >= filters.since if filters.since else None,
        Event.created_at < filters.until if filters.until else None,
        ~_is_sent_by(user) if filters.is_unsent else None,
    ]
    return [condition for condition in conditions if condition is not None]


def _is_sent_by(user: User) -> sa.ColumnElement[bool]:
    own = sa.select(Webhook.id).where(Webhook.created_by_id == user.id, Webhook.deleted_at.is_(None))
    return sa.exists().where(Delivery.event_seq == Event.seq, Delivery.webhook_id.in_(own))
