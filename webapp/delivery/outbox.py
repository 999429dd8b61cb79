"""Publishing: an event is written, as final bytes, in the transaction of the change that it tells of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import sqlalchemy as sa

from webapp.delivery import payloads
from webapp.extensions import db
from webapp.models import Event, Project, User, ring_after_commit, utc_now
from webapp.models.base import new_event_id, table_of

ABSENT: Any = object()  # a payload without this key, which is something else than null


def publish(
    code: str,
    *,
    project: Project,
    by: User | None,
    previous: Any = ABSENT,
    current: Any = ABSENT,
    record_id: str | None = None,
    source_project: Project | None = None,
) -> Event:
    """Write the event and ask for the bell. Belongs inside transaction(); only its commit makes the event real.

    Values are JSON values, or their final bytes; None is written as null, and a value left out makes no key.
    `record_id` is the record that the event is about or belongs to; `source_project` the one that a record came from.
    """
    event = Event(
        type=code,
        project_id=project.id,
        source_project_id=source_project.id if source_project else None,
        company_id=project.company_id,
        user_id=by.id if by else None,
        record_id=record_id,
        previous_value=_bytes(previous),
        current_value=_bytes(current),
    )
    db.session.add(event)
    ring_after_commit()
    return event


class Publication(NamedTuple):
    """An event that is to be written, its values as final bytes; None makes no key."""

    code: str
    project_id: str
    company_id: str
    user_id: str | None
    previous: bytes | None
    current: bytes | None
    record_id: str | None


def publish_many(publications: Iterable[Publication]) -> list[str]:
    """The same for events that come in numbers: one statement, no objects. Returns their ids, in their order."""
    now = utc_now()
    rows: list[dict[str, Any]] = [
        {
            "id": new_event_id(),
            "type": each.code,
            "project_id": each.project_id,
            "company_id": each.company_id,
            "user_id": each.user_id,
            "record_id": each.record_id,
            "previous_value": each.previous,
            "current_value": each.current,
            "created_at": now,
        }
        for each in publications
    ]
    if rows:
        db.session.connection().execute(sa.insert(table_of(Event)), rows)
        ring_after_commit()
    return [row["id"] for row in rows]


def _bytes(value: Any) -> bytes | None:
    if value is ABSENT:
        return None
    return value if isinstance(value, bytes) else payloads.to_json(value)
