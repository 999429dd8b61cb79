"""Redelivery: a delivery again, by hand. Same bytes, same webhook-id; a manual attempt that starts no schedule."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from webapp.delivery import cancelling
from webapp.extensions import db
from webapp.models import (
    Conflict,
    Delivery,
    DeliveryKind,
    DeliveryState,
    NotFound,
    Redelivery,
    TooMany,
    User,
    Webhook,
    database_now,
    ring_after_commit,
    transaction,
)
from webapp.webhooks import access, audit

MAX_PER_MINUTE = 10  # redeliveries of one delivery
MINUTE = timedelta(minutes=1)

DELETED = "The webhook was deleted. Nothing can be sent to it any more."
DISABLED = "The webhook is disabled. Enable it first, then send this again."
NOT_ADMINISTRATOR = "You are no longer an administrator of this delivery's project, so its events are not sent to you."
IN_FLIGHT = "It is being sent right now. Wait for the outcome, then try again."
MEANWHILE = "It was sent again meanwhile. Look at the outcome, then decide anew."
WAITING = "It will be sent again in a moment: somebody asked for that already."


def redeliver(delivery: Delivery, *, by: User, after: int | None = None) -> Redelivery:
    """Ask for one more attempt, now. Raises NotFound, Conflict with the reason why it cannot be, TooMany.

    `after` is how many attempts the person saw: the same wish that arrives a second time sends nothing a second time.
    """
    with transaction() as session:
        cancelling.keep_roles(session)
        _lock(session, delivery)
        if delivery.webhook.created_by_id != by.id:
            raise NotFound("There is no such delivery.")
        administered = {project.id for project in access.administered_projects(by)}
        reason = refusal(delivery, administered=administered, is_waiting=delivery.seq in waiting([delivery]))
        if reason:
            raise Conflict(reason)
        if after is not None and after != delivery.attempts_made:
            raise Conflict(MEANWHILE)
        now = database_now()
        _refuse_too_many(session, delivery, now)
        if delivery.state is DeliveryState.STUCK:
            delivery.claims = 0
        redelivery = Redelivery(delivery_seq=delivery.seq, requested_by_id=by.id, requested_at=now)
        session.add(redelivery)
        session.flush()
        audit.note("redelivered", delivery.webhook, by, delivery=delivery.id)
        ring_after_commit()
    return redelivery


def refusal(delivery: Delivery, *, administered: Collection[str], is_waiting: bool) -> str | None:
    """Why this delivery cannot be sent again at the moment, in a sentence; None when it can. Changes nothing.

    `administered` are the ids of the projects that its webhook's owner administers, `is_waiting` says that a redelivery
    of it was asked for and not made yet. Pings and tests go out while the webhook is disabled.
    """
    webhook = delivery.webhook
    if webhook.deleted_at is not None:
        return DELETED
    if not webhook.enabled and delivery.kind not in (DeliveryKind.PING, DeliveryKind.TEST):
        return DISABLED
    if delivery.project_id is not None and not _projects(delivery) & set(administered):
        return NOT_ADMINISTRATOR
    if is_waiting:
        return WAITING
    return IN_FLIGHT if delivery.is_in_flight else None


def waiting(deliveries: Sequence[Delivery]) -> set[int]:
    """The numbers (`seq`) of those deliveries that somebody asked to be sent again and that have not been yet."""
    query = sa.select(Redelivery.delivery_seq).where(
        Redelivery.finished_at.is_(None), Redelivery.delivery_seq.in_([delivery.seq for delivery in deliveries])
    )
    return set(db.session.scalars(query)) if deliveries else set()


def _lock(session: Session, delivery: Delivery) -> None:
    """The webhook's row first, as everywhere, then the delivery's."""
    session.scalars(sa.select(Webhook.id).where(Webhook.id == delivery.webhook_id).with_for_update()).one()
    session.refresh(delivery, with_for_update={"of": Delivery})  # PostgreSQL locks no row of an outer join


def _projects(delivery: Delivery) -> set[str | None]:
    """One of the event's two projects is enough: a record that was moved belongs to webhooks of both."""
    event = delivery.event
    return {delivery.project_id, event.source_project_id if event else None}


def _refuse_too_many(session: Session, delivery: Delivery, now: datetime) -> None:
    asked = session.scalars(
        sa.select(Redelivery.requested_at)
        .where(Redelivery.delivery_seq == delivery.seq, Redelivery.requested_at > now - MINUTE)
        .order_by(Redelivery.requested_at)
    ).all()
    if len(asked) >= MAX_PER_MINUTE:
        wait = asked[-MAX_PER_MINUTE] + MINUTE - now
        raise TooMany(
            "At most %(limit)s times a minute. Try again in %(seconds)s s.",
            retry_after_s=max(1, int(wait.total_seconds()) + 1),
            limit=MAX_PER_MINUTE,
        )
