"""Redeliveries that are wished for and not made yet, and how they end without an outcome.

Whatever is asked about them begins at those that are open, which are few beside all that were ever made: a replay has
five, and somebody has to ask for each other one by hand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from webapp.models import Delivery, Redelivery, packed
from webapp.models.among import among
from webapp.models.base import table_of

_REDELIVERY = table_of(Redelivery)
_OPEN_BY_REPLAY = (
    sa.select(_REDELIVERY.c.replay_seq, sa.func.count().label("open"))
    .where(_REDELIVERY.c.finished_at.is_(None))
    .group_by(_REDELIVERY.c.replay_seq)
)

_END = (
    sa.update(_REDELIVERY)
    .where(among(_REDELIVERY.c.delivery_seq, "seqs"), _REDELIVERY.c.finished_at.is_(None))
    .values(finished_at=sa.bindparam("at", type_=_REDELIVERY.c.finished_at.type))
)


def open_by_replay(connection: Connection) -> Counter[int]:
    """How many redeliveries of each replay are open."""
    rows = packed.rows(connection, _OPEN_BY_REPLAY)
    return Counter({row.replay_seq: row.open for row in rows if row.replay_seq is not None})


def end_of(session: Session, now: datetime, delivery_seqs: Collection[int]) -> None:
    """Inside transaction(): the open redeliveries of these deliveries are over."""
    session.connection().execute(_END, {"seqs": delivery_seqs, "at": now})


def end(session: Session, now: datetime, *conditions: sa.ColumnElement[bool]) -> None:
    """Inside transaction(): the open redeliveries are over that meet these conditions, on `Redelivery` and `Delivery`.

    One in flight finishes; that its redelivery is over keeps it from being sent again should its worker die.
    """
    is_meant = sa.exists().where(Delivery.seq == Redelivery.delivery_seq, *conditions)
    session.execute(
        sa.update(Redelivery)
        .where(Redelivery.finished_at.is_(None), is_meant)
        .values(finished_at=now)
        .execution_options(synchronize_session=False)
    )
