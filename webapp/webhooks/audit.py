"""The audit log of webhooks: one line for each action of a person."""

from __future__ import annotations

from typing import Any

from flask import has_request_context, request

from webapp.extensions import db
from webapp.models import AuditEntry, User, Webhook


def note(action: str, webhook: Webhook, by: User, **detail: Any) -> None:
    """Write one line inside transaction(), with the address that the request came from.

    `detail` holds old and new values; secrets never, only that they changed.
    """
    entry = AuditEntry(
        user_id=by.id,
        action=f"webhook.{action}",
        subject=f"webhook:{webhook.id}",
        detail=detail,
        address=(request.remote_addr or "") if has_request_context() else "",
    )
    db.session.add(entry)
