"""Publishing: an event is written, as final bytes, in the transaction of the change that it tells of."""

from __future__ import annotations

from typing import Any

from webapp.delivery import payloads
from webapp.extensions import db
from webapp.models import Event, Project, User, ring_after_commit

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


def _bytes(value: Any) -> bytes | None:
    if value is ABSENT:
        return None
    return value if isinstance(value, bytes) else payloads.to_json(value)
