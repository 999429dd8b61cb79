"""The audit log of webhooks: one line for each action of a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from webapp.extensions import db
from webapp.models import AuditEntry, User, Webhook
from webapp.models import audit as log

PREFIX = "webhook."
LAST = 50  # lines that a page shows


@dataclass(frozen=True)
class Noted:
    """One line, and who did it: None when nobody did, or when the account is gone."""

    entry: AuditEntry
    by: User | None

    @property
    def action(self) -> str:
        """What was done: the word given to `note`."""
        return self.entry.action.removeprefix(PREFIX)


def entries(webhook: Webhook, last: int = LAST) -> list[Noted]:
    """The newest lines about a webhook, newest first."""
    query = (
        sa.select(AuditEntry, User)
        .outerjoin(User, User.id == AuditEntry.user_id)
        .where(AuditEntry.subject == f"webhook:{webhook.id}")
        .order_by(AuditEntry.seq.desc())
        .limit(last)
    )
    return [Noted(entry, by) for entry, by in db.session.execute(query)]


def note(action: str, webhook: Webhook, by: User, **detail: Any) -> None:
    """Write one line inside transaction(), with the address that the request came from.

    `detail` holds old and new values; secrets never, only that they changed.
    """
    log.note(f"{PREFIX}{action}", f"webhook:{webhook.id}", by, **detail)
