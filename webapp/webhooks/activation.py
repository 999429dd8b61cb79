"""Switching webhooks off and on. On means: a worker sends a health check first, and the call waits for its outcome."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from webapp.delivery import heartbeats, holding, snapshots
from webapp.delivery.event_types import HEALTH_CHECK
from webapp.delivery.health import HEALTH_CHECK_LIMIT
from webapp.extensions import db
from webapp.models import (
    UNSETTLED,
    Delivery,
    DeliveryKind,
    DeliveryState,
    ErrorWord,
    User,
    Webhook,
    WebhookStatus,
    database_now,
    ring_after_commit,
    transaction,
    utc_now,
)
from webapp.models.webhook import DisabledBecause
from webapp.webhooks import access, audit

WAIT = HEALTH_CHECK_LIMIT  # for the outcome; the attempt itself may take no longer
LOOK_EVERY_S = 0.03


class CheckOutcome(StrEnum):
    """How a health check ended."""

    PASSED = "passed"
    FAILED = "failed"
    NO_ANSWER = "no_answer"
    NO_WORKER = "no_worker"
    URL_CHANGED = "url_changed"


@dataclass(frozen=True)
class HealthCheck:
    """The last health check of a webhook, as it is kept with it. Its delivery has the request and the answer."""

    outcome: CheckOutcome
    at: datetime
    delivery_id: str | None = None
    status: int | None = None
    error: ErrorWord | None = None

    @classmethod
    def of(cls, webhook: Webhook) -> HealthCheck | None:
        """The kept one of this webhook."""
        kept = webhook.health_check
        if kept is None:
            return None
        return cls(
            CheckOutcome(kept["outcome"]),
            datetime.fromisoformat(kept["at"]),
            kept["deliveryId"],
            kept["status"],
            ErrorWord(kept["error"]) if kept["error"] else None,
        )

    def kept(self) -> dict[str, Any]:
        """The JSON value that is kept with the webhook."""
        return {
            "outcome": str(self.outcome),
            "at": self.at.isoformat(),
            "deliveryId": self.delivery_id,
            "status": self.status,
            "error": self.error,
        }


def disable(webhook: Webhook, *, by: User) -> None:
    """Switch a webhook off: nothing is sent any more, what waits is held. Does nothing to one that is off."""
    with transaction() as session:
        access.lock(session, webhook, by)
        if switch_off(session, webhook, by):
            snapshots.retake(session, webhook)


def enable(webhook: Webhook, *, by: User) -> HealthCheck | None:
    """Switch a webhook on, if a health check succeeds within seven seconds. Does nothing to one that is on (None).

    When it fails, or no worker lives to send it, the webhook stays off and keeps the reason. What is held stays held
    until its owner decides. Raises NotFound for somebody else's webhook.
    """
    with transaction() as session:
        access.lock(session, webhook, by)
        if webhook.enabled:
            return None
        url = webhook.url
        asked = _ask(session, webhook) if heartbeats.is_any_alive() else None
    check = HealthCheck(CheckOutcome.NO_WORKER, utc_now()) if asked is None else _wait(*asked)
    with transaction() as session:
        access.lock(session, webhook, by)
        if check.outcome is CheckOutcome.PASSED and webhook.url != url:
            check = replace(check, outcome=CheckOutcome.URL_CHANGED)  # what passed is not what would be sent to
        _conclude(session, webhook, check, by)
    return check


def switch_off(session: Session, webhook: Webhook, by: User) -> bool:
    """Inside transaction(): disable the webhook and hold what waits; False when it was off already.

    What is in flight is held too; a success that comes in afterwards still counts. The caller takes the snapshot.
    """
    if not webhook.enabled:
        return False
    now = utc_now()
    mark_disabled(webhook, now)
    held = holding.hold(session, webhook.id, reason=holding.BY_OWNER, now=now)
    audit.note("disabled", webhook, by, held=held)
    return True


def mark_disabled(webhook: Webhook, now: datetime) -> None:
    """Disabled by its owner. `status` stays: UNHEALTHY means disabled by the system."""
    webhook.enabled = False
    webhook.disabled_at = now
    webhook.disabled_because = DisabledBecause.OWNER


def cancel_unsettled(session: Session, webhook: Webhook, reason: str, now: datetime) -> int:
    """Inside transaction(): cancel all that waits or is held, end waiting redeliveries; returns how many deliveries."""
    cancelled = session.execute(
        sa.update(Delivery)
        .where(Delivery.webhook_id == webhook.id, Delivery.state.in_(UNSETTLED))
        .values(state=DeliveryState.CANCELLED, reason=reason, settled_at=now, next_attempt_at=None)
    )
    holding.end_redeliveries(session, webhook.id, now)
    return holding.count(cancelled)


def _ask(session: Session, webhook: Webhook) -> tuple[int, str]:
    """Let a worker send the health check; returns the seq and the id of its delivery."""
    delivery = Delivery(
        kind=DeliveryKind.HEALTH_CHECK,
        webhook_id=webhook.id,
        snapshot_seq=webhook.snapshot_seq,
        event_type=HEALTH_CHECK,
        payload_format=webhook.payload_format,
        next_attempt_at=database_now(),
    )
    session.add(delivery)
    session.flush()
    ring_after_commit()
    return delivery.seq, delivery.id


def _wait(seq: int, delivery_id: str) -> HealthCheck:
    """Look at the delivery's row until it is settled or the time is over. No transaction is open in between."""
    columns = (Delivery.state, Delivery.attempts_counted, Delivery.last_status, Delivery.last_error)
    end = time.monotonic() + WAIT.total_seconds()
    while time.monotonic() < end:
        row = db.session.execute(sa.select(*columns).where(Delivery.seq == seq)).one_or_none()
        db.session.rollback()
        if row is None:
            break
        if row.state != DeliveryState.PENDING or row.attempts_counted:
            has_passed = row.state == DeliveryState.SUCCEEDED
            outcome = CheckOutcome.PASSED if has_passed else CheckOutcome.FAILED
            return HealthCheck(outcome, utc_now(), delivery_id, row.last_status, row.last_error)
        time.sleep(LOOK_EVERY_S)
    return HealthCheck(CheckOutcome.NO_ANSWER, utc_now(), delivery_id)


def _conclude(session: Session, webhook: Webhook, check: HealthCheck, by: User) -> None:
    webhook.health_check = check.kept()
    if check.outcome is CheckOutcome.NO_ANSWER:
        _give_up(session, check)
    if check.outcome is not CheckOutcome.PASSED:
        audit.note("enabling_failed", webhook, by, outcome=check.outcome, status=check.status, error=check.error)
        return
    if webhook.enabled:  # somebody else was quicker
        return
    webhook.enabled = True
    webhook.status = WebhookStatus.HEALTHY
    webhook.disabled_at = webhook.disabled_because = None
    _forget_failures(webhook)
    audit.note("enabled", webhook, by)
    snapshots.retake(session, webhook)


def _forget_failures(webhook: Webhook) -> None:
    health = webhook.health
    health.failures_in_a_row = health.probes = 0
    health.first_failure_at = health.paused_at = health.probe_at = health.warned_at = None


def _give_up(session: Session, check: HealthCheck) -> None:
    """Nobody waits for it any more: a late health check would only confuse the receiver."""
    session.execute(
        sa.update(Delivery)
        .where(
            Delivery.id == check.delivery_id, Delivery.state == DeliveryState.PENDING, Delivery.lease_until.is_(None)
        )
        .values(state=DeliveryState.CANCELLED, reason="too_late", settled_at=check.at, next_attempt_at=None)
    )
