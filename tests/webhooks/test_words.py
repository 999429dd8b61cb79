"""The shown words, as tables."""

from __future__ import annotations

import pytest

from webapp.models import Delivery, DeliveryState, Webhook, WebhookStatus, utc_now
from webapp.webhooks.words import DeliveryWord, Traffic, delivery_word, webhook_word

NOTHING, TRIED, RETRYING = Traffic(), Traffic(was_tried=True), Traffic(was_tried=True, is_retrying=True)


@pytest.mark.parametrize(
    ("webhook", "is_paused", "traffic", "shown"),
    [
        (Webhook(status=WebhookStatus.UNHEALTHY, enabled=False), True, RETRYING, ("unhealthy", "disabled")),
        (Webhook(status=WebhookStatus.HEALTHY, enabled=False), True, RETRYING, ("disabled", "disabled")),
        (Webhook(status=WebhookStatus.HEALTHY, enabled=True), True, RETRYING, ("paused", "paused")),
        (Webhook(status=WebhookStatus.HEALTHY, enabled=True), False, RETRYING, ("failing", "failing")),
        (Webhook(status=WebhookStatus.HEALTHY, enabled=True), False, NOTHING, ("new", "new")),
        (Webhook(status=WebhookStatus.HEALTHY, enabled=True), False, TRIED, ("healthy", "healthy")),
    ],
)
def test_the_first_word_that_applies_is_shown_for_a_webhook(
    webhook: Webhook, is_paused: bool, traffic: Traffic, shown: tuple[str, str]
) -> None:
    word = webhook_word(webhook, traffic, is_paused=is_paused)
    assert (word, word.health) == shown


@pytest.mark.parametrize(
    ("state", "counted", "in_flight", "is_paused", "word"),
    [
        ("pending", 0, False, False, DeliveryWord.WAITING),
        ("pending", 0, True, True, DeliveryWord.SENDING),
        ("pending", 2, False, False, DeliveryWord.RETRYING),
        ("pending", 2, False, True, DeliveryWord.PAUSED),
        ("succeeded", 1, True, False, DeliveryWord.SENDING),
        ("succeeded", 1, False, True, DeliveryWord.DELIVERED),
        ("failed", 10, False, False, DeliveryWord.FAILED),
        ("held", 0, False, True, DeliveryWord.HELD),
        ("cancelled", 1, False, False, DeliveryWord.CANCELLED),
        ("stuck", 0, False, False, DeliveryWord.STUCK),
    ],
)
def test_a_deliverys_word_follows_from_its_row(
    state: str, counted: int, in_flight: bool, is_paused: bool, word: DeliveryWord
) -> None:
    delivery = Delivery(
        state=DeliveryState(state),
        attempts_counted=counted,
        lease_until=utc_now() if in_flight else None,
        event_seq=1,
    )
    assert delivery_word(delivery, is_paused=is_paused) is word


def test_a_ping_does_not_mind_the_pause() -> None:
    ping = Delivery(state=DeliveryState.PENDING, attempts_counted=0, event_seq=None)
    assert delivery_word(ping, is_paused=True) is DeliveryWord.WAITING
