"""Notices: mails to send. A row until it was sent, so that a mail server that is down loses none."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, UtcTime, utc_now
from webapp.models.event import Seq


class NoticeTemplate(StrEnum):
    """What a notice says: the name of its text in templates/mail/. Each value of a row may be missing.

    The three about a webhook have `webhookId`, `name`, `url`, `failures` (attempts in a row), `lastOutcome` (a status
    or an error word), `disabledAt` (ISO 8601, when it is disabled at the earliest), `held` (deliveries held by it).
    `role_lost` has `projectId`, `project` (its name), `cancelled` (deliveries that were cancelled).
    """

    WEBHOOK_DISABLING_NEAR = "webhook_disabling_near"
    WEBHOOK_DISABLED = "webhook_disabled"
    WEBHOOK_GONE = "webhook_gone"
    ROLE_LOST = "role_lost"


class Notice(Base):
    """One mail owed to one person: its template (a word of NoticeTemplate) and the values in it.

    It is due at `next_attempt_at`, which is NULL once it was sent or given up.
    """

    __tablename__ = "notice"

    seq: Mapped[int] = mapped_column(Seq, primary_key=True, autoincrement=True)
    user_id: Mapped[str] = mapped_column(sa.ForeignKey("user.id", ondelete="CASCADE"), index=True)
    template: Mapped[str] = mapped_column(sa.String(40))
    values: Mapped[dict[str, Any]] = mapped_column(sa.JSON, default=dict)
    created_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    next_attempt_at: Mapped[datetime | None] = mapped_column(UtcTime, default=utc_now, index=True)
    attempts_made: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[datetime | None] = mapped_column(UtcTime)
    last_error: Mapped[str | None] = mapped_column(sa.Text)
