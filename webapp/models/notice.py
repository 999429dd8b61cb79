"""Notices: mails to send. A row until it was sent, so that a mail server that is down loses none."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.account import EMAIL_LENGTH
from webapp.models.base import Base, UtcTime, utc_now
from webapp.models.event import Seq


class NoticeTemplate(StrEnum):
    """What a notice says: the name of its text in templates/mail/. Each value of a row may be missing.

    The three about a webhook have `webhookId`, `name`, `url`, `failures` (attempts in a row), `lastOutcome` (a status
    or an error word), `disabledAt` (ISO 8601, when it is disabled at the earliest), `held` (deliveries held by it).
    `role_lost` has `projectId`, `project` (its name), `cancelled` (deliveries that were cancelled).
    Three carry a link, which is made when the mail is written, so that no row ever holds its token: `password_reset`
    and `welcome` have no values; `invitation` has `invitationId`, `project`, `by` (who invites). `handover` has
    `webhookId`, `name`, `by` (who offers it). `email_changed` goes to the old address, with `person` (the name),
    `locale`, and `to` (the new address).
    """

    WEBHOOK_DISABLING_NEAR = "webhook_disabling_near"
    WEBHOOK_DISABLED = "webhook_disabled"
    WEBHOOK_GONE = "webhook_gone"
    ROLE_LOST = "role_lost"
    PASSWORD_RESET = "password_reset"  # noqa: S105 - a template's name
    WELCOME = "welcome"
    INVITATION = "invitation"
    HANDOVER = "handover"
    EMAIL_CHANGED = "email_changed"


class Notice(Base):
    """One mail owed to one person: its template (a word of NoticeTemplate) and the values in it.

    Without `user_id` it goes to `email`: an address that was typed, perhaps nobody's here. It is due at
    `next_attempt_at`, which is NULL once it was sent or given up.
    """

    __tablename__ = "notice"

    seq: Mapped[int] = mapped_column(Seq, primary_key=True, autoincrement=True)
    user_id: Mapped[str | None] = mapped_column(sa.ForeignKey("user.id", ondelete="CASCADE"), index=True)
    email: Mapped[str | None] = mapped_column(sa.String(EMAIL_LENGTH))
    template: Mapped[str] = mapped_column(sa.String(40))
    values: Mapped[dict[str, Any]] = mapped_column(sa.JSON, default=dict)
    created_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    next_attempt_at: Mapped[datetime | None] = mapped_column(UtcTime, default=utc_now, index=True)
    attempts_made: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[datetime | None] = mapped_column(UtcTime)
    last_error: Mapped[str | None] = mapped_column(sa.Text)
