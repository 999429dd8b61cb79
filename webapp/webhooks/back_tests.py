"""What a record filter would have done: its verdict on the last recorded events of one's own projects."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from webapp.delivery import filters
from webapp.extensions import db
from webapp.models import Event, User
from webapp.webhooks import access

LAST = 500  # events
MAX_EXAMPLES = 5  # of each kind
MAX_BYTES = 16 * 1024 * 1024  # of values; a back-test ends there, and says how far it came
MAX_BRANCHES = 200  # projects that are asked one by one; SQLite joins at most 500
CHUNK = 25  # events whose values are in memory at once

_COLUMNS = (Event.id, Event.type, Event.project_id, Event.created_at, Event.previous_value, Event.current_value)
_NAMES = ("title", "name", "text")  # what people know an entity by, the first that it has


@dataclass(frozen=True)
class Example:
    """One event. `name` is the entity's title, name or text as far as it has one; `refusal` None = it would be sent."""

    event_id: str
    event_type: str
    project_id: str
    created_at: datetime
    name: str
    refusal: Mapping[str, Any] | None


@dataclass
class BackTest:
    """How many events the filter lets pass and refuses, with the newest of both."""

    passed: int = 0
    refused: int = 0
    passed_examples: list[Example] = field(default_factory=list)
    refused_examples: list[Example] = field(default_factory=list)

    @property
    def judged(self) -> int:
        """How many events were looked at."""
        return self.passed + self.refused


def back_test(
    user: User,
    record_filter: Mapping[str, Any] | None,
    events: Collection[str] = (),
    project_ids: Collection[str] = (),
    last: int = LAST,
) -> BackTest:
    """Judge the newest `last` events of these types and projects, empty = all, that this person administers.

    Raises Invalid for a filter that cannot be read; None lets all pass.
    """
    read = filters.check(record_filter or {})
    result = BackTest()
    for row in newest(user, events, project_ids, last):
        values = filters.Values.of(row.type, row.previous_value, row.current_value)
        refusal = filters.judge(read, values)
        example = Example(
            row.id, row.type, row.project_id, row.created_at, name_of(values.now), refusal.stored if refusal else None
        )
        _count(result, example)
    return result


def newest(user: User, events: Collection[str], project_ids: Collection[str], last: int) -> Iterator[Any]:
    """The newest events of these types and projects, empty = all, that this person administers: rows with values."""
    administered = {project.id for project in access.administered_projects(user)}
    chosen = administered.intersection(project_ids) if project_ids else administered
    seqs = _seqs(chosen, [Event.type.in_(events)] if events else [], last)
    size = 0
    for start in range(0, len(seqs), CHUNK):
        some = sa.select(*_COLUMNS).where(Event.seq.in_(seqs[start : start + CHUNK])).order_by(Event.seq.desc())
        for row in db.session.execute(some):
            size += len(row.previous_value or b"") + len(row.current_value or b"")
            if size > MAX_BYTES:
                return
            yield row


def _seqs(project_ids: Collection[str], conditions: list[sa.ColumnElement[bool]], last: int) -> Sequence[int]:
    """The newest events. Each project gives its own newest, by its index: one query over all would sort all events."""
    newest = sa.select(Event.seq).where(*conditions).order_by(Event.seq.desc()).limit(last)
    if not 0 < len(project_ids) <= MAX_BRANCHES:
        return db.session.scalars(newest.where(Event.project_id.in_(project_ids))).all()
    branches = [sa.select(newest.where(Event.project_id == each).subquery()) for each in sorted(project_ids)]
    found = sa.union_all(*branches).subquery()
    return db.session.scalars(sa.select(found.c.seq).order_by(found.c.seq.desc()).limit(last)).all()


def _count(result: BackTest, example: Example) -> None:
    if example.refusal is None:
        result.passed += 1
        examples = result.passed_examples
    else:
        result.refused += 1
        examples = result.refused_examples
    if len(examples) < MAX_EXAMPLES:
        examples.append(example)


def name_of(value: Any) -> str:
    """What people know an entity by, shortened; empty for one without a name."""
    names = (value.get(name) for name in _NAMES) if isinstance(value, dict) else ()
    found = next((name for name in names if isinstance(name, str) and name), "")
    return found if len(found) <= 80 else found[:79] + "…"
