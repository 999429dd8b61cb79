"""Replays: many deliveries again. Counted first, then sent in pace, with progress, and stopped when one wants."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from webapp.delivery import replaying
from webapp.delivery.replaying import STATES, Chosen
from webapp.extensions import db
from webapp.models import (
    Attempt,
    Conflict,
    Delivery,
    Invalid,
    NotFound,
    Redelivery,
    Replay,
    User,
    Webhook,
    database_now,
    ring_after_commit,
    transaction,
)
from webapp.webhooks import access, audit, rules

__all__ = ["STATES", "Chosen", "Progress", "checked", "count", "load", "progress", "running", "start", "stop"]

NO_REPLAY = "There is no such replay."
DISABLED = "The webhook is disabled. Enable it first, then replay."
RUNNING = "A replay of this webhook is running. Wait until it is done, or stop it first."
NO_STATE = "Choose at least one state."
NOT_SETTLED = "Only deliveries that are settled can be replayed: %(states)s."
ENDS_TOO_EARLY = "The end lies before the beginning."


@dataclass(frozen=True)
class Progress:
    """How far a replay is. `redelivered` were asked for so far; of these `succeeded` and `failed` have an outcome and
    `open` are waiting or being sent. The rest of them was given up when the replay ended."""

    total: int
    redelivered: int
    succeeded: int
    failed: int
    open: int

    @property
    def settled(self) -> int:
        """How many have an outcome."""
        return self.succeeded + self.failed


def checked(chosen: Chosen) -> Chosen:
    """The same choice, if it makes sense; raises Invalid at its fields."""
    if not chosen.states:
        raise Invalid("status", NO_STATE)
    if not set(chosen.states) <= set(STATES):
        raise Invalid("status", NOT_SETTLED, states=", ".join(STATES))
    if chosen.until is not None and chosen.until <= chosen.since:
        raise Invalid("until", ENDS_TOO_EARLY)
    rules.events(chosen.event_types)
    return chosen


def count(webhook: Webhook, chosen: Chosen) -> int:
    """How many deliveries a replay would send now. Raises Invalid as `checked` does."""
    return _extent(checked(chosen), webhook, database_now()).total


def start(webhook: Webhook, chosen: Chosen, *, by: User) -> Replay:
    """Begin a replay; one that matches nothing is finished at once.

    Raises Conflict while the webhook is disabled or has a replay running, Invalid as `checked` does, NotFound for
    somebody else's webhook.
    """
    checked(chosen)
    now = database_now()
    extent = _extent(chosen, webhook, now)  # before anybody is kept waiting: of many it takes long
    with transaction() as session:
        access.lock(session, webhook, by)
        if not webhook.enabled:
            raise Conflict(DISABLED)
        if running(webhook) is not None:
            raise Conflict(RUNNING)
        replay = _begin(session, webhook, chosen, extent, by=by, now=now)
        audit.note("replayed", webhook, by, replay=replay.id, total=replay.total, **chosen.kept())
        ring_after_commit()
    return replay


def stop(replay: Replay, *, by: User) -> None:
    """What is not yet sent stays as it was; what is in flight finishes. Does nothing to a replay that is over."""
    with transaction() as session:
        webhook = session.get_one(Webhook, replay.webhook_id)
        access.lock(session, webhook, by)
        session.refresh(replay, with_for_update=True)
        if replay.finished_at is not None:
            return
        replay.stopped_at = replay.finished_at = now = database_now()
        session.flush()
        replaying.end_unclaimed(session, replay.seq, now)
        audit.note("replay_stopped", webhook, by, replay=replay.id, redelivered=replay.redelivered)


def load(webhook: Webhook, replay_id: str) -> Replay:
    """One replay of this webhook; raises NotFound."""
    found = db.session.scalars(
        sa.select(Replay).where(Replay.id == replay_id, Replay.webhook_id == webhook.id)
    ).one_or_none()
    if found is None:
        raise NotFound(NO_REPLAY)
    return found


def running(webhook: Webhook) -> Replay | None:
    """The replay of this webhook that is not over."""
    return db.session.scalars(
        sa.select(Replay).where(Replay.webhook_id == webhook.id, Replay.finished_at.is_(None)).limit(1)
    ).one_or_none()


def progress(replay: Replay) -> Progress:
    """How far it is now."""
    is_success = sa.and_(Attempt.status.between(200, 299), Attempt.error.is_(None), Attempt.is_late.is_(False))
    wishes = (
        sa.select(
            sa.func.max(sa.case((Redelivery.finished_at.is_(None), 1), else_=0)).label("open"),
            sa.func.max(sa.case((is_success, 1), else_=0)).label("succeeded"),
            sa.func.count(Attempt.seq).label("attempts"),
        )
        .select_from(Redelivery)
        .outerjoin(
            Attempt, sa.and_(Attempt.delivery_seq == Redelivery.delivery_seq, Attempt.redelivery_seq == Redelivery.seq)
        )
        .where(Redelivery.replay_seq == replay.seq)
        .group_by(Redelivery.seq)
        .subquery()
    )
    was_sent = sa.and_(wishes.c.open == 0, wishes.c.attempts > 0)
    row = db.session.execute(
        sa.select(
            sa.func.coalesce(sa.func.sum(wishes.c.open), 0),
            sa.func.coalesce(sa.func.sum(sa.case((was_sent, wishes.c.succeeded), else_=0)), 0),
            sa.func.coalesce(sa.func.sum(sa.case((was_sent, 1 - wishes.c.succeeded), else_=0)), 0),
        )
    ).one()
    return Progress(replay.total, replay.redelivered, succeeded=int(row[1]), failed=int(row[2]), open=int(row[0]))


def _begin(session: Session, webhook: Webhook, chosen: Chosen, extent: _Extent, *, by: User, now: datetime) -> Replay:
    replay = Replay(
        webhook_id=webhook.id,
        requested_by_id=by.id,
        chosen=chosen.kept(),
        total=extent.total,
        cursor=(extent.first or 1) - 1,
        last_seq=extent.last,
        created_at=now,
        finished_at=None if extent.total else now,
    )
    session.add(replay)
    session.flush()
    return replay


class _Extent(NamedTuple):
    """How many deliveries, and the numbers of the first and the last; what is meant later is never beyond them."""

    total: int
    first: int | None
    last: int | None


def _extent(chosen: Chosen, webhook: Webhook, now: datetime) -> _Extent:
    conditions = replaying.matching(webhook.id, chosen, now)
    numbers = sa.select(sa.func.count(), sa.func.min(Delivery.seq), sa.func.max(Delivery.seq))
    return _Extent(*db.session.execute(numbers.where(Delivery.state.in_(chosen.states), *conditions)).one())
