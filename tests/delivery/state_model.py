"""What must hold of deliveries whatever was done to them: invariants of the rows, and who may turn what into what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from webapp.delivery import counting
from webapp.delivery.choosing import BORROWED_IN_FLIGHT
from webapp.delivery.leases import MAX_CLAIMS_WITHOUT_OUTCOME
from webapp.extensions import db
from webapp.models import Attempt, Delivery, DeliveryKind, Event, Redelivery, Webhook, WebhookHour
from webapp.models.hour import UNKNOWN

Rows = Mapping[int, Any]

# What each action may turn into what, besides leaving it as it is.
TURNS: dict[str, set[tuple[str, str]]] = {
    "record": {
        *((state, "succeeded") for state in ("pending", "held", "failed", "cancelled", "stuck")),
        ("pending", "failed"),
        ("pending", "held"),  # the webhook was disabled by what was recorded
        ("held", "pending"),  # a success undid that
    },
    "expire": {("pending", "stuck")},
    "disable": {("pending", "held")},
    "enable": {("pending", "cancelled"), ("pending", "succeeded"), ("pending", "failed")},  # of health checks alone
    "release": {("held", "pending"), ("held", "cancelled")},
    "cancel": {("pending", "cancelled"), ("held", "cancelled"), ("stuck", "cancelled")},
    "delete": {("pending", "cancelled"), ("held", "cancelled")},
    "lose": {("pending", "cancelled"), ("held", "cancelled")},
}

_DELIVERIES = sa.select(
    *(Delivery.seq, Delivery.kind, Delivery.webhook_id, Delivery.event_seq, Delivery.state, Delivery.reason),
    *(Delivery.next_attempt_at, Delivery.lease_until, Delivery.held_at, Delivery.settled_at, Delivery.claims),
    *(Delivery.claim_token, Delivery.attempts_made, Delivery.attempts_counted),
    *(Webhook.enabled, Webhook.deleted_at),
).join(Webhook, Webhook.id == Delivery.webhook_id)
_ATTEMPTS = sa.select(
    *(Attempt.delivery_seq, Attempt.number, Attempt.claim_token, Attempt.finished_at, Attempt.is_late),
    *(Attempt.status, Attempt.error),
)


def look() -> dict[int, Any]:
    """Every delivery as it is now, by its number."""
    db.session.rollback()
    return {row.seq: row for row in db.session.execute(_DELIVERIES)}


def check(before: Rows, after: Rows, action: str) -> None:
    """All that must hold after an action. Raises AssertionError."""
    attempts: dict[int, list[Any]] = {seq: [] for seq in after}
    for attempt in db.session.execute(_ATTEMPTS.order_by(Attempt.seq)):
        attempts[attempt.delivery_seq].append(attempt)
    for row in after.values():
        _check_row(row)
        _check_attempts(row, attempts[row.seq])
        if row.seq in before:
            _check_turn(before[row.seq], row, action)
    assert before.keys() <= after.keys(), "a delivery vanished"
    _check_wishes(after, action)
    in_flight = Counter(row.webhook_id for row in after.values() if row.lease_until and row.kind == DeliveryKind.EVENT)
    assert all(count <= BORROWED_IN_FLIGHT for count in in_flight.values())
    _check_hours(after, attempts)


def _check_row(row: Any) -> None:
    """I2, and what each state says of its times."""
    is_pending = row.state == "pending"
    assert is_pending == (row.next_attempt_at is not None), row
    assert (row.held_at is not None) or row.state != "held", row
    assert (row.settled_at is not None) == (row.state not in {"pending", "held"}), row
    assert 0 <= row.claims <= MAX_CLAIMS_WITHOUT_OUTCOME + 1, row
    if row.kind == DeliveryKind.EVENT and is_pending:
        assert row.enabled, f"waits although its webhook is off: {row}"
    if row.deleted_at is not None:
        assert row.state not in {"pending", "held"}, f"waits although its webhook was deleted: {row}"


def _check_attempts(row: Any, attempts: list[Any]) -> None:
    """I7 for one delivery."""
    numbers = [attempt.number for attempt in attempts]
    assert len(set(numbers)) == len(numbers), f"two attempts of one number: {row}"
    assert row.attempts_made == max(numbers, default=0), (row, numbers)
    tokens = [attempt.claim_token for attempt in attempts]
    assert all(token <= row.claim_token for token in tokens), row
    if row.lease_until is not None:
        (current,) = [attempt for attempt in attempts if attempt.claim_token == row.claim_token]
        assert current.finished_at is None, f"leased for an attempt that is over: {row}"
    successes = [one for one in attempts if one.finished_at and not one.is_late and one.error is None]
    if any(200 <= one.status < 300 for one in successes):
        assert row.state == "succeeded", f"its success was forgotten: {row}"
    if row.state == "succeeded":
        assert any(200 <= one.status < 300 for one in successes), f"it never succeeded: {row}"


def _check_turn(was: Any, now: Any, action: str) -> None:
    assert now.claim_token >= was.claim_token, f"a token went back: {was} → {now}"
    assert now.claim_token == was.claim_token or action == "claim", (action, was, now)
    if now.state == was.state:
        return
    assert was.state != "succeeded", f"a success turned back: {was} → {now}"
    assert (was.state, now.state) in TURNS.get(action, set()), f"{action}: {was} → {now}"
    if action == "enable":
        assert now.kind == DeliveryKind.HEALTH_CHECK


def _check_wishes(after: Rows, action: str) -> None:
    """One wish at a time, and none that nobody may have any more."""
    open_wishes = Counter(
        db.session.scalars(sa.select(Redelivery.delivery_seq).where(Redelivery.finished_at.is_(None)))
    )
    assert all(count == 1 for count in open_wishes.values()), "two wishes for one delivery"
    for seq in open_wishes:
        row = after[seq]
        is_meant = row.enabled and row.deleted_at is None and action != "lose"
        assert is_meant or row.kind != DeliveryKind.EVENT, f"a wish for what may not be sent: {row}"


def _check_hours(after: Rows, attempts: Mapping[int, Iterable[Any]]) -> None:
    """I7 for the figures: they equal a recount."""
    recount: Counter[tuple[str, str]] = Counter()
    firsts: Counter[str] = Counter()
    for row in after.values():
        for attempt in attempts[row.seq] if row.kind == DeliveryKind.EVENT else ():
            is_running = row.lease_until is not None and attempt.claim_token == row.claim_token
            if attempt.finished_at is None and is_running:
                continue
            is_known = attempt.finished_at is not None
            outcome = counting.outcome_of(attempt.status, attempt.error) if is_known else UNKNOWN
            recount[row.webhook_id, outcome] += 1
            firsts[row.webhook_id] += attempt.number == 1
    counted: Counter[tuple[str, str]] = Counter()
    deliveries: Counter[str] = Counter()
    for hour in db.session.execute(
        sa.select(WebhookHour.webhook_id, WebhookHour.outcome, WebhookHour.attempts, WebhookHour.deliveries)
    ):
        counted[hour.webhook_id, hour.outcome] += hour.attempts
        deliveries[hour.webhook_id] += hour.deliveries
        assert hour.attempts >= 0
    assert +counted == +recount
    assert +deliveries == +firsts


def waiting_events() -> list[int]:
    """The numbers of the events that have no deliveries yet."""
    return list(db.session.scalars(sa.select(Event.seq).where(Event.fanned_out_at.is_(None))))
