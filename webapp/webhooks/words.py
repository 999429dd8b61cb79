"""The words that are shown for a webhook and a delivery: pure functions from what is stored, and closed lists."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from webapp.models import Delivery, DeliveryState, Webhook, WebhookStatus


class WebhookWord(StrEnum):
    """The shown status of a webhook."""

    UNHEALTHY = "unhealthy"
    DISABLED = "disabled"
    PAUSED = "paused"
    FAILING = "failing"
    NEW = "new"
    HEALTHY = "healthy"

    @property
    def health(self) -> str:
        """The value of the REST field `health`: there is no `unhealthy` among them, such a webhook is disabled."""
        return "disabled" if self is WebhookWord.UNHEALTHY else str(self)


class DeliveryWord(StrEnum):
    """The shown state of a delivery. The first four are sub-states of `pending`."""

    WAITING = "waiting"
    SENDING = "sending"
    RETRYING = "retrying"
    PAUSED = "paused"
    DELIVERED = "delivered"
    FAILED = "failed"
    HELD = "held"
    CANCELLED = "cancelled"
    STUCK = "stuck"


@dataclass(frozen=True)
class Traffic:
    """What the status of a webhook depends on besides itself."""

    was_tried: bool = False
    is_retrying: bool = False


STATE_WORDS = {
    DeliveryState.PENDING: DeliveryWord.WAITING,
    DeliveryState.SUCCEEDED: DeliveryWord.DELIVERED,
    DeliveryState.FAILED: DeliveryWord.FAILED,
    DeliveryState.HELD: DeliveryWord.HELD,
    DeliveryState.CANCELLED: DeliveryWord.CANCELLED,
    DeliveryState.STUCK: DeliveryWord.STUCK,
}


def webhook_word(webhook: Webhook, traffic: Traffic, *, is_paused: bool = False) -> WebhookWord:
    """The first word that applies, worst first."""
    if webhook.status is WebhookStatus.UNHEALTHY and not webhook.enabled:
        return WebhookWord.UNHEALTHY
    if not webhook.enabled:
        return WebhookWord.DISABLED
    if is_paused:
        return WebhookWord.PAUSED
    if traffic.is_retrying:
        return WebhookWord.FAILING
    return WebhookWord.HEALTHY if traffic.was_tried else WebhookWord.NEW


def old_secret_until(webhook: Webhook, now: datetime) -> datetime | None:
    """Until when the secret before the last rotation signs too; None when there is none any more."""
    until = webhook.previous_secret_until
    return until if webhook.previous_secret_ciphertext is not None and until is not None and now < until else None


def delivery_word(delivery: Delivery, *, is_paused: bool = False) -> DeliveryWord:
    """The word of a delivery. `is_paused` = its webhook is; pings, tests and what is in flight do not mind."""
    if delivery.is_in_flight:
        return DeliveryWord.SENDING
    if delivery.state is not DeliveryState.PENDING:
        return STATE_WORDS[delivery.state]
    if is_paused and delivery.event_seq is not None:
        return DeliveryWord.PAUSED
    return DeliveryWord.RETRYING if delivery.attempts_counted else DeliveryWord.WAITING
