"""The records of a project in keyset pages, by their ids, with all that hangs on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from webapp.extensions import db
from webapp.models import Project, Record, RecordAssignee, RecordList, RecordTag

MAX_LIMIT = 200  # records of one page


@dataclass(frozen=True)
class RecordFilter:
    """Which records are meant. What is None does not restrict."""

    list_id: str | None = None
    tag_id: str | None = None
    assignee_id: str | None = None
    done: bool | None = None
    archived: bool | None = False
    due_before: datetime | None = None


@dataclass(frozen=True)
class RecordPage:
    """Records in the order of their ids. `last_id` is the cursor of the next page, None at the end."""

    records: list[Record]
    last_id: str | None = None


def page(project: Project, filters: RecordFilter, after: str | None = None, limit: int = 50) -> RecordPage:
    """A page of a project's records: the first ones, or those after this id."""
    query = sa.select(Record).join(Record.list).where(RecordList.project_id == project.id, *_conditions(filters))
    if after is not None:
        query = query.where(Record.id > after)
    limit = max(1, min(limit, MAX_LIMIT))
    whole = [selectinload(each) for each in (Record.assignees, Record.tags, Record.field_values)]
    query = query.options(joinedload(Record.list), *whole).order_by(Record.id).limit(limit + 1)
    rows = list(db.session.scalars(query))
    return RecordPage(rows[:limit], rows[limit - 1].id if len(rows) > limit else None)


def _conditions(filters: RecordFilter) -> list[sa.ColumnElement[bool]]:
    conditions: dict[str, Callable[[Any], sa.ColumnElement[bool]]] = {
        "list_id": lambda wanted: Record.list_id == wanted,
        "tag_id": lambda wanted: Record.tags.any(RecordTag.tag_id == wanted),
        "assignee_id": lambda wanted: Record.assignees.any(RecordAssignee.user_id == wanted),
        "done": lambda wanted: Record.done == wanted,
        "archived": lambda wanted: Record.archived == wanted,
        "due_before": lambda wanted: Record.dued_at < wanted,
    }
    wanted = {name: getattr(filters, name) for name in conditions}
    return [conditions[name](value) for name, value in wanted.items() if value is not None]
