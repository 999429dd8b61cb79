"""Pings and tests: requests that a person asks for to see whether the receiver gets them. A worker sends them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from webapp.delivery import payloads
from webapp.delivery.event_types import HEALTH_CHECK, event_types, sample_values
from webapp.extensions import db
from webapp.models import (
    Delivery,
    DeliveryKind,
    Invalid,
    PayloadFormat,
    TooMany,
    User,
    Webhook,
    WebhookSnapshot,
    database_now,
    ring_after_commit,
    transaction,
)
from webapp.webhooks import access, rules

MAX_PER_MINUTE = 10  # pings and tests together, per webhook
MINUTE = timedelta(minutes=1)
MAX_SAMPLE_BYTES = 256 * 1024
LIMITED = (DeliveryKind.PING, DeliveryKind.TEST)


@dataclass(frozen=True)
class Values:
    """The values of a test, as JSON bytes; None where the payload has no such key."""

    previous: bytes | None
    current: bytes | None


def ping(webhook: Webhook, *, by: User) -> Delivery:
    """Send a test ping, Blue's two-key body, even to a disabled webhook. Raises TooMany after ten in a minute."""
    with transaction() as session:
        access.lock(session, webhook, by)
        return _deliver(session, webhook, DeliveryKind.PING, HEALTH_CHECK)


def test(webhook: Webhook, code: str, values: Values | None, *, by: User) -> Delivery:
    """Send an event of this type, with the catalogue's sample values or these, in the webhook's format.

    Raises Invalid for an unknown type or too large values, TooMany as `ping` does.
    """
    if code not in event_types(None):
        raise Invalid("event", rules.UNKNOWN_EVENT, codes=code[:64])
    _refuse_too_large(values)
    with transaction() as session:
        access.lock(session, webhook, by)
        return _deliver(session, webhook, DeliveryKind.TEST, code, body(webhook, code, values, by=by))


def body(
    webhook: Webhook, code: str, values: Values | None, *, by: User, payload_format: PayloadFormat | None = None
) -> bytes:
    """The whole body of such a test, or of a ping (HEALTH_CHECK), as it would be sent now, or in another format.

    It is composed as that of an event of the first project whose events this webhook gets. Raises KeyError for an
    unknown type.
    """
    snapshot = db.session.get_one(WebhookSnapshot, webhook.snapshot_seq).body
    if code == HEALTH_CHECK:
        return payloads.health_check(snapshot)
    values = values or Values(*sample_values(code))
    if (payload_format or webhook.payload_format) is PayloadFormat.FULL:
        return payloads.body(code=code, snapshot=snapshot, previous=values.previous, current=values.current)
    projects = access.administered_projects(by)
    chosen = [project for project in projects if project.id in webhook.project_ids] or projects
    return payloads.compact(
        code=code,
        previous=values.previous,
        current=values.current,
        company_id=chosen[0].company_id if chosen else "",
        project_id=chosen[0].id if chosen else "",
        user_id=by.id,
    )


def _refuse_too_large(values: Values | None) -> None:
    if values and len(values.previous or b"") + len(values.current or b"") > MAX_SAMPLE_BYTES:
        raise Invalid("values", "The values are larger than %(limit)s KiB.", limit=MAX_SAMPLE_BYTES // 1024)


def _deliver(
    session: Session, webhook: Webhook, kind: DeliveryKind, code: str, sample: bytes | None = None
) -> Delivery:
    now = database_now()
    _refuse_too_many(session, webhook, now)
    delivery = Delivery(
        kind=kind,
        webhook_id=webhook.id,
        snapshot_seq=webhook.snapshot_seq,
        event_type=code,
        payload_format=webhook.payload_format,
        sample=sample,
        created_at=now,
        next_attempt_at=now,
    )
    session.add(delivery)
    session.flush()
    ring_after_commit()
    return delivery


def _refuse_too_many(session: Session, webhook: Webhook, now: datetime) -> None:
    # The first delivery of this minute by its time, then a walk over this webhook's own from there: both by index.
    first = sa.select(Delivery.seq).where(Delivery.created_at > now - MINUTE).order_by(Delivery.created_at).limit(1)
    made = session.scalars(
        sa.select(Delivery.created_at)
        .where(
            Delivery.webhook_id == webhook.id,
            Delivery.seq >= first.scalar_subquery(),
            Delivery.created_at > now - MINUTE,
            Delivery.kind.in_(LIMITED),
        )
        .order_by(Delivery.seq)
    ).all()
    if len(made) >= MAX_PER_MINUTE:
        wait = made[-MAX_PER_MINUTE] + MINUTE - now
        raise TooMany(
            "At most %(limit)s pings and tests a minute. Try again in %(seconds)s s.",
            retry_after_s=max(1, int(wait.total_seconds()) + 1),
            limit=MAX_PER_MINUTE,
        )
