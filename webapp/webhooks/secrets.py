"""Secrets of webhooks: encrypted at rest, and shown once, on the page that follows the webhook's creation."""

from __future__ import annotations

from datetime import datetime, timedelta

from webapp.models import Webhook
from webapp.models.base import decrypt, keyring

SHOWN_AFTER_CREATION = timedelta(minutes=10)


def seal(secret: str | None) -> str | None:
    """The ciphertext that is stored for a secret."""
    return None if secret is None else keyring().encrypt(secret.encode()).decode()


def of_new(webhook: Webhook, now: datetime) -> str | None:
    """The secret of a webhook that was made a moment ago; None for an unsigned or an older one.

    The caller sees to it that this is asked once. Raises UnreadableSecret when no key fits.
    """
    if webhook.secret_ciphertext is None or now - webhook.created_at > SHOWN_AFTER_CREATION:
        return None
    return decrypt(webhook.secret_ciphertext)
