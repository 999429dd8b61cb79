"""Replaying: many deliveries again, a few at a time, behind all that is due anyway.

A replay is a cursor over deliveries. Each step makes wishes (redelivery rows) for the next few, while only few of its
wishes are open; cursor and wishes are written together, so a worker that dies loses none and doubles none. What was
asked for is what had been settled when it was asked for: a delivery that was sent again meanwhile is passed over.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from webapp.delivery import cancelling, redeliveries
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
    bulk,
    database_now,
    packed,
    pipelines,
    transaction,
)
from webapp.models.among import among
from webapp.models.base import new_id, table_of

MAX_OPEN_PER_REPLAY = 5
REFILL_AT = 2  # open ones; then a step makes several at once
MAX_OPEN = 16  # of all replays together: half of the threads of one worker process
ENDLESS = 2**63 - 1  # of a replay that a program of an older release began
MAX_REMEMBERED = 64  # queries of replays that are under way
EVERY_WHILE_PAUSED = timedelta(minutes=1)  # one goes out then, so that a receiver that is well again is noticed

STATUS_CLASSES = ("2xx", "3xx", "4xx", "5xx", "none")
STATES = (DeliveryState.FAILED, DeliveryState.STUCK, DeliveryState.CANCELLED, DeliveryState.SUCCEEDED)

_REPLAY, _REDELIVERY, _DELIVERY = table_of(Replay), table_of(Redelivery), table_of(Delivery)
_WEBHOOK, _HEALTH = table_of(Webhook), table_of(WebhookHealth)
_SEQ = sa.bindparam("_seq", type_=_REPLAY.c.seq.type)
_AT = sa.bindparam("at", type_=_REPLAY.c.finished_at.type)
_LAST = sa.bindparam("last", type_=_DELIVERY.c.seq.type)
_CURSOR, _MOST = sa.bindparam("cursor", type_=_DELIVERY.c.seq.type), sa.bindparam("most", type_=sa.Integer)

_RUNNING = (
    sa.select(
        _REPLAY.c.seq, _REPLAY.c.webhook_id, _WEBHOOK.c.enabled, _WEBHOOK.c.deleted_at.is_not(None).label("is_deleted")
    )
    .join(_WEBHOOK, _WEBHOOK.c.id == _REPLAY.c.webhook_id)
    .where(_REPLAY.c.finished_at.is_(None))
)
_LEFT_OVER = (
    sa.select(_REPLAY.c.seq)
    .join(_REDELIVERY, _REDELIVERY.c.replay_seq == _REPLAY.c.seq)
    .join(_DELIVERY, _DELIVERY.c.seq == _REDELIVERY.c.delivery_seq)
    .where(_REDELIVERY.c.finished_at.is_(None), _REPLAY.c.finished_at.is_not(None), _DELIVERY.c.lease_until.is_(None))
    .distinct()
)
_LOCK_WEBHOOK = (
    sa.select(_WEBHOOK.c.id)
    .where(_WEBHOOK.c.id == sa.bindparam("webhook_id"), _WEBHOOK.c.enabled)
    .with_for_update(skip_locked=True)
)
_LOCK = (
    sa.select(
        _REPLAY,
        sa.exists()
        .where(_HEALTH.c.webhook_id == _REPLAY.c.webhook_id, _HEALTH.c.paused_at.is_not(None))
        .label("is_paused"),
    )
    .where(_REPLAY.c.seq == _SEQ, _REPLAY.c.finished_at.is_(None))
    .with_for_update(of=_REPLAY)
)
_NEWEST = (
    sa.select(_REDELIVERY.c.requested_at)
    .where(_REDELIVERY.c.replay_seq == _SEQ)
    .order_by(_REDELIVERY.c.seq.desc())
    .limit(1)
)
_WISH = sa.insert(_REDELIVERY)
_FORGIVE = (
    sa.update(_DELIVERY)
    .where(among(_DELIVERY.c.seq, "seqs"), _DELIVERY.c.state == DeliveryState.STUCK)
    .values(claims=0)
)
_GO_ON = (
    sa.update(_REPLAY)
    .where(_REPLAY.c.seq == _SEQ)
    .values(cursor=_CURSOR, redelivered=_REPLAY.c.redelivered + sa.bindparam("count", type_=sa.Integer))
)
_FINISH = sa.update(_REPLAY).where(_REPLAY.c.seq == _SEQ).values(finished_at=_AT)
_STOP = (
    sa.update(_REPLAY)
    .where(_REPLAY.c.seq == _SEQ, _REPLAY.c.finished_at.is_(None))
    .values(stopped_at=_AT, finished_at=_AT)
)


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

    A transaction for each replay with something to do; two cheap looks when there is none.
    """
    connection = db.session.connection()
    running = list(packed.rows(connection, _RUNNING))
    open_now = redeliveries.open_by_replay(connection)
    if open_now.keys() - {replay.seq for replay in running}:
        _end_leftovers()
    room = MAX_OPEN - sum(open_now[replay.seq] for replay in running)
    random.shuffle(running)  # no replay is always the last
    made = 0
    for replay in running:
        if replay.is_deleted or not replay.enabled:
            _end(replay.seq)
        elif open_now[replay.seq] <= REFILL_AT and room - made > 0:
            made += _step(replay.seq, replay.webhook_id, room - made)
    return made


def end_unclaimed(session: Session, replay_seq: int, now: datetime) -> None:
    """Inside transaction(): those of this replay's wishes that nobody has claimed are not made any more."""
    is_its_own = Redelivery.replay_seq + 0 == replay_seq  # a sum has no index: that one has all it ever wished for
    redeliveries.end(session, now, is_its_own, Delivery.lease_until.is_(None))


def _end_leftovers() -> None:
    """A replay was stopped while one was in flight, and its worker died or gave it back: nobody wants it any more."""
    for replay_seq in db.session.connection().scalars(_LEFT_OVER).all():
        with transaction() as session:
            end_unclaimed(session, replay_seq, database_now())


def _end(replay_seq: int) -> None:
    """The webhook was switched off or deleted: what was not sent stays as it was."""
    with transaction() as session:
        now = database_now()
        session.connection().execute(_STOP, {"_seq": replay_seq, "at": now})
        end_unclaimed(session, replay_seq, now)


def _step(replay_seq: int, webhook_id: str, room: int) -> int:
    with transaction(in_pipeline=True) as session:
        cancelling.keep_roles(session)
        connection = session.connection()
        replay = _lock(connection, replay_seq, webhook_id)
        if replay is None:
            return 0
        now = database_now()
        open_now = redeliveries.open_by_replay(connection)[replay_seq]
        limit = min(_limit(connection, replay, open_now, now), room)
        if limit <= 0:
            return 0
        seqs = _next(connection, replay, limit)
        if seqs:
            _wish(connection, replay, seqs, now)
        elif not open_now:
            connection.execute(_FINISH, {"_seq": replay_seq, "at": now})
        return len(seqs)


def _lock(connection: Connection, replay_seq: int, webhook_id: str) -> Any:
    """The webhook's row first, as everywhere; None while somebody else has it, or when the replay is over."""
    if connection.scalar(_LOCK_WEBHOOK, {"webhook_id": webhook_id}) is None:
        return None
    return connection.execute(_LOCK, {"_seq": replay_seq}).one_or_none()


def _limit(connection: Connection, replay: Any, open_now: int, now: datetime) -> int:
    if not replay.is_paused:
        return MAX_OPEN_PER_REPLAY - open_now
    asked_at = connection.scalar(_NEWEST, {"_seq": replay.seq})
    is_time = asked_at is None or now - asked_at >= EVERY_WHILE_PAUSED
    return 1 if is_time and not open_now else 0


def _next(connection: Connection, replay: Any, limit: int) -> list[int]:
    """The next ones after the cursor, up to the last one that was meant."""
    following = _following(replay.webhook_id, Chosen.of(replay.chosen), replay.created_at)
    last = ENDLESS if replay.last_seq is None else replay.last_seq
    return sorted(connection.scalars(following, {"cursor": replay.cursor, "last": last, "most": limit}))[:limit]


@lru_cache(MAX_REMEMBERED)
def _following(webhook_id: str, chosen: Chosen, settled_by: datetime) -> sa.CompoundSelect[int]:
    """Each state gives its first ones by its index: joined, all would be sorted."""
    conditions = matching(webhook_id, chosen, settled_by)
    branches = [
        sa.select(
            sa.select(Delivery.seq)
            .where(Delivery.state == state, Delivery.seq > _CURSOR, Delivery.seq <= _LAST, *conditions)
            .order_by(Delivery.seq)
            .limit(_MOST)
            .subquery()
        )
        for state in chosen.states
    ]
    return sa.union_all(*branches)


def _wish(connection: Connection, replay: Any, seqs: Sequence[int], now: datetime) -> None:
    if DeliveryState.STUCK in replay.chosen["states"]:
        connection.execute(_FORGIVE, {"seqs": seqs})
    asked = {
        "requested_by_id": replay.requested_by_id,
        "replay_seq": replay.seq,
        "requested_at": now,
        "finished_at": None,
    }
    bulk.execute(connection, _WISH, [{"id": new_id(), "delivery_seq": seq, **asked} for seq in seqs])
    with pipelines.unanswered(connection):
        connection.execute(_GO_ON, {"_seq": replay.seq, "cursor": seqs[-1], "count": len(seqs)})
