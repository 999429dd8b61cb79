"""The audit log of webhooks: one line for each action of a person."""

from __future__ import annotations

from typing import Any

from webapp.extensions import db
from webapp.models import AuditEntry, User, Webhook


def note(action: str, webhook: Webhook, by: User, **detail: Any) -> None:
    """Write one line inside transaction(). `detail` holds old and new values; secrets never, only that they changed."""
    entry = AuditEntry(user_id=by.id, action=f"webhook.{action}", subject=f"webhook:{webhook.id}", detail=detail)
    db.session.add(entry)
