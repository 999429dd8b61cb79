"""The course of one webhook: what fan-out, a worker and its recorder would have made of a week, in their order.

The same pure rules decide as at work: `settling` and `retries` when a delivery is tried again, `health` when a webhook
is paused, warned about or disabled. Requests go out one after the other, so that counting is counting.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from http import HTTPStatus
from random import Random
from typing import Any

from webapp.config import Settings
from webapp.delivery import health, holding, settling
from webapp.delivery.event_types import HEALTH_CHECK, sample_values
from webapp.delivery.health import Advice, Health
from webapp.delivery.leases import MAX_CLAIMS_WITHOUT_OUTCOME
from webapp.delivery.outcomes import Outcome
from webapp.delivery.payloads import body as payload
from webapp.models import Attempt, Delivery, DeliveryKind, DeliveryState, Event, Redelivery, Webhook, WebhookHealth
from webapp.models.base import new_attempt_id, new_delivery_id, new_id
from webapp.models.webhook import DisabledBecause
from webapp.seeds import receivers
from webapp.seeds.receivers import Spell
from webapp.seeds.requests import Writer, sha256
from webapp.webhooks.cancellation import BY_HAND

SCHEDULE: Sequence[timedelta] = Settings.model_fields["retry_schedule"].default
BELL = timedelta(milliseconds=4)  # from a commit to the claim
NOT_STARTED_AFTER = timedelta(seconds=30)  # before now: what would still be in flight waits for the worker
LEASE = timedelta(seconds=61)
WORKER = "demo-server:4711"
SWITCHED_OFF = holding.BY_OWNER


class Course:
    """Deliveries, attempts and redeliveries of one webhook, and how its health stands in the end."""

    def __init__(self, webhook: Webhook, writer: Writer, spells: Sequence[Spell], dice: Random) -> None:
        self.webhook = webhook
        self.webhook_id, self.payload_format = webhook.id, webhook.payload_format
        self.writer, self._spells, self._dice = writer, spells, dice
        self.deliveries: list[Delivery] = []
        self.attempts: list[tuple[Attempt, Delivery, Redelivery | None]] = []
        self.redeliveries: list[Redelivery] = []
        self.disabled_at: datetime | None = None
        self.disabled_because: DisabledBecause | None = None
        self._health = Health()
        self._marks: dict[str, Any] = {}
        self._waiting: list[Delivery] = []
        self._free_at = webhook.created_at

    def fan_out(self, event: Event) -> Delivery:
        """A delivery for an event; held when the webhook is off."""
        delivery = self._owe(
            (event.fanned_out_at or event.created_at), kind=DeliveryKind.EVENT, event=event, event_type=event.type
        )
        delivery.project_id = event.project_id
        if self.disabled_at is None:
            self._waiting.append(delivery)
        else:
            delivery.state, delivery.held_at, delivery.next_attempt_at = (
                DeliveryState.HELD,
                delivery.created_at,
                None,
            )
        return delivery

    def go_on(self, until: datetime) -> None:
        """Make every attempt that is due before then."""
        while self._waiting:
            delivery = min(self._waiting, key=lambda each: each.next_attempt_at or until)
            at = max(delivery.next_attempt_at or until, self._free_at)
            is_probe = self._health.probe_at is not None
            if self._health.probe_at is not None:
                at = max(at, self._health.probe_at)
            if at >= until:
                return
            self._attempt(delivery, at, is_probe=is_probe)

    def ping(self, at: datetime) -> None:
        """A test ping, past pause and all."""
        self._attempt(self._owe(at, kind=DeliveryKind.PING, event_type=HEALTH_CHECK), at)

    def test(self, at: datetime, code: str) -> None:
        """A test with the catalogue's sample values, in the full format."""
        previous, current = sample_values(code)
        sample = payload(code=code, snapshot=self.writer.snapshot, previous=previous, current=current)
        self._attempt(self._owe(at, kind=DeliveryKind.TEST, event_type=code, sample=sample), at)

    def redeliver(self, at: datetime, by_id: str) -> None:
        """A person sends the newest delivery of an event again."""
        delivery = next(each for each in reversed(self.deliveries) if each.kind is DeliveryKind.EVENT)
        redelivery = Redelivery(id=new_id(), requested_by_id=by_id, requested_at=at)
        self.redeliveries.append(redelivery)
        redelivery.delivery = delivery
        self._attempt(delivery, at, redelivery=redelivery)

    def cancel(self, at: datetime) -> None:
        """A person cancels the newest delivery that is not settled."""
        delivery = next(each for each in reversed(self.deliveries) if each.state is DeliveryState.HELD)
        delivery.state, delivery.reason, delivery.settled_at = DeliveryState.CANCELLED, BY_HAND, at

    def switch_off(self, at: datetime) -> None:
        """Its owner switches the webhook off; what waits is held."""
        self._disable(at, DisabledBecause.OWNER, SWITCHED_OFF)

    def get_stuck(self, event: Event) -> None:
        """Five workers take this event's delivery, and none lives to record what happened."""
        delivery = self.fan_out(event)
        self._waiting.remove(delivery)
        at = delivery.created_at + BELL
        for _ in range(MAX_CLAIMS_WITHOUT_OUTCOME):
            self._claim(delivery, at)
            at += LEASE
        delivery.claims = MAX_CLAIMS_WITHOUT_OUTCOME
        delivery.state, delivery.settled_at, delivery.next_attempt_at = DeliveryState.STUCK, at, None
        self._free_at = at

    def copy_health_to(self, row: WebhookHealth) -> None:
        """Write the counters as recording would have left them."""
        values = asdict(self._health)
        row.failures_in_a_row = values.pop("failures")
        for name, value in {**values, **self._marks}.items():
            setattr(row, name, value)

    def _owe(self, at: datetime, **values: Any) -> Delivery:
        delivery = Delivery(
            id=new_delivery_id(),
            webhook_id=self.webhook_id,
            payload_format=self.payload_format,
            state=DeliveryState.PENDING,
            next_attempt_at=at,
            attempts_counted=0,
            attempts_made=0,
            claim_token=0,
            claims=0,
            created_at=at,
            **values,
        )
        self.deliveries.append(delivery)
        return delivery

    def _claim(self, delivery: Delivery, at: datetime, redelivery: Redelivery | None = None) -> Attempt:
        delivery.attempts_made += 1
        delivery.claim_token += 1
        attempt = Attempt(
            id=new_attempt_id(),
            number=delivery.attempts_made,
            claim_token=delivery.claim_token,
            worker=WORKER,
            claimed_at=at,
        )
        self.attempts.append((attempt, delivery, redelivery))
        return attempt

    def _attempt(
        self, delivery: Delivery, at: datetime, *, is_probe: bool = False, redelivery: Redelivery | None = None
    ) -> None:
        attempt = self._claim(delivery, at + BELL, redelivery)
        attempt.started_at = attempt.claimed_at + BELL / 4
        outcome = receivers.outcome(self._spells, attempt.started_at, self._dice)
        finished_at = attempt.started_at + timedelta(milliseconds=outcome.total_ms or 0)
        self._free_at = finished_at
        self._tell(attempt, delivery, outcome, finished_at)
        self._settle(delivery, outcome, finished_at, is_by_hand=redelivery is not None)
        if redelivery is not None:
            redelivery.finished_at = finished_at
        is_counted = delivery.kind is DeliveryKind.EVENT and redelivery is None
        if outcome.is_success or is_counted:
            self._count(outcome, finished_at, is_probe=is_probe)

    def _tell(self, attempt: Attempt, delivery: Delivery, outcome: Outcome, finished_at: datetime) -> None:
        body = self.writer.body(delivery)
        delivery.body_sha256 = delivery.body_sha256 or sha256(body)
        attempt.finished_at = finished_at
        attempt.url, attempt.peer = self.writer.url, self.writer.peer
        attempt.request_headers = self.writer.headers(delivery, body, attempt.claimed_at)
        attempt.status, attempt.error, attempt.sentence = outcome.status, outcome.error, outcome.sentence
        attempt.phrase, attempt.response_body = outcome.reason, outcome.body
        attempt.response_headers = [list(pair) for pair in outcome.headers]
        attempt.retry_after_s = outcome.retry_after.total_seconds() if outcome.retry_after is not None else None
        attempt.connect_ms, attempt.first_byte_ms = outcome.connect_ms, outcome.first_byte_ms
        attempt.total_ms = outcome.total_ms

    def _settle(self, delivery: Delivery, outcome: Outcome, at: datetime, *, is_by_hand: bool) -> None:
        changes = settling.settle(
            settling.Standing(delivery.kind, delivery.state, delivery.attempts_counted),
            settling.Ending(outcome.is_success, outcome.status, outcome.retry_after),
            is_by_hand=is_by_hand,
            now=at,
            schedule=SCHEDULE,
            jitter=self._dice.uniform(-1, 1),
        )
        changes |= {"last_status": outcome.status, "last_error": outcome.error, "last_ms": outcome.total_ms}
        for name, value in changes.items():
            setattr(delivery, name, value)
        self._waiting = [each for each in self._waiting if each.next_attempt_at is not None]

    def _count(self, outcome: Outcome, at: datetime, *, is_probe: bool) -> None:
        self._marks["last_outcome"] = outcome.error or str(outcome.status)
        if outcome.is_success:
            self._health, self._marks["last_success_at"] = Health(), at
            return
        self._marks["last_failure_at"] = at
        self._health = health.after_failure(self._health, at, is_probe=is_probe)
        if outcome.status == HTTPStatus.GONE:
            self._disable(at, DisabledBecause.GONE, holding.BY_SYSTEM)
            return
        advice = health.judge(self._health, at)
        if advice is Advice.WARN:
            self._health = replace(self._health, warned_at=at)
        elif advice is Advice.DISABLE:
            self._disable(at, DisabledBecause.FAILURES, holding.BY_SYSTEM)

    def _disable(self, at: datetime, because: DisabledBecause, reason: str) -> None:
        self.disabled_at, self.disabled_because = at, because
        for delivery in self._waiting:
            delivery.state, delivery.reason = DeliveryState.HELD, reason
            delivery.held_at, delivery.next_attempt_at = at, None
        self._waiting.clear()
