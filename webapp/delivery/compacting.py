"""Compacting: the body of an event in the short format, made when a webhook first wants it and kept with the event."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from webapp.delivery import payloads
from webapp.models import Event
from webapp.models.base import table_of

_EVENT = table_of(Event)


def compact_of(session: Session, seq: int) -> bytes:
    """The body of this event in the compact format: the same for every webhook, so it is written once."""
    event = session.execute(sa.select(_EVENT).where(_EVENT.c.seq == seq)).one()
    return payloads.compact(
        code=event.type,
        previous=event.previous_value,
        current=event.current_value,
        company_id=event.company_id,
        project_id=event.project_id,
        user_id=event.user_id,
    )


def compact_missing(session: Session, events: sa.Select[int | None]) -> None:
    """Inside transaction(): make the compact bodies that these events lack. One event in memory at a time."""
    lacking = session.scalars(
        sa.select(_EVENT.c.seq).where(_EVENT.c.seq.in_(events), _EVENT.c.compact.is_(None)).order_by(_EVENT.c.seq)
    ).all()
    for seq in lacking:
        session.connection().execute(
            sa.update(_EVENT).where(_EVENT.c.seq == seq).values(compact=compact_of(session, seq))
        )
