"""Releases: what was held while a webhook was off is sent, all of it or only the newest, or it is discarded.

Everything goes in batches, each a transaction of its own, so that 100,000 held deliveries do not keep others from
writing. A release that was cut short leaves the rest held: the same choice again does the rest, and nothing twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from webapp.delivery import compacting
from webapp.delivery.holding import count
from webapp.extensions import db
from webapp.models import (
    Conflict,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Event,
    Invalid,
    PayloadFormat,
    User,
    Webhook,
    database_now,
    ring_after_commit,
    transaction,
)
from webapp.webhooks import access, audit

BATCH = 500  # deliveries in one transaction
SUPERSEDED, DISCARDED = "superseded", "discarded"

DISABLED = "The webhook is disabled. Enable it first, then decide what is sent."
UNKNOWN_MODE = "There is no mode “%(mode)s”. There are: %(modes)s."


class Mode(StrEnum):
    """What becomes of held deliveries."""

    ALL = "all"
    NEWEST = "newest"  # per record and event type
    DISCARD = "discard"


@dataclass(frozen=True)
class Held:
    """What is held. `newest` = how many are left when of each record and event type only the newest counts.

    `since` and `until` are when the first and the last one were made. `until_seq` is the number of the last one: a
    release that names it leaves alone what was held later.
    """

    count: int
    newest: int
    by_type: dict[str, int]
    since: datetime | None = None
    until: datetime | None = None
    until_seq: int = 0


@dataclass(frozen=True)
class Released:
    """How many deliveries a release sends, and how many it cancelled."""

    released: int
    cancelled: int


def held(webhook: Webhook, until_seq: int | None = None) -> Held:
    """What is held for this webhook, all of it or up to a delivery's number."""
    kinds = db.session.execute(
        sa.select(
            Delivery.event_type,
            sa.func.count().label("number"),
            sa.func.min(Delivery.created_at).label("since"),
            sa.func.max(Delivery.created_at).label("until"),
            sa.func.max(Delivery.seq).label("last"),
        )
        .where(*_is_held(webhook.id, until_seq))
        .group_by(Delivery.event_type)
        .order_by(sa.func.count().desc(), Delivery.event_type)
    ).all()
    if not kinds:
        return Held(0, 0, {})
    number, last = sum(kind.number for kind in kinds), max(kind.last for kind in kinds)
    return Held(
        number,
        number - len(_superseded(webhook.id, last)),
        {kind.event_type: kind.number for kind in kinds},
        min(kind.since for kind in kinds),
        max(kind.until for kind in kinds),
        last,
    )


def release(webhook: Webhook, mode: str, *, by: User, until_seq: int | None = None) -> Released:
    """Send what is held, oldest first, or cancel it. What has a higher number than `until_seq` stays as it is.

    `newest` sends of each record and event type the newest one, and every event that belongs to no record, and cancels
    the others. What is cancelled can be sent again one by one. Raises Conflict when something is to be sent and the
    webhook is disabled, Invalid for an unknown mode, NotFound for somebody else's webhook.
    """
    if mode not in set(Mode):
        raise Invalid("mode", UNKNOWN_MODE, mode=mode[:20], modes=", ".join(Mode))
    started_at, last = _begin(webhook, Mode(mode), by, until_seq)
    if last == 0:
        return Released(0, 0)
    if mode == Mode.DISCARD:
        return Released(0, _cancel(webhook, _numbers(webhook.id, last), DISCARDED, by))
    superseded = _superseded(webhook.id, last) if mode == Mode.NEWEST else []
    cancelled = _cancel(webhook, superseded, SUPERSEDED, by)
    return Released(_send(webhook, _numbers(webhook.id, last), started_at, by), cancelled)


def _begin(webhook: Webhook, mode: Mode, by: User, until_seq: int | None) -> tuple[datetime, int]:
    """Check and note it; returns the time, and the number of the last delivery that is meant (0 = none)."""
    with transaction() as session:
        access.lock(session, webhook, by)
        if mode is not Mode.DISCARD and not webhook.enabled:
            raise Conflict(DISABLED)
        meant = session.execute(
            sa.select(sa.func.count(), sa.func.max(Delivery.seq)).where(*_is_held(webhook.id, until_seq))
        ).one()
        if meant[0]:
            audit.note("held_released", webhook, by, mode=str(mode), held=meant[0])
        return database_now(), meant[1] or 0


def _is_held(webhook_id: str, until_seq: int | None = None) -> list[sa.ColumnElement[bool]]:
    conditions = [
        Delivery.webhook_id == webhook_id,
        Delivery.state == DeliveryState.HELD,
        Delivery.kind == DeliveryKind.EVENT,
    ]
    return conditions if until_seq is None else [*conditions, Delivery.seq <= until_seq]


def _numbers(webhook_id: str, last: int) -> list[int]:
    return list(db.session.scalars(sa.select(Delivery.seq).where(*_is_held(webhook_id, last)).order_by(Delivery.seq)))


def _superseded(webhook_id: str, last: int) -> list[int]:
    """The numbers of held deliveries after which the same happened to the same record again."""
    place = sa.func.row_number().over(
        partition_by=(Event.record_id, Delivery.event_type), order_by=Delivery.event_seq.desc()
    )
    ranked = (
        sa.select(Delivery.seq, place.label("place"))
        .join(Event, Event.seq == Delivery.event_seq)
        .where(*_is_held(webhook_id, last), Event.record_id.is_not(None))
        .subquery()
    )
    return list(db.session.scalars(sa.select(ranked.c.seq).where(ranked.c.place > 1).order_by(ranked.c.seq)))


def _batches(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    return (numbers[start : start + BATCH] for start in range(0, len(numbers), BATCH))


def _cancel(webhook: Webhook, numbers: Sequence[int], reason: str, by: User) -> int:
    cancelled = 0
    for batch in _batches(numbers):
        with transaction() as session:
            access.lock(session, webhook, by)
            changed = {"state": DeliveryState.CANCELLED, "reason": reason, "settled_at": database_now()}
            cancelled += _change(session, batch, {**changed, "next_attempt_at": None})
    return cancelled


def _send(webhook: Webhook, numbers: Sequence[int], due_at: datetime, by: User) -> int:
    """All get the same time, so that claiming takes them by their numbers. Ends when the webhook is disabled again."""
    released = 0
    for batch in _batches(numbers):
        with transaction() as session:
            access.lock(session, webhook, by)
            if not webhook.enabled:
                break
            _refresh_untried(session, webhook, batch)
            changed = {"state": DeliveryState.PENDING, "reason": None, "held_at": None}
            released += _change(session, batch, {**changed, "next_attempt_at": due_at})
            ring_after_commit()
    return released


def _refresh_untried(session: Session, webhook: Webhook, batch: Sequence[int]) -> None:
    """What was never tried goes out as if it were new: with the webhook as it is now, in the format of now."""
    untried = [Delivery.seq.in_(batch), Delivery.state == DeliveryState.HELD, Delivery.attempts_made == 0]
    if webhook.payload_format is PayloadFormat.COMPACT:
        compacting.compact_missing(session, sa.select(Delivery.event_seq).where(*untried))
    session.execute(
        sa.update(Delivery)
        .where(*untried)
        .values(snapshot_seq=webhook.snapshot_seq, payload_format=webhook.payload_format)
        .execution_options(synchronize_session=False)
    )


def _change(session: Session, batch: Sequence[int], values: dict[str, Any]) -> int:
    changed = session.execute(
        sa.update(Delivery)
        .where(Delivery.seq.in_(batch), Delivery.state == DeliveryState.HELD)
        .values(values)
        .execution_options(synchronize_session=False)
    )
    return count(changed)
