"""Replaying: many deliveries again, a few at a time, behind all that is due anyway.

A replay is a cursor over deliveries. Each step makes wishes (redelivery rows) for the next few, while only few of its
wishes are open; cursor and wishes are written together, so a worker that dies loses none and doubles none. What was
asked for is what had been settled when it was asked for: a delivery that was sent again meanwhile is passed over.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from webapp.delivery import cancelling
from webapp.extensions import db
from webapp.models import (
    Delivery,
    DeliveryKind,
    DeliveryState,
    ErrorWord,
    Redelivery,
    Replay,
    Webhook,
    WebhookHealth,
    database_now,
    transaction,
)
from webapp.models.base import new_id, table_of

MAX_OPEN_PER_REPLAY = 5
REFILL_AT = 2  # open ones; then a step makes several at once
MAX_OPEN = 16  # of all replays together: half of the threads of one worker process
EVERY_WHILE_PAUSED = timedelta(minutes=1)  # one goes out then, so that a receiver that is well again is noticed

STATUS_CLASSES = ("2xx", "3xx", "4xx", "5xx", "none")
STATES = (DeliveryState.FAILED, DeliveryState.STUCK, DeliveryState.CANCELLED, DeliveryState.SUCCEEDED)


@dataclass(frozen=True)
class Chosen:
    """Which deliveries of a webhook are meant: made within a span, in one of these states. What is empty or None does
    not restrict."""

    since: datetime
    until: datetime | None = None
    states: tuple[DeliveryState, ...] = (DeliveryState.FAILED,)
    event_types: tuple[str, ...] = ()
    project_id: str | None = None
    status_class: str | None = None
    error: ErrorWord | None = None

    @classmethod
    def of(cls, kept: dict[str, Any]) -> Chosen:
        """From the JSON value that is kept with a replay."""
        return cls(
            since=datetime.fromisoformat(kept["since"]),
            until=datetime.fromisoformat(kept["until"]) if kept["until"] else None,
            states=tuple(DeliveryState(state) for state in kept["states"]),
            event_types=tuple(kept["eventTypes"]),
            project_id=kept.get("projectId"),
            status_class=kept.get("response"),
            error=ErrorWord(kept["error"]) if kept.get("error") else None,
        )

    def kept(self) -> dict[str, Any]:
        """The JSON value that is kept with a replay."""
        further = {"projectId": self.project_id, "response": self.status_class, "error": self.error and str(self.error)}
        return {
            "since": self.since.isoformat(),
            "until": self.until.isoformat() if self.until else None,
            "states": [str(state) for state in self.states],
            "eventTypes": list(self.event_types),
        } | {name: value for name, value in further.items() if value}


def matching(webhook_id: str, chosen: Chosen, settled_by: datetime) -> list[sa.ColumnElement[bool]]:
    """The conditions on deliveries, but for their state: settled by then, and still allowed to this webhook's owner."""
    owner = sa.select(Webhook.created_by_id).where(Webhook.id == webhook_id).scalar_subquery()
    conditions = [
        Delivery.webhook_id == webhook_id,
        Delivery.kind == DeliveryKind.EVENT,
        Delivery.created_at >= chosen.since,
        sa.func.coalesce(Delivery.settled_at, Delivery.created_at) <= settled_by,
        Delivery.lease_until.is_(None),
        ~sa.exists().where(Redelivery.delivery_seq == Delivery.seq, Redelivery.finished_at.is_(None)),
        cancelling.is_of(cancelling.administered(owner)),
    ]
    if chosen.until is not None:
        conditions.append(Delivery.created_at < chosen.until)
    if chosen.event_types:
        conditions.append(Delivery.event_type.in_(chosen.event_types))
    if chosen.project_id:
        conditions.append(Delivery.project_id == chosen.project_id)
    if chosen.status_class:
        conditions.append(has_status(chosen.status_class))
    if chosen.error:
        conditions.append(Delivery.last_error == chosen.error)
    return conditions


def has_status(status_class: str) -> sa.ColumnElement[bool]:
    """Whether the newest answer was of that class; `none`: there was no answer, but an error."""
    if status_class not in STATUS_CLASSES:
        return sa.false()
    if status_class == "none":
        return sa.and_(Delivery.last_status.is_(None), Delivery.last_error.is_not(None))
    first = int(status_class[0]) * 100
    return Delivery.last_status.between(first, first + 99)


def advance() -> int:
    """Go on with every replay that has room; returns how many deliveries are to be sent again.

    A transaction for each replay with something to do; one cheap look when there is none.
    """
    if not db.session.scalar(_IS_ANY_OPEN):
        return 0
    _end_leftovers()
    running = list(db.session.execute(_RUNNING))
    room = MAX_OPEN - sum(replay.open for replay in running)
    random.shuffle(running)  # no replay is always the last
    made = 0
    for replay in running:
        if replay.deleted_at is not None or not replay.enabled:
            _end(replay.seq)
        elif replay.open <= REFILL_AT and room - made > 0:
            made += _step(replay.seq, replay.webhook_id, room - made)
    return made


def end_wishes(session: Session, replay_seq: int, now: datetime) -> None:
    """Inside transaction(): those of this replay's wishes that nobody has claimed are not made any more."""
    unclaimed = sa.select(Delivery.seq).where(Delivery.lease_until.is_(None))
    session.execute(
        sa.update(Redelivery)
        .where(
            Redelivery.replay_seq == replay_seq,
            Redelivery.finished_at.is_(None),
            Redelivery.delivery_seq.in_(unclaimed),
        )
        .values(finished_at=now)
        .execution_options(synchronize_session=False)
    )


_OPEN = (
    sa.select(sa.func.count())
    .where(Redelivery.replay_seq == Replay.seq, Redelivery.finished_at.is_(None))
    .correlate(Replay)
    .scalar_subquery()
)
_IS_ANY_OPEN = sa.select(
    sa.or_(
        sa.exists().where(Replay.finished_at.is_(None)),
        sa.exists().where(Redelivery.finished_at.is_(None), Redelivery.replay_seq.is_not(None)),
    )
)
_RUNNING = (
    sa.select(Replay.seq, Replay.webhook_id, Webhook.enabled, Webhook.deleted_at, _OPEN.label("open"))
    .join(Webhook, Webhook.id == Replay.webhook_id)
    .where(Replay.finished_at.is_(None))
    .order_by(Replay.seq)
)
_LEFT_OVER = (
    sa.select(Replay.seq)
    .join(Redelivery, Redelivery.replay_seq == Replay.seq)
    .join(Delivery, Delivery.seq == Redelivery.delivery_seq)
    .where(Redelivery.finished_at.is_(None), Replay.finished_at.is_not(None), Delivery.lease_until.is_(None))
    .distinct()
)


def _end_leftovers() -> None:
    """A replay was stopped while one was in flight, and its worker died or gave it back: nobody wants it any more."""
    for replay_seq in db.session.scalars(_LEFT_OVER).all():
        with transaction() as session:
            end_wishes(session, replay_seq, database_now())


def _end(replay_seq: int) -> None:
    """The webhook was switched off or deleted: what was not sent stays as it was."""
    with transaction() as session:
        now = database_now()
        session.execute(
            sa.update(Replay)
            .where(Replay.seq == replay_seq, Replay.finished_at.is_(None))
            .values(stopped_at=now, finished_at=now)
        )
        end_wishes(session, replay_seq, now)


def _step(replay_seq: int, webhook_id: str, room: int) -> int:
    with transaction() as session:
        cancelling.keep_roles(session)
        replay = _lock(session, replay_seq, webhook_id)
        if replay is None:
            return 0
        now = database_now()
        open_now = session.scalar(sa.select(_OPEN).where(Replay.seq == replay_seq)) or 0
        limit = min(_limit(session, replay, open_now, now), room)
        if limit <= 0:
            return 0
        seqs = _next(session, replay, limit)
        if seqs:
            _wish(session, replay, seqs, now)
        elif not open_now:
            replay.finished_at = now
        return len(seqs)


def _lock(session: Session, replay_seq: int, webhook_id: str) -> Replay | None:
    """The webhook's row first, as everywhere; None while somebody else has it, or when the replay is over."""
    mine = sa.select(Webhook.id).where(Webhook.id == webhook_id, Webhook.enabled).with_for_update(skip_locked=True)
    if session.scalar(mine) is None:
        return None
    running = sa.select(Replay).where(Replay.seq == replay_seq, Replay.finished_at.is_(None)).with_for_update()
    return session.scalars(running.execution_options(populate_existing=True)).one_or_none()


def _limit(session: Session, replay: Replay, open_now: int, now: datetime) -> int:
    paused = sa.select(WebhookHealth.paused_at).where(WebhookHealth.webhook_id == replay.webhook_id)
    if session.scalar(paused) is None:
        return MAX_OPEN_PER_REPLAY - open_now
    newest = sa.select(sa.func.max(Redelivery.requested_at)).where(Redelivery.replay_seq == replay.seq)
    asked_at = session.scalar(newest)
    is_time = asked_at is None or now - asked_at >= EVERY_WHILE_PAUSED
    return 1 if is_time and not open_now else 0


def _next(session: Session, replay: Replay, limit: int) -> list[int]:
    """The next ones after the cursor. Each state gives its first ones by its index: joined, all would be sorted."""
    chosen = Chosen.of(replay.chosen)
    conditions = matching(replay.webhook_id, chosen, replay.created_at)
    branches = [
        sa.select(
            sa.select(Delivery.seq)
            .where(Delivery.state == state, Delivery.seq > replay.cursor, *conditions)
            .order_by(Delivery.seq)
            .limit(limit)
            .subquery()
        )
        for state in chosen.states
    ]
    return sorted(session.scalars(sa.union_all(*branches)))[:limit]


def _wish(session: Session, replay: Replay, seqs: list[int], now: datetime) -> None:
    session.execute(
        sa.update(Delivery)
        .where(Delivery.seq.in_(seqs), Delivery.state == DeliveryState.STUCK)
        .values(claims=0)
        .execution_options(synchronize_session=False)
    )
    rows = [
        {
            "id": new_id(),
            "delivery_seq": seq,
            "requested_by_id": replay.requested_by_id,
            "replay_seq": replay.seq,
            "requested_at": now,
        }
        for seq in seqs
    ]
    session.execute(sa.insert(table_of(Redelivery)), rows)
    replay.cursor = seqs[-1]
    replay.redelivered += len(seqs)
