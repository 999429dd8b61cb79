"""Compacting: the body of an event in the short format, made when a webhook first wants it and kept with the event."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from webapp.delivery import payloads
from webapp.models import Event
from webapp.models.base import table_of

MAX_IN_MEMORY = 50  # events, of at most 256 KiB for each value

_EVENT = table_of(Event)
_KEEP = sa.update(_EVENT).where(_EVENT.c.seq == sa.bindparam("_seq")).values(compact=sa.bindparam("_compact"))


def compact_of(session: Session, seq: int) -> bytes:
    """The body of this event in the compact format: the same for every webhook, so it is written once."""
    return _compact(session.execute(sa.select(_EVENT).where(_EVENT.c.seq == seq)).one())


def compact_missing(session: Session, events: sa.Select[int | None]) -> None:
    """Inside transaction(): make the compact bodies that these events lack."""
    lacking = session.scalars(
        sa.select(_EVENT.c.seq).where(_EVENT.c.seq.in_(events), _EVENT.c.compact.is_(None)).order_by(_EVENT.c.seq)
    ).all()
    for start in range(0, len(lacking), MAX_IN_MEMORY):
        rows = session.execute(sa.select(_EVENT).where(_EVENT.c.seq.in_(lacking[start : start + MAX_IN_MEMORY])))
        session.connection().execute(_KEEP, [{"_seq": row.seq, "_compact": _compact(row)} for row in rows])


def _compact(event: Any) -> bytes:
    return payloads.compact(
        code=event.type,
        previous=event.previous_value,
        current=event.current_value,
        company_id=event.company_id,
        project_id=event.project_id,
        user_id=event.user_id,
    )
