"""Wishes to send a delivery again (redelivery rows), and how they end before anybody has sent it.

There are few open ones, however many were ever made: whatever is asked about them begins at those.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from webapp.models import Delivery, Redelivery, packed
from webapp.models.base import table_of

_REDELIVERY = table_of(Redelivery)
_OPEN_BY_REPLAY = (
    sa.select(_REDELIVERY.c.replay_seq, sa.func.count().label("open"))
    .where(_REDELIVERY.c.finished_at.is_(None))
    .group_by(_REDELIVERY.c.replay_seq)
)


def open_by_replay(connection: Connection) -> Counter[int]:
    """How many wishes of each replay are open."""
    rows = packed.rows(connection, _OPEN_BY_REPLAY)
    return Counter({row.replay_seq: row.open for row in rows if row.replay_seq is not None})


def end(session: Session, now: datetime, *conditions: sa.ColumnElement[bool]) -> None:
    """Inside transaction(): the open wishes are over whose `Redelivery` and `Delivery` meet these conditions.

    One in flight finishes; that its wish is over keeps it from being sent again should its worker die.
    """
    is_meant = sa.exists().where(Delivery.seq == Redelivery.delivery_seq, *conditions)
    session.execute(
        sa.update(Redelivery)
        .where(Redelivery.finished_at.is_(None), is_meant)
        .values(finished_at=now)
        .execution_options(synchronize_session=False)
    )
