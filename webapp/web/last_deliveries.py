"""What the last attempt of a webhook really sent, for the pages that explain its signature."""

from __future__ import annotations

from dataclasses import dataclass

from webapp.models import User, Webhook
from webapp.webhooks import log

LOOKS_BACK = 5  # deliveries in which one with a request is looked for
SHOWN_BODY_BYTES = 2000
SIGNED = ("webhook-id", "webhook-timestamp", "webhook-signature", "X-Signature", "X-Signature-Previous")


@dataclass(frozen=True)
class LastDelivery:
    """Names and values of its headers, own ones masked, and the whole body."""

    delivery_id: str
    headers: list[list[str]]
    body: bytes

    def value(self, name: str) -> str:
        """The value of a header, empty when it was not sent."""
        return next((value for each, value in self.headers if each == name), "")

    @property
    def shown_body(self) -> str:
        """The first bytes of the body, as text."""
        return self.body[:SHOWN_BODY_BYTES].decode(errors="replace")

    @property
    def signed_lines(self) -> str:
        """The headers that have to do with its signatures, one on each line."""
        return "\n".join(f"{name}: {self.value(name)}" for name in SIGNED if self.value(name))


def of(user: User, webhook: Webhook) -> LastDelivery | None:
    """The newest delivery with a request that is known; None when nothing was sent yet."""
    for delivery in log.deliveries(user, log.LogFilter(webhook_id=webhook.id), limit=LOOKS_BACK).deliveries:
        sent = [attempt.request_headers for attempt in log.attempts(delivery) if attempt.request_headers]
        if sent:
            return LastDelivery(delivery.id, sent[-1], log.body(delivery))
    return None
