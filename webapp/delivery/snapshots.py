"""The bytes of the webhook object as payloads show it: a new row each time they change, named by every new delivery."""

from __future__ import annotations

from sqlalchemy.orm import Session

from webapp.delivery import payloads
from webapp.models import Webhook, WebhookSnapshot, utc_now


def take(session: Session, webhook: Webhook) -> None:
    """Write down how the webhook looks now. Belongs inside transaction()."""
    session.flush()
    snapshot = WebhookSnapshot(webhook_id=webhook.id, body=payloads.to_json(payloads.webhook(webhook)))
    session.add(snapshot)
    session.flush()
    webhook.snapshot_seq = snapshot.seq


def retake(session: Session, webhook: Webhook) -> None:
    """The webhook was changed just now: give it the time of the change and a new snapshot."""
    webhook.updated_at = utc_now()
    take(session, webhook)
