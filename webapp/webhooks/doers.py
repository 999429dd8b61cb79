"""Who did what round a delivery, by name: the change that it tells of, and sending it again by hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from webapp.extensions import db
from webapp.models import Delivery, Project, Redelivery, User


@dataclass(frozen=True)
class Wish:
    """Somebody asked for one more attempt: who (empty when that person is gone), when, and whether by a replay."""

    seq: int
    by: str
    at: datetime
    is_replay: bool
    is_open: bool


def actor(delivery: Delivery) -> str:
    """Who made the change that is delivered; empty when nobody did, or nobody who is still here."""
    user_id = delivery.event.user_id if delivery.event else None
    return db.session.scalar(sa.select(User.name).where(User.id == user_id)) or "" if user_id else ""


def project(delivery: Delivery) -> Project | None:
    """The project that the delivery belongs to; pings have none."""
    return db.session.get(Project, delivery.project_id) if delivery.project_id else None


def wishes(delivery: Delivery) -> list[Wish]:
    """All that asked to send it again, in order."""
    query = (
        sa.select(Redelivery, User.name)
        .outerjoin(User, User.id == Redelivery.requested_by_id)
        .where(Redelivery.delivery_seq == delivery.seq)
        .order_by(Redelivery.seq)
    )
    return [
        Wish(each.seq, name or "", each.requested_at, each.replay_seq is not None, each.finished_at is None)
        for each, name in db.session.execute(query)
    ]
