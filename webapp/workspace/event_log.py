"""What happened in somebody's projects: the events, newest first, in keyset pages."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import defer

from webapp.extensions import db
from webapp.models import Event, NotFound, ProjectMember, User

MAX_LIMIT = 200  # events of one page


@dataclass(frozen=True)
class EventFilter:
    """Which events are meant. What is None or empty does not restrict."""

    project_id: str | None = None
    event_types: Collection[str] = ()
    record_id: str | None = None
    user_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class EventPage:
    """Events, newest first, their values not loaded. `older` is the cursor of the next page, None at the end."""

    events: list[Event]
    older: int | None = None


def events(user: User, filters: EventFilter, cursor: int | None = None, limit: int = 50) -> EventPage:
    """A page of the events of this person's projects: the newest, or those older than the cursor."""
    query = _visible(user).where(*_conditions(filters))
    if cursor is not None:
        query = query.where(Event.seq < cursor)
    limit = max(1, min(limit, MAX_LIMIT))
    values = (defer(Event.previous_value), defer(Event.current_value), defer(Event.compact))
    rows = list(db.session.scalars(query.options(*values).order_by(Event.seq.desc()).limit(limit + 1)))
    return EventPage(rows[:limit], rows[limit - 1].seq if len(rows) > limit else None)


def load(event_id: str, user: User) -> Event:
    """An event of a project that `user` is a member of; raises NotFound, also for other people's."""
    event = db.session.scalar(_visible(user).where(Event.id == event_id))
    if event is None:
        raise NotFound("There is no such event.")
    return event


def _visible(user: User) -> sa.Select[Event]:
    """A record that moved between projects is seen by the members of both."""
    mine = sa.select(ProjectMember.project_id).where(ProjectMember.user_id == user.id)
    return sa.select(Event).where(sa.or_(Event.project_id.in_(mine), Event.source_project_id.in_(mine)))


def _conditions(filters: EventFilter) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool] | None] = [
        Event.project_id == filters.project_id if filters.project_id else None,
        Event.type.in_(filters.event_types) if filters.event_types else None,
        Event.record_id == filters.record_id if filters.record_id else None,
        Event.user_id == filters.user_id if filters.user_id else None,
        Event.created_at >= filters.since if filters.since else None,
        Event.created_at < filters.until if filters.until else None,
    ]
    return [condition for condition in conditions if condition is not None]
